// Whether two halves compute what the whole model computes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "engine/session.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// How far apart two sets of outputs are.
struct Difference {
  double max_abs = 0;
  /// Largest difference of a tensor over its largest magnitude in the whole model's output, so that
  /// values near zero do not count as far apart. Infinite for different shapes or types.
  double max_rel = 0;
  bool identical = true;  // bit for bit
};

/// Adds what `got` differs from `wanted` to `difference`. A NaN equals a NaN.
void Compare(const Tensor& wanted, const Tensor& got, Difference& difference);

/// Tensors by name.
using Feeds = std::map<std::string, Tensor>;

/// Inputs that exercise a model: pseudo-random values in [-1, 1) for floating-point inputs, in
/// 0…255 for integers of 8 bits, 0 or 1 for the others, the same for the same seed.
Feeds RandomFeeds(const std::vector<Port>& inputs, uint64_t seed);

/// Where the two halves are: files, or bytes in memory when the path is empty.
struct Halves {
  std::filesystem::path edge_path, cloud_path;
  std::string edge_bytes, cloud_bytes;
};

/// How the halves differ from the whole, and whether that is more than rounding explains.
struct Proof {
  Difference difference;
  /// Largest difference of an output over what is allowed of it (see CheckSplit); up to 1 is none.
  double excess = 0;
  bool holds() const { return excess <= 1; }
};

struct SplitCheck {
  Proof exact;      // optimisation off, on every side
  Proof optimized;  // optimisation on, as the daemons run
  bool holds() const { return exact.holds() && optimized.holds(); }
};

/// Runs the whole model and the two halves one after the other (one is in memory at a time) on each
/// of `feeds`. Either half is missing at the ends of the list of cuts, where the model is whole.
///
/// An output may differ by Tolerance() of its largest value, or by eight times as much as rounding
/// moves it, but not by more than a twentieth of its scale: how far it moves when what crosses is
/// rounded once more or when the engine optimises the whole model. Labels (whole numbers of more
/// than 8 bits) are compared by the share that differs. docs/graph.md says why.
Result<SplitCheck> CheckSplit(const Model& model, const Cut& cut, const Halves& halves,
                              const std::vector<Feeds>& feeds);

/// Whether `other` computes what `session` does, both of `model`, with other kernels: on two
/// made-up inputs, by the rules for halves. Rounding is what inputs rounded once more move the
/// outputs by; `coarse` takes it for that of 16 bits.
Result<Proof> CheckSame(const Model& model, Session& session, Session& other, bool coarse);

/// The part of its largest value by which an output may differ: 1e-5; four roundings for networks
/// that compute in 16 bits; with optimisation also more for networks of 8 bits, where fusing across
/// the cut changes how often values are rounded.
double Tolerance(const Model& model, bool optimized);

}  // namespace fogline
