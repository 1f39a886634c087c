// Scheme, host and port: whom a page may ask, or who may show it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

bool IsWebAddress(std::string_view text);

/// "https://host:8080" of an address that begins so. It goes into the page's security policy, so it
/// is nothing but that. kUsage, naming the flag, for an address without a host that a browser could
/// ask.
Result<std::string> OriginOf(const std::string& flag, const std::string& address);

}  // namespace fogline
