#include <fmt/format.h>

#include "base/url.h"
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
  const auto parsed = Url::Parse(url);
  if (!parsed || (parsed->scheme != "mqtt" && parsed->scheme != "mqtts") ||
      (!parsed->path.empty() && parsed->path != "/")) {
    return bad();
  }
  BrokerAddress address;
  address.tls = parsed->scheme == "mqtts";
  address.host = parsed->host;
  address.port = parsed->port.value_or(address.tls ? 8883 : 1883);
  address.user = parsed->user;
  address.password = parsed->password.value_or("");
  return address;
}

}  // namespace fogline
