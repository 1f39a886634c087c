#include "lab/run_log.h"

#include <algorithm>
#include <string_view>

#include "base/file.h"

namespace fogline {

std::string LastComplaint(const std::filesystem::path& log) {
  constexpr std::string_view kOurs = "fogline: ";
  std::string last = "see " + log.string();
  const std::string text = ReadTextFile(log).value_or("");
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    if (line.starts_with(kOurs)) last = line.substr(kOurs.size());
    at = end + 1;
  }
  return last;
}

}  // namespace fogline
