#include "cloud/share_group.h"

#include "base/file.h"
#include "base/hash.h"

namespace fogline {

Result<std::string> ShareGroup(const LinkOptions& link) {
  if (link.key_file.empty()) return "cloud";
  FOGLINE_TRY(const std::string key, ReadTextFile(link.key_file));
  const std::string text = "fogline share group\n" + key;
  const std::string hash = ToHex(HashSha256(std::as_bytes(std::span(text))));
  return fmt::format("cloud-{:.32}", hash);
}

}  // namespace fogline
