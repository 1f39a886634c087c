// How many event streams one core carries: web_streams_bench [STREAMS=2000] [SECONDS=10]
// [EVENTS_PER_SECOND=10]
//
// A child process, bound to one core, serves a store in memory and stores detections at a steady
// rate; the parent opens the streams over loopback and counts what arrives. Prints one JSON line:
// the events that every stream got, the server's processor time and memory, and the delay from Put
// to the last stream's read, measured inside one host by one clock.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/stats.h"
#include "store/store.h"
#include "web/web_server.h"

namespace fogline {
namespace {

struct Load {
  size_t streams = 2000;
  int seconds = 10;
  int events_per_second = 10;
};

int64_t NowMicros() { return Clock::Real().WallMicros(); }

/// The child: serves, waits for a byte on `begin`, stores, waits for another, ends.
int Serve(const Load& load, int port_out, int begin) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof(one), &one);
  auto store = OpenStore("sqlite::memory:").value();
  WebOptions options;
  options.max_streams = load.streams + 10;
  options.max_connections = load.streams + 20;
  auto server = WebServer::Start(options, *store).value();
  const uint16_t port = server->port();
  if (write(port_out, &port, sizeof(port)) != sizeof(port)) return 1;
  char go = 0;
  if (read(begin, &go, 1) != 1) return 1;
  const auto step = std::chrono::microseconds(1'000'000 / load.events_per_second);
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < load.seconds * load.events_per_second; ++i) {
    std::this_thread::sleep_until(next += step);
    Detection d;
    d.device = "bench";
    d.sequence = static_cast<uint64_t>(i);
    d.has_position = true;
    d.mechanism = "split";
    d.label = "litter";
    d.model = std::string(64, 'a');
    d.stages.prefix = d.stages.network = d.stages.suffix = 10;
    d.captured_us = NowMicros();
    if (!store->Put(std::span(&d, 1))) return 1;
    server->Notify();
  }
  return read(begin, &go, 1) == 1 ? 0 : 1;
}

double Megabytes(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::atof(line.c_str() + name.size() + 1) / 1024;
  }
  return 0;
}

double CpuSeconds(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  text.erase(0, text.rfind(')') + 2);
  unsigned long user = 0;
  unsigned long system = 0;
  std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int Open(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) return -1;
  constexpr std::string_view kAsk = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  return send(fd, kAsk.data(), kAsk.size(), MSG_NOSIGNAL) > 0 ? fd : -1;
}

/// How many events end in a piece of a stream; `last` is the character before it.
size_t Ends(std::string_view text, char& last) {
  size_t n = 0;
  for (const char c : text) {
    n += c == '\n' && last == '\n' ? 1 : 0;
    last = c;
  }
  return n;
}

int Main(const Load& load) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < load.streams + 100) return std::fputs("too few descriptors\n", stderr), 1;
  int port_pipe[2];
  int begin_pipe[2];
  if (pipe(port_pipe) != 0 || pipe(begin_pipe) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) _exit(Serve(load, port_pipe[1], begin_pipe[0]));
  uint16_t port = 0;
  if (read(port_pipe[0], &port, sizeof(port)) != sizeof(port)) return 1;

  const double before_mb = Megabytes(child, "VmRSS");
  const int poll = epoll_create1(0);
  std::vector<size_t> got(load.streams, 0);
  std::vector<char> last(load.streams, '\0');
  for (size_t i = 0; i < load.streams; ++i) {
    const int fd = Open(port);
    if (fd < 0) return std::fprintf(stderr, "stream %zu did not open\n", i), 1;
    epoll_event event{.events = EPOLLIN,
                      .data = {.u64 = (uint64_t{i} << 32) | static_cast<uint32_t>(fd)}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
  const auto wanted = static_cast<size_t>(load.seconds) * load.events_per_second;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(load.seconds + 30);
  size_t complete = 0;
  size_t hellos = 0;
  bool begun = false;
  double cpu = 0;
  std::vector<double> delays_ms;
  std::vector<epoll_event> events(1024);
  std::string buffer(1 << 16, '\0');
  while (complete < load.streams && std::chrono::steady_clock::now() < deadline) {
    const int n = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < n; ++i) {
      const auto stream = static_cast<size_t>(events[i].data.u64 >> 32);
      const int fd = static_cast<int>(events[i].data.u64 & 0xffffffff);
      const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) return std::fprintf(stderr, "stream %zu was cut off\n", stream), 1;
      const std::string_view text(buffer.data(), static_cast<size_t>(size));
      const size_t before = got[stream];
      got[stream] += Ends(text, last[stream]);
      if (before < 2 && got[stream] >= 2) ++hellos;  // the answer's head and the hello
      if (!begun && hellos == load.streams) {
        begun = true;
        cpu = CpuSeconds(child);
        if (write(begin_pipe[1], "x", 1) != 1) return 1;
      }
      if (const size_t at = text.find("\"captured\":"); at != text.npos) {
        delays_ms.push_back(static_cast<double>(NowMicros()) / 1000 -
                            std::atof(text.data() + at + 11));
      }
      if (before < wanted + 2 && got[stream] >= wanted + 2) ++complete;
    }
  }
  const double spent = CpuSeconds(child) - cpu;
  const double after_mb = Megabytes(child, "VmRSS");
  const double peak_mb = Megabytes(child, "VmHWM");
  (void)!write(begin_pipe[1], "x", 1);
  int status = 0;
  waitpid(child, &status, 0);
  std::printf(
      "{\"streams\":%zu,\"events_per_second\":%d,\"seconds\":%d,\"streams_complete\":%zu,"
      "\"server_cpu_share\":%.3f,\"server_rss_mb\":{\"before\":%.1f,\"after\":%.1f,\"peak\":%.1f},"
      "\"delay_ms\":{\"p50\":%.1f,\"p99\":%.1f}}\n",
      load.streams, load.events_per_second, load.seconds, complete, spent / load.seconds, before_mb,
      after_mb, peak_mb, Quantile(delays_ms, 0.5), Quantile(delays_ms, 0.99));
  return complete == load.streams && status == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::Load load;
  if (argc > 1) load.streams = std::strtoul(argv[1], nullptr, 10);
  if (argc > 2) load.seconds = std::atoi(argv[2]);
  if (argc > 3) load.events_per_second = std::atoi(argv[3]);
  return fogline::Main(load);
}
