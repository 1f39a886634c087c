#include "codec/split_runner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/slice.h"

namespace fogline {
namespace {

/// Where each of `names` stands in `ports`.
Result<std::vector<size_t>> Find(const std::vector<Port>& names, const std::vector<Port>& ports,
                                 const std::string& where) {
  std::vector<size_t> at;
  for (const Port& wanted : names) {
    const auto found = std::ranges::find(ports, wanted.name, &Port::name);
    if (found == ports.end()) {
      return Fail(ErrorCode::kInternal, where, "half of the model lacks tensor '{}'", wanted.name);
    }
    at.push_back(static_cast<size_t>(found - ports.begin()));
  }
  return at;
}

Result<std::vector<Tensor>> RunHalf(Session& session, std::span<const Tensor> inputs) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : inputs) views.push_back(tensor.view());
  return session.Run(views);
}

double SquaredDistance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

Result<SplitRunner> SplitRunner::Open(const Model& model, const Cut& cut) {
  SplitRunner runner;
  const std::string where = model.where() + " at cut " + cut.name;
  if (cut.edge_nodes > 0) {
    FOGLINE_TRY(const std::string bytes, SlicePrefix(model, cut));
    FOGLINE_TRY(runner.prefix_, OpenSession(std::as_bytes(std::span(bytes)), where));
    FOGLINE_TRY(runner.from_prefix_, Find(cut.tensors, runner.prefix_->outputs(), where));
  }
  if (cut.edge_nodes < static_cast<int>(model.nodes().size())) {
    FOGLINE_TRY(const std::string bytes, SliceSuffix(model, cut));
    FOGLINE_TRY(runner.suffix_, OpenSession(std::as_bytes(std::span(bytes)), where));
    FOGLINE_TRY(runner.to_suffix_, Find(runner.suffix_->inputs(), cut.tensors, where));
  }
  return runner;
}

Result<std::vector<Tensor>> SplitRunner::Prefix(const Tensor& input) const {
  if (prefix_ == nullptr) return std::vector<Tensor>{input};
  FOGLINE_TRY(const auto outputs, RunHalf(*prefix_, {&input, 1}));
  std::vector<Tensor> tensors;
  for (const size_t at : from_prefix_) tensors.push_back(outputs[at]);
  return tensors;
}

Result<std::vector<Tensor>> SplitRunner::Suffix(std::span<const Tensor> tensors) const {
  if (suffix_ == nullptr) return std::vector<Tensor>(tensors.begin(), tensors.end());
  std::vector<Tensor> inputs;
  for (const size_t at : to_suffix_) inputs.push_back(tensors[at]);
  return RunHalf(*suffix_, inputs);
}

Reference::Reference(std::vector<std::vector<Tensor>> outputs, std::optional<size_t> class_output)
    : outputs_(std::move(outputs)), class_output_(class_output) {
  for (const auto& picture : outputs_) top1_.push_back(Top1(picture));
  if (outputs_.empty()) return;
  spread_.assign(outputs_[0].size(), 0);
  for (size_t o = 0; o < spread_.size(); ++o) {
    const Tensor& first = outputs_[0][o];
    if (first.dtype() != DType::kF32) continue;
    std::vector<float> mean(first.as<float>().size(), 0);
    double size = 0;
    const auto fits = [&](const std::vector<Tensor>& picture) {
      return picture[o].as<float>().size() == mean.size();
    };
    for (const std::vector<Tensor>& picture : outputs_) {
      if (!fits(picture)) continue;
      for (size_t i = 0; i < mean.size(); ++i) {
        mean[i] += picture[o].as<float>()[i] / static_cast<float>(outputs_.size());
        size += std::pow(picture[o].as<float>()[i], 2);
      }
    }
    for (const std::vector<Tensor>& picture : outputs_) {
      if (fits(picture)) spread_[o] += SquaredDistance(picture[o].as<float>(), mean);
    }
    // Outputs that are the same for every picture are measured by their own size.
    spread_[o] = std::max(spread_[o], 1e-6 * size) / static_cast<double>(outputs_.size());
  }
}

int Reference::Top1(const std::vector<Tensor>& outputs) const {
  if (!class_output_ || *class_output_ >= outputs.size()) return -1;
  const Tensor& tensor = outputs[*class_output_];
  if (tensor.dtype() != DType::kF32 || tensor.empty()) return -1;
  const auto values = tensor.as<float>();
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

double Reference::Error(size_t picture, const std::vector<Tensor>& other) const {
  const auto& own = outputs_[picture];
  double error = 0;
  int counted = 0;
  for (size_t o = 0; o < own.size(); ++o) {
    if (own[o].dtype() != DType::kF32 || spread_[o] <= 0) continue;
    if (other[o].shape() != own[o].shape()) return std::numeric_limits<double>::infinity();
    error += SquaredDistance(own[o].as<float>(), other[o].as<float>()) / spread_[o];
    ++counted;
  }
  error /= std::max(1, counted);
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

double Reference::RelativeError(size_t picture, const std::vector<Tensor>& other) const {
  const auto& own = outputs_[picture];
  double error = 0, size = 0;
  for (size_t o = 0; o < own.size(); ++o) {
    if (own[o].dtype() != DType::kF32) continue;
    if (other[o].shape() != own[o].shape()) return 1;
    error += SquaredDistance(own[o].as<float>(), other[o].as<float>());
    for (const float v : own[o].as<float>()) size += static_cast<double>(v) * v;
  }
  const double relative = size > 0 ? std::sqrt(error / size) : std::sqrt(error);
  return std::isfinite(relative) ? relative : 1;
}

}  // namespace fogline
