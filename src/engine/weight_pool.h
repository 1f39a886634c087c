// What is behind SharedWeights, for the files of this room.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "base/hash.h"
#include "engine/ort.h"
#include "engine/shared_weights.h"

namespace fogline {

/// One weight's bytes, aligned as kernels want them.
using WeightBytes = std::shared_ptr<const std::byte>;

class WeightPool final : public SharedWeights {
 public:
  WeightPool();
  /// The bytes as they are in the pool, put there if nobody has.
  WeightBytes Keep(std::span<const std::byte> bytes);
  size_t bytes() const override;
  /// What kernels make of shared weights for themselves, shared too.
  OrtPrepackedWeightsContainer* prepacked() { return prepacked_.get(); }

 private:
  struct Held {
    std::weak_ptr<const std::byte> bytes;
    size_t size = 0;
  };
  mutable std::mutex mutex_;
  std::map<Sha256, Held> weights_;
  struct Release {
    void operator()(OrtPrepackedWeightsContainer* gone) const {
      Ort::GetApi().ReleasePrepackedWeightsContainer(gone);
    }
  };
  std::unique_ptr<OrtPrepackedWeightsContainer, Release> prepacked_;
};

/// What a session has in a pool, which both must outlive it.
struct PooledWeights {
  std::shared_ptr<WeightPool> pool;
  std::vector<WeightBytes> weights;
  size_t bytes = 0;
};

/// A network that the engine has rewritten, opened on weights that go into `pooled`. Throws what
/// the engine throws, and std::runtime_error where it does not work out: then it is opened as any
/// other.
Ort::Session OpenPooled(std::span<const std::byte> model, const std::string& where,
                        const SessionOptions& options, Level level, PooledWeights& pooled);

}  // namespace fogline
