// The engine on the prefixes of one network.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "engine/session.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

/// Opens what stands before a cut, once for all routes that pass there: what they do with its
/// tensors is their own. Thread-safe.
class Prefixes {
 public:
  /// Up to `cut`, with so many threads of the engine. Open as long as somebody holds it.
  Result<std::shared_ptr<Session>> Open(const Network& network, const Cut& cut, int threads);

  /// How many are open.
  size_t count() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<uint64_t, int>, std::weak_ptr<Session>> open_;  // by Cut::id and threads
};

}  // namespace fogline
