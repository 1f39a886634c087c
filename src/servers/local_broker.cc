#include "servers/local_broker.h"
#include "base/file.h"
#include "base/paths.h"
#include "servers/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

namespace fogline {
namespace {

/// Debian keeps mosquitto in /usr/sbin, which is not on every user's PATH.
std::string Program() {
  return Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
}

Result<Process> StartProcess(const std::filesystem::path& dir, int port) {
  const auto log = dir / "mosquitto.log";
  return StartServer({Program(), "-c", (dir / "mosquitto.conf").string()}, log, log,
                     [port] { return bool{ConnectHere(port)}; });
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
