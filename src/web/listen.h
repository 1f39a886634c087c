// Which addresses a name stands for, to serve at.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "base/host_port.h"
#include "base/result.h"

namespace fogline {

/// All addresses of a host: one for a number, perhaps several for a name ("localhost" is 127.0.0.1
/// and ::1). kNotFound for a name that stands for none.
Result<std::vector<boost::asio::ip::tcp::endpoint>> AddressesOf(const HostPort& where);

/// Whether nobody but this machine reaches any of them.
bool IsLoopback(const std::vector<boost::asio::ip::tcp::endpoint>& addresses);

}  // namespace fogline
