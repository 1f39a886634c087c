// The address of a server, as brokers and stores are named: scheme://[login@]host[:port][/path].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fogline {

struct Url {
  std::string scheme;  // without "://"
  std::string user;
  std::optional<std::string> password;
  std::string host;  // a name or an address, without brackets
  std::optional<uint16_t> port;
  std::string path;  // from its "/" on; empty without one

  /// Nothing for what has no scheme, no host, or a port that is none. Who asks says what the
  /// address should be, and does not repeat it: a password may be in it. That password may hold
  /// '@', ':' and '/'.
  static std::optional<Url> Parse(std::string_view text);
};

/// An address as logs, metrics and pages may show it: scheme, host, port and path, without a login
/// and without the words of a query ("?password=…"), where cameras take passwords too. Of what is
/// no address its scheme alone; a text without "://" is a path, and stays as it is.
std::string WithoutSecrets(std::string_view address);

/// Strikes out the logins and queries of addresses among a program's words, so that no list of
/// processes shows them.
void HideSecrets(int argc, char** argv);

}  // namespace fogline
