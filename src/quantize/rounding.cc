#include "quantize/rounding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fogline::quantize {
namespace {

constexpr int kMost = 127, kMostPair = 128;
constexpr float kDamping = 0.01F;  // of the mean variance, so that every block can be inverted

/// Inputs whose weights meet in one 16-bit sum: neighbours among those of a place, channels
/// innermost, as kernels lay them out.
std::vector<size_t> Partners(const Linear& linear) {
  const size_t channels = linear.inputs / linear.taps;
  std::vector<size_t> at(linear.inputs), partner(linear.inputs);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t tap = 0; tap < linear.taps; ++tap) at[tap * channels + c] = c * linear.taps + tap;
  }
  for (size_t p = 0; p < at.size(); ++p) {
    partner[at[p]] = (p ^ 1) < at.size() ? at[p ^ 1] : at[p];
  }
  return partner;
}

int Nearest(float value, float scale, int low, int high) {
  return std::clamp(static_cast<int>(std::lrint(value / scale)), low, high);
}

/// The upper triangle of the Cholesky factor of the inverse of a damped block, in place: what GPTQ
/// spreads errors by. False where it cannot be inverted.
bool Factor(std::vector<double>& h, size_t n) {
  double trace = 0;
  for (size_t i = 0; i < n; ++i) trace += h[i * n + i];
  const double damping = kDamping * trace / static_cast<double>(n);
  if (!(damping > 0)) return false;
  for (size_t i = 0; i < n; ++i) h[i * n + i] += damping;
  // Of the matrix in reverse order: its lower factor, inverted, is what is wanted, reversed.
  std::vector<double> l(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = h[(n - 1 - i) * n + (n - 1 - j)];
      for (size_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 0)) return false;
      l[i * n + j] = i == j ? std::sqrt(sum) : sum / l[j * n + j];
    }
  }
  // H = Lʳ Lʳᵀ with Lʳ upper, so H⁻¹ = (Lʳ)⁻ᵀ (Lʳ)⁻¹, and U = (Lʳ)⁻¹ is upper with H⁻¹ = UᵀU.
  std::fill(h.begin(), h.end(), 0.0);
  std::vector<double> column(n);
  for (size_t j = 0; j < n; ++j) {  // of the inverse of l
    std::fill(column.begin(), column.end(), 0.0);
    column[j] = 1 / l[j * n + j];
    for (size_t i = j + 1; i < n; ++i) {
      double sum = 0;
      for (size_t k = j; k < i; ++k) sum -= l[i * n + k] * column[k];
      column[i] = sum / l[i * n + i];
    }
    for (size_t i = j; i < n; ++i) h[(n - 1 - i) * n + (n - 1 - j)] = column[i];
  }
  return true;
}

/// One layer on its way.
class Rounder {
 public:
  Rounder(const Linear& linear, const std::vector<float>& weights, Moments& moments,
          const RoundingOptions& options)
      : linear_(linear), weights_(weights), moments_(moments), options_(options) {
    if (options.pairs && !linear.depthwise()) partner_ = Partners(linear);
    integers_.values.resize(weights.size());
    integers_.scales.resize(linear.outputs);
    integers_.shift.resize(linear.outputs);
  }

  IntegerWeights Round(const std::vector<float>& least) {
    for (size_t o = 0; o < linear_.outputs; ++o) {
      const float scale = ScaleOf(o);
      integers_.scales[o] = std::max(scale, least[o]);
      Plainly(o);
    }
    if (options_.learned) {
      for (size_t g = 0; g < linear_.groups; ++g) {
        for (size_t b = 0; b < moments_.blocks(); ++b) Learn(g, b);
      }
    }
    for (size_t o = 0; options_.shift && o < linear_.outputs; ++o) {
      const float* mean = moments_.mean.data() + GroupOf(o) * linear_.inputs;
      for (size_t i = 0; i < linear_.inputs; ++i) {
        integers_.shift[o] += mean[i] * (WeightsOf(o)[i] - integers_.scales[o] * IntegersOf(o)[i]);
      }
    }
    return std::move(integers_);
  }

 private:
  size_t GroupOf(size_t o) const { return o / (linear_.outputs / linear_.groups); }
  const float* WeightsOf(size_t o) const { return weights_.data() + o * linear_.inputs; }
  int8_t* IntegersOf(size_t o) { return integers_.values.data() + o * linear_.inputs; }

  float VarianceOf(size_t group, size_t i) const {
    const size_t b = i / moments_.block, at = i % moments_.block;
    return moments_.BlockOf(group, b)[at * moments_.block + at];
  }

  /// Its partner's integer, where that is known, bounds a weight's.
  int Bounded(const int8_t* integers, size_t i, float weight, float scale) const {
    int low = -kMost, high = kMost;
    if (!partner_.empty() && partner_[i] != i) {
      low = std::max(low, -kMostPair - integers[partner_[i]]);
      high = std::min(high, kMostPair - integers[partner_[i]]);
    }
    return Nearest(weight, scale, low, high);
  }

  /// Both of a pair that would be too much give up half of it.
  void Plainly(size_t o) {
    int8_t* integers = IntegersOf(o);
    const float scale = integers_.scales[o];
    for (size_t i = 0; i < linear_.inputs; ++i) {
      integers[i] = static_cast<int8_t>(Nearest(WeightsOf(o)[i], scale, -kMost, kMost));
    }
    for (size_t i = 0; i < partner_.size(); ++i) {
      const int sum = integers[i] + integers[partner_[i]];
      if (partner_[i] <= i || std::abs(sum) <= kMostPair) continue;
      const int over = std::abs(sum) - kMostPair, half = over / 2, sign = sum > 0 ? 1 : -1;
      integers[i] = static_cast<int8_t>(integers[i] - sign * half);
      integers[partner_[i]] = static_cast<int8_t>(integers[partner_[i]] - sign * (over - half));
    }
  }

  float ScaleOf(size_t o) {
    float largest = 0;
    for (size_t i = 0; i < linear_.inputs; ++i) {
      largest = std::max(largest, std::abs(WeightsOf(o)[i]));
    }
    if (largest == 0) return 1;  // a channel of nothing
    const float plain = largest / kMost;
    if (!options_.scales) return partner_.empty() ? plain : 2 * plain;
    float best = plain;
    double least = -1;
    for (int part = 14; part <= (partner_.empty() ? 20 : 42); ++part) {
      integers_.scales[o] = plain * static_cast<float>(part) / 20;
      Plainly(o);
      double error = 0;
      for (size_t i = 0; i < linear_.inputs; ++i) {
        const float off = WeightsOf(o)[i] - integers_.scales[o] * IntegersOf(o)[i];
        error += off * off * (VarianceOf(GroupOf(o), i) + 1e-8F);
      }
      if (least >= 0 && error >= least) continue;
      least = error;
      best = integers_.scales[o];
    }
    return best;
  }

  /// Those whose inputs vary most come first: their errors find most others to make up for them.
  void Learn(size_t g, size_t b) {
    const size_t first = b * moments_.block, n = std::min(moments_.block, linear_.inputs - first);
    const float* block = moments_.BlockOf(g, b);
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t c) {
      return block[a * moments_.block + a] > block[c * moments_.block + c];
    });
    std::vector<double> h(n * n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) h[i * n + j] = block[order[i] * moments_.block + order[j]];
    }
    if (n < 2 || !Factor(h, n)) return;
    const std::vector<float> u(h.begin(), h.end());
    const size_t outputs = linear_.outputs / linear_.groups;
    std::vector<float> left(n);
    for (size_t o = g * outputs; o < (g + 1) * outputs; ++o) {
      for (size_t i = 0; i < n; ++i) left[i] = WeightsOf(o)[first + order[i]];
      for (size_t i = 0; i < n; ++i) {
        const size_t at = first + order[i];
        const float scale = integers_.scales[o];
        IntegersOf(o)[at] = static_cast<int8_t>(Bounded(IntegersOf(o), at, left[i], scale));
        const float error = (left[i] - scale * IntegersOf(o)[at]) / u[i * n + i];
        for (size_t k = i + 1; k < n; ++k) left[k] -= error * u[i * n + k];
      }
    }
  }

  const Linear& linear_;
  const std::vector<float>& weights_;
  Moments& moments_;
  const RoundingOptions& options_;
  std::vector<size_t> partner_;
  IntegerWeights integers_;
};

}  // namespace

IntegerWeights RoundWeights(const Linear& linear, const std::vector<float>& weights,
                            const std::vector<float>& least, Moments& moments,
                            const RoundingOptions& options) {
  return Rounder(linear, weights, moments, options).Round(least);
}

}  // namespace fogline::quantize
