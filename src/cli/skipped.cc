#include "cli/skipped.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace fogline::cli {
namespace {

constexpr size_t kNamedSkipped = 10;

}  // namespace

Json SkippedToJson(const std::vector<Skipped>& skipped) {
  Json list = Json::array();
  for (const Skipped& s : skipped) {
    list.push_back({{"file", s.file.string()}, {"reason", s.reason}});
  }
  return list;
}

void LogSkipped(const std::vector<Skipped>& skipped) {
  for (size_t i = 0; i < std::min(kNamedSkipped, skipped.size()); ++i) {
    LogWarning("left out {}: {}", Printable(skipped[i].file.string()),
               Printable(skipped[i].reason));
  }
  if (skipped.size() > kNamedSkipped) {
    LogWarning("left out {} pictures in all", skipped.size());
  }
}

}  // namespace fogline::cli
