// The tensors that cross at one cut, for each picture.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "codec/calibration.h"
#include "codec/segment.h"
#include "graph/cut.h"

namespace fogline {

/// Made once where they fit into memory: from those of an earlier cut by the layers between, else
/// from the picture. Not thread-safe but for Of().
class Activations {
 public:
  /// `earlier` may be null. It is started from if it holds every picture and its layers are among
  /// this cut's, and if that gives the very bits that the whole way from the picture gives.
  static Result<Activations> Make(Calibration& all, const Cut& cut, const Activations* earlier);

  const Cut& cut() const { return *cut_; }
  /// True when those of every picture are kept.
  bool whole() const { return whole_; }

  /// Calls `work` for parts of `pictures` in turn; meanwhile Of() of those costs nothing.
  Status InParts(std::span<const size_t> pictures,
                 const std::function<Status(std::span<const size_t> part)>& work);

  /// Keeps those of some pictures, as many as fit, instead of what was kept.
  Status Keep(std::span<const size_t> pictures);

  /// The cut's tensors for a picture, in the order of Cut::tensors: kept ones, or made for you.
  Result<std::vector<Tensor>> Of(size_t picture) const;

 private:
  Activations(Calibration& all, const Cut& cut) : all_(&all), cut_(&cut) {}
  size_t most() const;
  Status Keep(std::span<const size_t> pictures,
              const std::function<Result<std::vector<Tensor>>(size_t picture)>& make);
  Result<std::vector<Tensor>> FromPicture(size_t picture) const;

  Calibration* all_;
  const Cut* cut_;
  std::optional<Segment> before_;
  std::vector<std::vector<Tensor>> kept_;  // by picture; empty where not kept
  bool whole_ = false;
};

}  // namespace fogline
