// "host:port", where the host may be an IPv6 address in brackets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

struct HostPort {
  std::string host;  // a name or an address, without brackets
  uint16_t port = 0;

  /// "127.0.0.1:80", "[::1]:80".
  std::string ToString() const;
};

/// An address as a URL and a Host header have it: IPv6 in brackets.
std::string Bracketed(std::string_view host);

/// kUsage, one line that shows the form, for anything but HOST:PORT with a port up to 65535. An
/// IPv6 address needs its brackets: nobody could tell its last part from a port.
Result<HostPort> ParseHostPort(std::string_view text);

}  // namespace fogline
