#include "base/host_port.h"

#include <charconv>

namespace fogline {

std::string Bracketed(std::string_view host) {
  const bool v6 = host.find(':') != host.npos && !host.starts_with('[');
  return v6 ? fmt::format("[{}]", host) : std::string(host);
}

std::string HostPort::ToString() const { return fmt::format("{}:{}", Bracketed(host), port); }

Result<HostPort> ParseHostPort(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Fail(ErrorCode::kUsage, std::string(text), "{}", why);
  };
  constexpr std::string_view kForm = "is no HOST:PORT, e.g. 127.0.0.1:8080 or [::1]:8080";
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return bad(kForm);
  std::string_view host = text.substr(0, colon);
  HostPort parsed;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, parsed.port);
  if (error == std::errc::result_out_of_range) return bad("has a port beyond 65535");
  if (error != std::errc() || stop != end) return bad(kForm);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == host.npos) return bad(kForm);
  } else if (host.find(':') != host.npos) {
    return bad("an IPv6 address needs brackets, e.g. [::1]:8080");
  }
  if (host.empty() || host.find_first_of("[]/@ ") != host.npos) return bad(kForm);
  parsed.host = host;
  return parsed;
}

}  // namespace fogline
