#include "base/url.h"

#include <charconv>

namespace fogline {

std::optional<Url> Url::Parse(std::string_view text) {
  constexpr std::string_view kMark = "://";
  const size_t mark = text.find(kMark);
  if (mark == text.npos || mark == 0) return std::nullopt;
  Url url;
  url.scheme = text.substr(0, mark);
  text.remove_prefix(mark + kMark.size());
  if (const size_t at = text.rfind('@'); at != text.npos) {
    const std::string_view login = text.substr(0, at);
    const size_t colon = login.find(':');
    url.user = login.substr(0, colon);
    if (colon != login.npos) url.password = login.substr(colon + 1);
    text.remove_prefix(at + 1);
  }
  if (const size_t slash = text.find('/'); slash != text.npos) {
    url.path = text.substr(slash);
    text = text.substr(0, slash);
  }
  const size_t bracket = text.rfind(']');  // [::1]:1883 keeps its colons inside
  const size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  url.host = host;
  if (url.host.empty()) return std::nullopt;
  if (colon != text.npos) {
    const std::string_view digits = text.substr(colon + 1);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, url.port.emplace());
    if (error != std::errc() || stop != end || *url.port == 0) return std::nullopt;
  }
  return url;
}

}  // namespace fogline
