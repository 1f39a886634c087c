// The weights that networks cut from one model have in common, once in memory.
#pragma once

#include <cstddef>
#include <memory>

namespace fogline {

/// What sessions of one model put their weights into, each under its content: sessions that are
/// opened with one (SessionOptions::shared) and hold equal weights hold them once. Weights go with
/// the last session that has them. Thread-safe.
class SharedWeights {
 public:
  virtual ~SharedWeights() = default;

  static std::shared_ptr<SharedWeights> Make();

  /// What is held now.
  virtual size_t bytes() const = 0;
};

}  // namespace fogline
