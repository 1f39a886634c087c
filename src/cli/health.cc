// fogline health: asks a running daemon whether it is well. For containers, whose images hold no
// other program that could ask.
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/host_port.h"
#include "cli/command.h"

namespace fogline::cli {
namespace {

constexpr timeval kPatience{3, 0};

/// The status line of GET `path`; empty when nobody answers in time.
std::string StatusLine(const HostPort& address, const std::string& path) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0)
    return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::string answer;
  for (const addrinfo* at = found; at != nullptr && answer.empty(); at = at->ai_next) {
    const Descriptor server(socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (!server) continue;
    setsockopt(server.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    setsockopt(server.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
    const std::string request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address.ToString());
    char buffer[256];
    if (connect(server.get(), at->ai_addr, at->ai_addrlen) == 0 &&
        send(server.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size())) {
      const ssize_t n = recv(server.get(), buffer, sizeof(buffer), MSG_WAITALL);
      if (n > 0) answer.assign(buffer, static_cast<size_t>(n));
    }
  }
  return answer.substr(0, answer.find('\r'));
}

Status Ask(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const size_t slash = url.find('/', kScheme.size());
  const auto address =
      ParseHostPort(url.substr(std::min(url.size(), kScheme.size()), slash - kScheme.size()));
  if (!url.starts_with(kScheme) || !address) {
    return Fail(ErrorCode::kUsage, url, "is no address to ask, e.g. http://127.0.0.1:8080/healthz");
  }
  const std::string path = slash == url.npos ? "/healthz" : url.substr(slash);
  const std::string line = StatusLine(*address, path);
  if (line.starts_with("HTTP/1.1 200")) return {};
  return Fail(ErrorCode::kUnavailable, url, "{}", line.empty() ? "does not answer" : line);
}

}  // namespace

void AddHealth(CommandLine& line) {
  struct Args {
    Common common;
    std::string url = "http://127.0.0.1:8080/healthz";
  };
  auto args = std::make_shared<Args>();
  Command command = line.Add("health", "Asks a running daemon whether it is well");
  AddCommon(command, args->common);
  command.Add("url", args->url, "what to ask").ShowDefault();
  command.Example("fogline health http://127.0.0.1:8080/readyz",
                  "whether a cloud or map would do its work now");
  SetAction(command, std::shared_ptr<Common>(args, &args->common),
            [args] { return Ask(args->url); });
}

}  // namespace fogline::cli
