#include "servers/serve.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "base/file.h"

namespace fogline {

using namespace std::chrono_literals;

Descriptor ConnectHere(int port) {
  Descriptor connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!connection ||
      connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return Descriptor();
  }
  return connection;
}

Result<Process> StartServer(const std::vector<std::string>& command,
                            const std::filesystem::path& said, const std::filesystem::path& log,
                            const std::function<bool()>& answers) {
  FOGLINE_TRY(Process process,
              Process::Start({.command = command, .capture_stdout = false, .stderr_to = said}));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!answers()) {
    if (!process.Running() || std::chrono::steady_clock::now() > deadline) {
      return Fail(ErrorCode::kUnavailable,
                  std::filesystem::path(command.front()).filename().string(), "does not start: {}",
                  ReadTextFile(log).value_or("no log"));
    }
    std::this_thread::sleep_for(5ms);
  }
  return process;
}

}  // namespace fogline
