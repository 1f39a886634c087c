#include "web/origin.h"

#include <algorithm>

namespace fogline {

bool IsWebAddress(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

Result<std::string> OriginOf(const std::string& flag, const std::string& address) {
  const size_t host = IsWebAddress(address) ? address.find("://") + 3 : address.size();
  const std::string origin =
      address.substr(0, std::min(address.find_first_of("/?#", host), address.size()));
  const std::string_view name = std::string_view(origin).substr(host);
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._:[]").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !name.empty()) return origin;
  return Fail(ErrorCode::kUsage, fmt::format("{} {}", flag, address),
              "has no host that a browser could ask; write https://host");
}

}  // namespace fogline
