#include "base/cpu.h"

#include "base/file.h"

namespace fogline {

std::string CpuName() {
  const auto text = ReadTextFile("/proc/cpuinfo");
  if (!text) return {};
  for (const char* key : {"model name", "Model", "Hardware"}) {
    const size_t at = text->find(key);
    if (at == std::string::npos) continue;
    const size_t colon = text->find(": ", at);
    if (colon == std::string::npos) continue;
    return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
  }
  return {};
}

}  // namespace fogline
