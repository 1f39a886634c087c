// How coarsely each tensor of a cut is quantised, so that all of them together do a certain damage
// in as few bytes as there can be.
#pragma once

#include <span>
#include <vector>

namespace fogline {

/// What was measured of one tensor while the others were left as they are.
struct TensorCurve {
  struct Point {
    double ratio = 1;  // of the step to the tensor's unit
    double bytes = 0;
    double damage = 0;  // Reference::Error: a squared distance, so that damages add up
  };
  std::vector<Point> points;  // at least two, by rising ratio
};

/// The ratio for each tensor, from kLeastRatio to kMostRatio. Between and beyond what was measured,
/// bytes are a straight line over log(ratio), and log(damage) is one; noise is smoothed to falling
/// bytes and rising damage. Of all ways to do at most `damage` together, by Lagrange: each tensor
/// stands where a byte more would save the same damage as in every other. The least ratios where
/// even they do more.
std::vector<double> AllotSteps(std::span<const TensorCurve> tensors, double damage);

constexpr double kLeastRatio = 1e-3, kMostRatio = 8;

}  // namespace fogline
