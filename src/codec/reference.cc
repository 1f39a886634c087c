#include "codec/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "vision/floats.h"

namespace fogline {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kFloor = 1e-12;        // squared: what a value may be off without being different
constexpr double kOwnSize = 1e-6;       // of its squared size: the least an output varies
constexpr int64_t kMostChannels = 512;  // an axis that is longer lists places, not channels

/// Integers that count or name something: 5 is as far from 6 as from 60.
bool IsDiscrete(DType dtype) {
  return dtype == DType::kI32 || dtype == DType::kI64 || dtype == DType::kU32 ||
         dtype == DType::kU64 || dtype == DType::kBool;
}

/// Elements whose bytes differ; all of the larger one where shapes differ.
double Differing(const Tensor& a, const Tensor& b) {
  const size_t size = std::max<size_t>(1, ElementBytes(a.dtype()));
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    return static_cast<double>(std::max(a.bytes().size(), b.bytes().size()) / size);
  }
  double count = 0;
  for (size_t at = 0; at < a.bytes().size(); at += size) {
    count += std::ranges::equal(a.bytes().subspan(at, size), b.bytes().subspan(at, size)) ? 0 : 1;
  }
  return count;
}

/// Infinities and NaN that are the same are no distance.
double SquaredDistance(float a, float b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double difference = static_cast<double>(a) - b;
  return difference * difference;
}

/// Sums over pictures, element by element and as a whole: of squares, and of squared distances from
/// the mean. What is not finite is left out, and so are pictures with another number of elements.
struct Moments {
  std::vector<double> spread, size;
  double whole_spread = 0, whole_size = 0;
  bool alike = true;  // every picture's output has one shape
};

Moments MomentsOf(const std::vector<std::vector<Tensor>>& outputs, size_t output) {
  const Tensor& first = outputs[0][output];
  Moments moments;
  std::vector<float> room;
  std::vector<float> mean(AsFloats(first.view(), room).size(), 0);
  moments.spread.assign(mean.size(), 0);
  moments.size.assign(mean.size(), 0);
  for (const std::vector<Tensor>& picture : outputs) {
    const auto values = AsFloats(picture[output].view(), room);
    moments.alike = moments.alike && picture[output].shape() == first.shape();
    if (values.size() != mean.size()) continue;
    for (size_t i = 0; i < mean.size(); ++i) {
      if (!std::isfinite(values[i])) continue;
      mean[i] += values[i] / static_cast<float>(outputs.size());
      moments.size[i] += std::pow(values[i], 2);
      moments.whole_size += std::pow(values[i], 2);
    }
  }
  for (const std::vector<Tensor>& picture : outputs) {
    const auto values = AsFloats(picture[output].view(), room);
    if (values.size() != mean.size()) continue;
    double sum = 0;
    for (size_t i = 0; i < mean.size(); ++i) {
      const double distance = std::isfinite(values[i]) ? SquaredDistance(values[i], mean[i]) : 0;
      moments.spread[i] += distance;
      sum += distance;
    }
    moments.whole_spread += sum;
  }
  return moments;
}

/// An axis of a tensor: channel of element i is i / stride % channels.
struct Axis {
  size_t channels = 1, stride = 0;
};

/// Analysis of variance: along which axis do the elements' scales differ most from each other?
Axis ScaleAxis(const Shape& shape, const std::vector<double>& spread) {
  Axis best;
  if (spread.empty()) return best;
  double total = 0;
  for (const double s : spread) total += s;
  const double floor = 1e-9 * total / static_cast<double>(spread.size()) + 1e-30;
  std::vector<double> scale;
  double middle = 0;
  for (const double s : spread) {
    scale.push_back(std::log(s + floor));
    middle += scale.back() / static_cast<double>(spread.size());
  }
  double most = 0;
  size_t below = 1;  // elements of one step along the axis
  for (size_t d = shape.rank(); d-- > 0;) {
    const auto channels = static_cast<size_t>(shape[d]);
    const size_t stride = std::exchange(below, below * channels);
    const size_t each = spread.size() / std::max<size_t>(1, channels);
    if (channels < 2 || shape[d] > kMostChannels || each < 2) continue;
    std::vector<double> mean(channels, 0);
    for (size_t i = 0; i < scale.size(); ++i) {
      mean[i / stride % channels] += scale[i] / static_cast<double>(each);
    }
    double between = 0;
    for (const double m : mean) between += (m - middle) * (m - middle);
    between /= static_cast<double>(channels - 1);
    if (between > most) {
      most = between;
      best = {channels, stride};
    }
  }
  return best;
}

}  // namespace

Reference::Reference(std::vector<std::vector<Tensor>> outputs, std::optional<Classes> classes)
    : outputs_(std::move(outputs)), classes_(classes) {
  for (const auto& picture : outputs_) top1_.push_back(Top1(picture));
  if (outputs_.empty()) return;
  for (size_t o = 0; o < outputs_[0].size(); ++o) variations_.push_back(VariationOf(o));
}

Reference::Variation Reference::VariationOf(size_t output) const {
  const Tensor& first = outputs_[0][output];
  const auto pictures = static_cast<double>(outputs_.size());
  Variation v;
  v.discrete = IsDiscrete(first.dtype());
  if (v.discrete) {
    // Half the distance of two pictures is the distance from the mean, for squares and for this.
    double sum = 0;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      sum += Differing(outputs_[i][output], outputs_[(i + 1) % outputs_.size()][output]) / 2;
    }
    const double elements = Differing(first, Tensor());
    v.spread = {std::max(sum / pictures, kOwnSize * elements)};
    return v;
  }
  const Moments moments = MomentsOf(outputs_, output);
  // Outputs that are the same for every picture are measured by their own size.
  const auto least = [&](double varied, double own, size_t elements) {
    return std::max({varied, kOwnSize * own, kFloor * pictures * static_cast<double>(elements)}) /
           pictures;
  };
  const size_t elements = moments.spread.size();
  if (!classes_ && moments.alike) {
    const Axis axis = ScaleAxis(first.shape(), moments.spread);
    v.channels = axis.channels;
    v.stride = axis.stride;
  }
  if (v.channels == 1) {
    v.spread = {least(moments.whole_spread, moments.whole_size, elements)};
    return v;
  }
  std::vector<double> varied(v.channels, 0), own(v.channels, 0);
  for (size_t i = 0; i < elements; ++i) {
    varied[i / v.stride % v.channels] += moments.spread[i];
    own[i / v.stride % v.channels] += moments.size[i];
  }
  for (size_t c = 0; c < v.channels; ++c) {
    v.spread.push_back(least(varied[c], own[c], elements / v.channels));
  }
  return v;
}

int Reference::Top1(const std::vector<Tensor>& outputs) const {
  if (!classes_ || classes_->output >= outputs.size()) return -1;
  std::vector<float> room;
  auto values = AsFloats(outputs[classes_->output].view(), room);
  values = values.first(std::min(values.size(), classes_->count));
  return values.empty() ? -1 : static_cast<int>(std::ranges::max_element(values) - values.begin());
}

double Reference::Error(size_t picture, const std::vector<Tensor>& other) const {
  const auto& own = outputs_[picture];
  double error = 0;
  int counted = 0;
  std::vector<float> room, other_room;
  for (size_t o = 0; o < own.size(); ++o) {
    const Variation& v = variations_[o];
    if (other[o].shape() != own[o].shape() || other[o].dtype() != own[o].dtype()) return kInfinite;
    if (own[o].empty() || v.spread.empty()) continue;
    std::vector<double> sums(v.channels, 0);
    if (v.discrete) {
      sums[0] = Differing(own[o], other[o]);
    } else {
      const auto a = AsFloats(own[o].view(), room), b = AsFloats(other[o].view(), other_room);
      if (a.empty()) continue;
      const size_t run = v.channels == 1 ? a.size() : v.stride;  // elements of one channel on end
      for (size_t i = 0, channel = 0; i < a.size(); channel = (channel + 1) % v.channels) {
        for (const size_t end = i + run; i < end; ++i) sums[channel] += SquaredDistance(a[i], b[i]);
      }
    }
    double sum = 0;
    for (size_t c = 0; c < v.channels; ++c) sum += sums[c] / v.spread[c];
    error += sum / static_cast<double>(v.channels);
    ++counted;
  }
  error /= std::max(1, counted);
  return std::isfinite(error) ? error : kInfinite;
}

double Reference::Agreement(size_t picture, const std::vector<Tensor>& other) const {
  if (top1_[picture] >= 0) return Top1(other) == top1_[picture] ? 1 : 0;
  return std::clamp(1 - Error(picture, other), 0.0, 1.0);
}

double Reference::RelativeError(size_t picture, const std::vector<Tensor>& other) const {
  const auto& own = outputs_[picture];
  double error = 0, size = 0, elements = 0;
  std::vector<float> room, other_room;
  for (size_t o = 0; o < own.size(); ++o) {
    if (IsDiscrete(own[o].dtype())) continue;
    if (other[o].shape() != own[o].shape()) return 1;
    const auto a = AsFloats(own[o].view(), room), b = AsFloats(other[o].view(), other_room);
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += SquaredDistance(a[i], b[i]);
    error += sum;
    for (const float v : a) size += static_cast<double>(v) * v;
    elements += static_cast<double>(a.size());
  }
  const double relative = std::sqrt(error / std::max({size, kFloor * elements, kFloor}));
  return std::isfinite(relative) ? relative : 1;
}

}  // namespace fogline
