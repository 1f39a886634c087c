#include "quantize/ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "quantize/watch.h"

namespace fogline::quantize {
namespace {

constexpr double kTail = 1e-4;

/// What is made of a value, and how fast that changes with it.
struct Outcome {
  double value = 0, slope = 1;
};

Outcome OutcomeOf(double x, Behind behind) {
  if (behind == Behind::kItself) return {x, 1};
  const double sigmoid = 1 / (1 + std::exp(-x)), slope = sigmoid * (1 - sigmoid);
  if (behind == Behind::kSigmoid) return {sigmoid, slope};
  return {x * sigmoid, sigmoid + x * slope};
}

/// Square error of what is made of the counted values, cut by `bounds`: of rounding within the
/// range, of clipping beyond it.
double ErrorOf(const Histogram& seen, std::span<const Outcome> made, float low, float high,
               const Bounds& bounds) {
  const double step = (static_cast<double>(high) - low) / 255, rounding = step * step / 12;
  const double least = OutcomeOf(low, bounds.behind).value,
               most = OutcomeOf(high, bounds.behind).value;
  double sum = 0;
  for (size_t b = 0; b < seen.bins.size(); ++b) {
    if (seen.bins[b] == 0) continue;
    const float value = std::clamp(seen.Middle(b), bounds.low, bounds.high);
    const double over = value > high ? made[b].value - most : made[b].value - least;
    const bool within = value >= low && value <= high;
    sum += seen.bins[b] * (within ? rounding * made[b].slope * made[b].slope : over * over);
  }
  return sum;
}

std::pair<float, float> Percentiles(const Histogram& seen) {
  const double least = kTail * seen.total;
  double sum = 0;
  size_t first = 0, last = Histogram::kBins - 1;
  while (first < last && (sum += seen.bins[first]) < least) ++first;
  sum = 0;
  while (last > first && (sum += seen.bins[last]) < least) --last;
  const float width = (seen.high - seen.low) / Histogram::kBins;
  return {seen.low + static_cast<float>(first) * width,
          seen.low + static_cast<float>(last + 1) * width};
}

std::pair<float, float> LeastSquares(const Histogram& seen, const Bounds& bounds) {
  const float low = std::max(seen.low, bounds.low), high = std::min(seen.high, bounds.high);
  std::vector<Outcome> made(seen.bins.size());
  for (size_t b = 0; b < made.size(); ++b) {
    made[b] = OutcomeOf(std::clamp(seen.Middle(b), bounds.low, bounds.high), bounds.behind);
  }
  double best = std::numeric_limits<double>::infinity();
  std::pair<float, float> range{low, high};
  const int least = bounds.behind == Behind::kItself ? 10 : 0;
  for (int a = 40; a >= (low < 0 ? least : 40); --a) {
    for (int b = 40; b >= least; --b) {
      const float from = low * static_cast<float>(a) / 40, to = high * static_cast<float>(b) / 40;
      if (!(from < to)) continue;
      const double error = ErrorOf(seen, made, from, to, bounds);
      if (error < best) {
        best = error;
        range = {from, to};
      }
    }
  }
  return range;
}

/// Divergence of the histogram from itself in 256 steps, clipped at a share of its range.
double Divergence(const Histogram& seen, float share) {
  const auto bins = static_cast<double>(Histogram::kBins);
  const double zero = -seen.low / (seen.high - seen.low) * bins;
  const auto from = static_cast<size_t>(std::max(0.0, zero - zero * share));
  const auto to = static_cast<size_t>(std::min(bins, zero + (bins - zero) * share));
  if (to <= from + 8) return std::numeric_limits<double>::infinity();
  std::vector<double> p(to - from);
  for (size_t b = 0; b < seen.bins.size(); ++b) {
    p[std::clamp(b, from, to - 1) - from] += seen.bins[b];
  }
  double divergence = 0;
  const double each = static_cast<double>(p.size()) / 256;
  for (size_t step = 0; step < 256; ++step) {
    const auto first = static_cast<size_t>(each * static_cast<double>(step));
    const auto last =
        std::max(first + 1, static_cast<size_t>(each * static_cast<double>(step + 1)));
    double sum = 0, filled = 0;
    for (size_t b = first; b < std::min(last, p.size()); ++b) {
      const double real = seen.bins[from + b];
      sum += real;
      filled += real > 0 ? 1 : 0;
    }
    for (size_t b = first; b < std::min(last, p.size()); ++b) {
      const double q = seen.bins[from + b] > 0 ? sum / filled : 0;
      if (p[b] > 0) divergence += p[b] * std::log(p[b] / std::max(q, 1e-3));
    }
  }
  return divergence / std::max(1.0, seen.total);
}

std::pair<float, float> LeastEntropy(const Histogram& seen) {
  double best = std::numeric_limits<double>::infinity();
  std::pair<float, float> range{seen.low, seen.high};
  for (int part = 40; part >= 10; --part) {
    const float share = static_cast<float>(part) / 40;
    const double divergence = Divergence(seen, share);
    if (divergence >= best) continue;
    best = divergence;
    range = {seen.low * share, seen.high * share};
  }
  return range;
}

}  // namespace

Affine8 AffineOf(float low, float high) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const float scale = (high - low) / 255;
  if (!(scale > std::numeric_limits<float>::min())) return {};
  return {scale, static_cast<uint8_t>(std::clamp(std::round(-low / scale), 0.0F, 255.0F))};
}

void Histogram::Add(std::span<const float> values) {
  if (bins.empty()) bins.resize(kBins);
  const float per = high > low ? static_cast<float>(kBins) / (high - low) : 0;
  for (const float value : values) {
    if (value == 0) continue;
    const auto bin = static_cast<int>((value - low) * per);
    ++bins[static_cast<size_t>(std::clamp(bin, 0, static_cast<int>(kBins) - 1))];
    total += 1;
  }
}

float Histogram::Middle(size_t bin) const {
  return low + (static_cast<float>(bin) + 0.5F) * (high - low) / kBins;
}

Affine8 ChooseRange(const Histogram& seen, const Bounds& bounds, RangeRule rule) {
  std::pair<float, float> range{seen.low, seen.high};
  if (!seen.bins.empty() && seen.high > seen.low) {
    if (rule == RangeRule::kPercentile) range = Percentiles(seen);
    if (rule == RangeRule::kSquares) range = LeastSquares(seen, bounds);
    if (rule == RangeRule::kEntropy) range = LeastEntropy(seen);
  }
  return AffineOf(std::max(range.first, bounds.low), std::min(range.second, bounds.high));
}

Beyond CountBeyond(const Histogram& seen, const Bounds& bounds, const Affine8& range) {
  Beyond counted{seen.total, 0};
  const float low = range.low() - range.scale / 2, high = range.high() + range.scale / 2;
  for (size_t b = 0; b < seen.bins.size(); ++b) {
    const float value = std::clamp(seen.Middle(b), bounds.low, bounds.high);
    // Far below zero a sigmoid or SiLU makes nothing of it.
    const bool below = value < low && bounds.behind == Behind::kItself;
    if (below || value > high) counted.beyond += seen.bins[b];
  }
  return counted;
}

Result<std::map<std::string, Histogram>> Observe(const Net& net, const Scheme& scheme,
                                                 std::span<const Tensor> inputs, int threads) {
  std::vector<std::string> names;
  for (const auto& [name, bounds] : scheme.tensors) {
    if (scheme.Root(name) == name) names.push_back(name);
  }
  std::vector<Histogram> seen(names.size());
  // Of the float values: what is infinite or none has no range.
  const auto extremes = [&](size_t, std::span<const Tensor> tensors) -> Status {
    return ParallelFor(names.size(), threads, [&](size_t t, int) -> Status {
      if (tensors[t].dtype() != DType::kF32) {
        return Fail(ErrorCode::kUnsupported, net.where(), "'{}' is no float32 tensor", names[t]);
      }
      for (const float value : tensors[t].as<float>()) {
        if (!std::isfinite(value)) {
          return Fail(ErrorCode::kInvalid, net.where(),
                      "tensor '{}' holds {} on a picture: it has no range", names[t], value);
        }
        seen[t].low = std::min(seen[t].low, value);
        seen[t].high = std::max(seen[t].high, value);
      }
      return {};
    });
  };
  FOGLINE_CHECK(Watch(net, names, inputs, threads, extremes));
  const auto count = [&](size_t, std::span<const Tensor> tensors) -> Status {
    return ParallelFor(names.size(), threads, [&](size_t t, int) -> Status {
      seen[t].Add(tensors[t].as<float>());
      return {};
    });
  };
  FOGLINE_CHECK(Watch(net, names, inputs, threads, count));
  std::map<std::string, Histogram> all;
  for (size_t t = 0; t < names.size(); ++t) all[names[t]] = std::move(seen[t]);
  return all;
}

}  // namespace fogline::quantize
