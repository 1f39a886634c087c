#include "quantize/samples.h"

#include <algorithm>
#include <random>

#include "base/parallel.h"
#include "quantize/watch.h"

namespace fogline::quantize {
namespace {

constexpr size_t kPlaces = 24;  // of a picture's map
/// Multiply-adds that rounding one layer may take, which decides how wide its blocks are.
constexpr double kMostWork = 4e9;
constexpr size_t kWidestBlock = 1024;

/// Sums of one layer. Rows are what its weights are multiplied with at one place.
class Sums {
 public:
  Sums(const Net& net, const Linear& linear) : linear_(linear) {
    const auto& node = net.graph().node(linear.node);
    moments_.inputs = linear.inputs;
    moments_.groups = linear.groups;
    const double rows = static_cast<double>(linear.outputs) * static_cast<double>(linear.inputs);
    moments_.block = std::min(
        {linear.inputs, kWidestBlock, static_cast<size_t>(std::max(1.0, kMostWork / rows))});
    moments_.mean.resize(linear.groups * linear.inputs);
    moments_.covariance.resize(linear.groups * moments_.blocks() * moments_.block * moments_.block);
    if (linear.op != "Conv") return;
    const auto weights = net.Floats(linear.weights);
    kernel_ = {weights->dims[2], weights->dims[3]};
    const auto list = [&](const char* name, const std::vector<int64_t>& otherwise) {
      auto given = IntsOf(node, name);
      return given.empty() ? otherwise : given;
    };
    strides_ = list("strides", {1, 1});
    dilations_ = list("dilations", {1, 1});
    pads_ = list("pads", {0, 0, 0, 0});
    const auto* automatic = Attribute(node, "auto_pad");
    same_ = automatic != nullptr && automatic->s().starts_with("SAME");
  }

  /// Reads [1,C,H,W] of a Conv, else rows of the last dimension.
  void Add(const Tensor& tensor, size_t picture) {
    std::mt19937 random(static_cast<uint32_t>(picture));
    linear_.op == "Conv" ? AddMap(tensor, random) : AddRows(tensor, random);
  }

  Moments Finish() {
    const auto n = static_cast<float>(std::max<size_t>(1, count_));
    for (float& value : moments_.mean) value /= n;
    for (float& value : moments_.covariance) value /= n;
    for (size_t g = 0; g < moments_.groups; ++g) {
      for (size_t b = 0; b < moments_.blocks(); ++b) Center(g, b);
    }
    return std::move(moments_);
  }

 private:
  void Center(size_t g, size_t b) {
    float* block = moments_.BlockOf(g, b);
    const size_t first = b * moments_.block,
                 wide = std::min(moments_.block, moments_.inputs - first);
    const float* mean = moments_.mean.data() + g * moments_.inputs + first;
    for (size_t i = 0; i < wide; ++i) {
      for (size_t j = i; j < wide; ++j) {
        block[i * moments_.block + j] -= mean[i] * mean[j];
        block[j * moments_.block + i] = block[i * moments_.block + j];
      }
    }
  }

  void AddMap(const Tensor& tensor, std::mt19937& random) {
    const Shape& shape = tensor.shape();
    if (shape.rank() != 4) return;
    const int64_t channels = shape[1], height = shape[2], width = shape[3];
    const auto across = [&](int axis, int64_t size) {
      const int64_t reach = dilations_[axis] * (kernel_[axis] - 1) + 1;
      if (same_) return (size + strides_[axis] - 1) / strides_[axis];
      return (size + pads_[axis] + pads_[axis + 2] - reach) / strides_[axis] + 1;
    };
    const int64_t rows = across(0, height), columns = across(1, width);
    if (rows < 1 || columns < 1) return;
    const auto each = static_cast<int64_t>(linear_.inputs / linear_.taps);
    const int64_t places = rows * columns, taken = std::min<int64_t>(places, kPlaces);
    rows_.assign(linear_.groups, {});
    for (int64_t p = 0; p < taken; ++p) {
      // One of each stretch: spread over the picture, and not on one grid in all of them.
      const int64_t from = p * places / taken, to = (p + 1) * places / taken;
      const int64_t place =
          from + static_cast<int64_t>(random() % static_cast<uint32_t>(to - from));
      for (size_t g = 0; g < linear_.groups; ++g) {
        Gather(tensor, static_cast<int64_t>(g) * each, std::min(channels, each), place / columns,
               place % columns, rows_[g]);
      }
    }
    Count(static_cast<size_t>(taken));
  }

  void Gather(const Tensor& tensor, int64_t channel, int64_t channels, int64_t row, int64_t column,
              std::vector<float>& to) const {
    const int64_t height = tensor.shape()[2], width = tensor.shape()[3];
    const auto values = tensor.as<float>();
    for (int64_t c = channel; c < channel + channels; ++c) {
      for (int64_t ky = 0; ky < kernel_[0]; ++ky) {
        for (int64_t kx = 0; kx < kernel_[1]; ++kx) {
          const int64_t y = row * strides_[0] - PadOf(0, height) + ky * dilations_[0];
          const int64_t x = column * strides_[1] - PadOf(1, width) + kx * dilations_[1];
          const bool inside = y >= 0 && y < height && x >= 0 && x < width;
          to.push_back(inside ? values[static_cast<size_t>((c * height + y) * width + x)] : 0.0F);
        }
      }
    }
  }

  int64_t PadOf(int axis, int64_t size) const {
    if (!same_) return pads_[static_cast<size_t>(axis)];
    const int64_t out = (size + strides_[axis] - 1) / strides_[axis];
    const int64_t reach = dilations_[axis] * (kernel_[axis] - 1) + 1;
    return std::max<int64_t>(0, (out - 1) * strides_[axis] + reach - size) / 2;
  }

  void AddRows(const Tensor& tensor, std::mt19937& random) {
    const auto values = tensor.as<float>();
    const size_t there = values.size() / linear_.inputs, taken = std::min(there, kPlaces);
    rows_.assign(1, {});
    for (size_t r = 0; r < taken; ++r) {
      const size_t from = r * there / taken, to = (r + 1) * there / taken;
      const size_t row = from + random() % static_cast<uint32_t>(to - from);
      const float* first = values.data() + row * linear_.inputs;
      rows_[0].insert(rows_[0].end(), first, first + linear_.inputs);
    }
    Count(taken);
  }

  void Count(size_t rows) {
    count_ += rows;
    for (size_t g = 0; g < linear_.groups; ++g) {
      for (size_t r = 0; r < rows; ++r) {
        for (size_t i = 0; i < linear_.inputs; ++i) {
          moments_.mean[g * linear_.inputs + i] += rows_[g][r * linear_.inputs + i];
        }
      }
      for (size_t b = 0; b < moments_.blocks(); ++b) AddProducts(g, b, rows);
    }
  }

  /// Four rows at a time, so that the sums are fetched and stored once for them.
  void AddProducts(size_t g, size_t b, size_t rows) {
    float* block = moments_.BlockOf(g, b);
    const size_t first = b * moments_.block,
                 wide = std::min(moments_.block, moments_.inputs - first);
    static const std::vector<float> zeros(kWidestBlock, 0.0F);
    for (size_t r = 0; r < rows; r += 4) {
      const float* x[4];
      for (size_t k = 0; k < 4; ++k) {
        x[k] = r + k < rows ? rows_[g].data() + (r + k) * linear_.inputs + first : zeros.data();
      }
      for (size_t i = 0; i < wide; ++i) {
        const float a0 = x[0][i], a1 = x[1][i], a2 = x[2][i], a3 = x[3][i];
        if (a0 == 0 && a1 == 0 && a2 == 0 && a3 == 0) continue;
        float* sum = block + i * moments_.block;
        for (size_t j = i; j < wide; ++j) {
          sum[j] += a0 * x[0][j] + a1 * x[1][j] + a2 * x[2][j] + a3 * x[3][j];
        }
      }
    }
  }

  const Linear& linear_;
  Moments moments_;
  std::vector<int64_t> kernel_, strides_, dilations_, pads_;
  bool same_ = false;
  size_t count_ = 0;
  std::vector<std::vector<float>> rows_;  // by group, of the picture at hand
};

}  // namespace

Result<std::map<std::string, Moments>> CollectMoments(const Net& net, const Scheme& scheme,
                                                      std::span<const Tensor> inputs, int threads) {
  std::vector<std::string> names;  // several layers may read one tensor
  std::map<std::string, size_t> places;
  std::vector<Sums> sums;
  for (const Linear& linear : scheme.linears) {
    if (places.try_emplace(linear.input, names.size()).second) names.push_back(linear.input);
    sums.emplace_back(net, linear);
  }
  const auto add = [&](size_t picture, std::span<const Tensor> tensors) -> Status {
    return ParallelFor(sums.size(), threads, [&](size_t l, int) -> Status {
      sums[l].Add(tensors[places.at(scheme.linears[l].input)], picture);
      return {};
    });
  };
  FOGLINE_CHECK(Watch(net, names, inputs, threads, add));
  std::map<std::string, Moments> moments;
  for (size_t l = 0; l < sums.size(); ++l) moments[scheme.linears[l].name] = sums[l].Finish();
  return moments;
}

}  // namespace fogline::quantize
