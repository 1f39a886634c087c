#include "base/url.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace fogline {
namespace {

constexpr std::string_view kMark = "://";
/// Where in a path words of a query begin; some cameras have them without '?'.
constexpr std::string_view kQuery = "?=&";

}  // namespace

std::optional<Url> Url::Parse(std::string_view text) {
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

std::string WithoutSecrets(std::string_view address) {
  const size_t mark = address.find(kMark);
  if (mark == address.npos) return std::string(address);
  const auto url = Url::Parse(address);
  if (!url) return std::string(address.substr(0, mark)) + "://…";
  const bool colons = url->host.find(':') != std::string::npos;
  std::string text = url->scheme + "://" + (colons ? "[" + url->host + "]" : url->host);
  if (url->port) text += ":" + std::to_string(*url->port);
  return text + url->path.substr(0, url->path.find_first_of(kQuery));
}

void HideSecrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* const end = argv[i] + std::strlen(argv[i]);
    char* const mark = std::search(argv[i], end, kMark.begin(), kMark.end());
    if (mark == end) continue;
    char* const login = mark + kMark.size();
    char* at = end;
    while (at != login && *at != '@') --at;
    std::fill(login, at, '*');
    char* const query = std::find_first_of(at, end, kQuery.begin(), kQuery.end());
    if (query != end) std::fill(query + 1, end, '*');
  }
}

}  // namespace fogline
