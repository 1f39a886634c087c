#include "codec/allot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fogline {
namespace {

constexpr size_t kGrid = 181;  // ratios that are looked at: a twentieth of a factor apart
constexpr double kLeastDamage = 1e-12;
constexpr int kHalvings = 60;

double RatioAt(size_t i) {
  const double share = static_cast<double>(i) / (kGrid - 1);
  return kLeastRatio * std::pow(kMostRatio / kLeastRatio, share);
}

/// A tensor's measured curve, continued to every ratio of the grid.
struct Continued {
  std::vector<double> bytes, damage;
};

Continued Continue(const TensorCurve& curve) {
  std::vector<double> at, bytes, damage;
  for (const TensorCurve::Point& point : curve.points) {
    at.push_back(std::log(point.ratio));
    const double fewer = bytes.empty() ? point.bytes : std::min(point.bytes, bytes.back());
    const double more = std::log(std::max(point.damage, kLeastDamage));
    bytes.push_back(fewer);
    damage.push_back(damage.empty() ? more : std::max(more, damage.back()));
  }
  Continued continued;
  for (size_t i = 0; i < kGrid; ++i) {
    const double x = std::log(RatioAt(i));
    size_t right = 1;
    while (right + 1 < at.size() && at[right] < x) ++right;
    const double share = (x - at[right - 1]) / (at[right] - at[right - 1]);
    const auto line = [&](const std::vector<double>& y) {
      return y[right - 1] + share * (y[right] - y[right - 1]);
    };
    continued.bytes.push_back(std::max(0.0, line(bytes)));
    continued.damage.push_back(std::exp(std::min(line(damage), 10.0)));
  }
  return continued;
}

/// Where bytes + price · damage is least; the finest of several.
size_t Cheapest(const Continued& tensor, double price) {
  size_t best = 0;
  double least = tensor.bytes[0] + price * tensor.damage[0];
  for (size_t i = 1; i < kGrid; ++i) {
    const double cost = tensor.bytes[i] + price * tensor.damage[i];
    if (cost < least) least = cost, best = i;
  }
  return best;
}

}  // namespace

std::vector<double> AllotSteps(std::span<const TensorCurve> tensors, double damage) {
  std::vector<Continued> continued;
  for (const TensorCurve& tensor : tensors) continued.push_back(Continue(tensor));
  const auto done = [&](double price) {
    double sum = 0;
    for (const Continued& tensor : continued) sum += tensor.damage[Cheapest(tensor, price)];
    return sum;
  };
  // The dearer damage is, the less is done.
  double low = std::log(1e-12), high = std::log(1e18);
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (done(std::exp(middle)) > damage ? low : high) = middle;
  }
  std::vector<double> ratios;
  for (const Continued& tensor : continued) {
    ratios.push_back(RatioAt(Cheapest(tensor, std::exp(high))));
  }
  return ratios;
}

}  // namespace fogline
