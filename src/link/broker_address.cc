#include <fmt/format.h>

#include <charconv>

#include "link/link.h"

namespace fogline {

std::string BrokerAddress::ToString() const {
  return fmt::format("{}://{}{}:{}", tls ? "mqtts" : "mqtt", user.empty() ? "" : user + "@", host,
                     port);
}

Result<BrokerAddress> ParseBroker(const std::string& url) {
  // The address is not repeated: a password may be in it.
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "--broker",
                "is no broker address: write mqtt://host:port or mqtts://host:port");
  };
  BrokerAddress address;
  std::string_view rest = url;
  if (rest.starts_with("mqtts://")) {
    address.tls = true;
    address.port = 8883;
    rest.remove_prefix(8);
  } else if (rest.starts_with("mqtt://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    const std::string_view login = rest.substr(0, at);
    const size_t colon = login.find(':');
    address.user = login.substr(0, colon);
    if (colon != login.npos) address.password = login.substr(colon + 1);
    rest.remove_prefix(at + 1);
  }
  // [::1]:1883 keeps its colons inside the brackets.
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  if (colon != rest.npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size()) return bad();
  }
  if (address.host.empty() || address.port < 1 || address.port > 65535) return bad();
  return address;
}

}  // namespace fogline
