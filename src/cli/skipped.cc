#include "cli/skipped.h"

namespace fogline::cli {

Json SkippedToJson(const std::vector<Skipped>& skipped) {
  Json list = Json::array();
  for (const Skipped& s : skipped) {
    list.push_back({{"file", s.file.string()}, {"reason", s.reason}});
  }
  return list;
}

}  // namespace fogline::cli
