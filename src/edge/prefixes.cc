#include "edge/prefixes.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/log.h"
#include "graph/slice.h"

namespace fogline {

Result<std::shared_ptr<Session>> Prefixes::Open(const Network& network, const Cut& cut,
                                                int threads) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Session>& known = open_[{cut.id, threads}];
  if (auto session = known.lock()) return session;
  FOGLINE_TRY(const std::string prefix, SlicePrefix(network.model, cut));
  LogInfo("{}: runs up to {} unproven; 'fogline split' proves the halves of a cut",
          network.path.string(), cut.name);
  FOGLINE_TRY(
      std::shared_ptr<Session> session,
      OpenSession(std::as_bytes(std::span(prefix)), network.path.string() + " up to " + cut.name,
                  {.threads = threads, .optimize = true, .free_dimensions = {}}));
  known = session;
  return session;
}

size_t Prefixes::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::ranges::count_if(open_, [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace fogline
