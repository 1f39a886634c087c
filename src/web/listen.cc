#include "web/listen.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>

namespace fogline {

namespace net = boost::asio;
using net::ip::tcp;

Result<std::vector<tcp::endpoint>> AddressesOf(const HostPort& where) {
  boost::system::error_code error;
  const auto number = net::ip::make_address(where.host, error);
  if (!error) return std::vector<tcp::endpoint>{{number, where.port}};
  net::io_context io;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(where.host, std::to_string(where.port),
                                      tcp::resolver::numeric_service, error);
  std::vector<tcp::endpoint> addresses;
  for (const auto& entry : found) {
    if (std::ranges::find(addresses, entry.endpoint()) == addresses.end()) {
      addresses.push_back(entry.endpoint());
    }
  }
  if (error || addresses.empty()) {
    return Fail(ErrorCode::kNotFound, where.host, "is no address and no name of one: {}",
                error ? error.message() : "it stands for nothing");
  }
  return addresses;
}

bool IsLoopback(const std::vector<tcp::endpoint>& addresses) {
  return std::ranges::all_of(addresses,
                             [](const tcp::endpoint& at) { return at.address().is_loopback(); });
}

}  // namespace fogline
