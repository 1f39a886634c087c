#include "link/broker.h"
#include "base/file.h"
#include "base/paths.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace fogline {
namespace {

using namespace std::chrono_literals;

bool Answers(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool answers =
      fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) close(fd);
  return answers;
}

/// Debian keeps mosquitto in /usr/sbin, which is not on every user's PATH.
std::string Program() {
  return Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
}

Result<Process> StartProcess(const std::filesystem::path& dir, int port) {
  FOGLINE_TRY(Process process,
              Process::Start({.command = {Program(), "-c", (dir / "mosquitto.conf").string()},
                              .capture_stdout = false,
                              .stderr_to = dir / "mosquitto.log"}));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!Answers(port)) {
    if (!process.Running() || std::chrono::steady_clock::now() > deadline) {
      const auto log = ReadTextFile(dir / "mosquitto.log");
      return Fail(ErrorCode::kUnavailable, "mosquitto", "does not start: {}",
                  log ? *log : "no log");
    }
    std::this_thread::sleep_for(5ms);
  }
  return process;
}

}  // namespace

Result<std::unique_ptr<LocalBroker>> LocalBroker::Start(int port, const std::string& extra) {
  if (port == 0) port = FreePort();
  auto broker = std::unique_ptr<LocalBroker>(new LocalBroker(Process::None(), port));
  // The defaults drop messages silently once 1,000 wait for a slow subscriber; here bytes are the
  // limit, not counts.
  const std::string config = fmt::format(
      "listener {} 127.0.0.1\n"
      "allow_anonymous true\n"
      "set_tcp_nodelay true\n"
      "max_queued_messages 0\n"
      "max_queued_bytes 268435456\n"
      "max_inflight_messages 0\n"
      "persistence false\n"
      "log_type error\nlog_type warning\nlog_dest stderr\n"
      "{}{}",
      port, geteuid() == 0 ? "user root\n" : "", extra);
  FOGLINE_CHECK(WriteFile(broker->dir_.path() / "mosquitto.conf", config));
  FOGLINE_TRY(broker->process_, StartProcess(broker->dir_.path(), port));
  return broker;
}

std::string LocalBroker::url() const { return fmt::format("mqtt://127.0.0.1:{}", port_); }

Status LocalBroker::Restart() {
  process_.Signal(SIGKILL);
  process_.Wait();
  FOGLINE_TRY(process_, StartProcess(dir_.path(), port_));
  return {};
}

}  // namespace fogline
