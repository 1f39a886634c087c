// A fleet on one machine: thousands of connected devices that each send one
// result a second through a real broker to real clouds and wait for "stored". As an
// edge does, each repeats what is not answered and has no more than a window of
// frames under way, while the others wait for their turn. Says what was lost
// (nothing, it is hoped), how long storing took, and what everybody needed.
//
//   fleet_bench [--devices N] [--connections N] [--rate PER_SECOND]
//               [--seconds N] [--clouds N] [--store URL|postgres]
//
// "--store postgres" is one of its own as Debian installs it, with its floors beside it.
// With fewer connections than devices, a connection speaks for many devices:
// 100,000 of them through a few workers. The generator writes MQTT 5 itself,
// one thread on epoll: 5,000 client objects with a thread each would measure
// themselves.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/stats.h"
#include "base/text.h"
#include "bench/mqtt_packets.h"
#include "bench/postgres_floor.h"
#include "edge/mechanism.h"
#include "frame/ack.h"
#include "frame/topics.h"
#include "servers/local_broker.h"
#include "servers/local_postgres.h"
#include "store/store.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// About what a cloud commits at once when it is pressed.
constexpr size_t kFloorBatch = 256;

struct Options {
  int devices = 500, connections = 0, clouds = 1;
  double rate = 1, seconds = 5;
  std::string store;
};

Nanos Now() { return Clock::Real().Steady(); }

struct Connection {
  int fd = -1;
  uint64_t run = 0;
  std::string out;            // what the socket did not take yet
  std::vector<std::byte> in;  // what is no whole packet yet
  uint16_t next_id = 1;
  bool ready = false;
};

/// What a device holds.
struct Device {
  uint64_t next_sequence = 0;
  size_t under_way = 0;
  std::deque<std::pair<uint64_t, Nanos>> waiting;  // sequences and when they were made
};

struct Flight {
  int device;
  uint64_t sequence;
  Nanos first, last;
  Nanos patience{5s};
};

class Fleet {
 public:
  Fleet(const Options& options, int port, const Mechanism& mechanism)
      : options_(options), port_(port), mechanism_(mechanism), devices_(options.devices) {}

  Status Connect() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(static_cast<size_t>(options_.connections));
    for (size_t i = 0; i < connections_.size(); ++i) {
      Connection& c = connections_[i];
      c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<uint16_t>(port_));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (c.fd < 0 || connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        return Fail(ErrorCode::kUnavailable, fmt::format("connection {}", i), "{}",
                    std::strerror(errno));
      }
      const int on = 1;
      setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      c.run = 0x1000 + i;
      epoll_event event{EPOLLIN, {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
      Send(i, MqttPackets::Connect(fmt::format("fleet-{}", i)) +
                  MqttPackets::Subscribe(fmt::format("fogline/v1/+/ack/{:016x}", c.run)));
      Poll(0);
    }
    const Nanos end = Now() + 60s;
    while (ready_ < connections_.size() && Now() < end) Poll(10);
    if (ready_ < connections_.size()) {
      return Fail(ErrorCode::kUnavailable, "broker", "{} of {} connections stand", ready_,
                  connections_.size());
    }
    return {};
  }

  void Run() {
    const auto total = static_cast<uint64_t>(options_.devices * options_.rate * options_.seconds);
    const double every_ns = 1e9 / (options_.devices * options_.rate);
    const Nanos start = Now();
    Nanos scanned = start;
    const Nanos end = start + Nanos(static_cast<int64_t>(options_.seconds * 1e9)) + 120s;
    for (uint64_t sent = 0; sent < total || (unanswered() > 0 && Now() < end);) {
      const Nanos now = Now();
      const auto due = static_cast<uint64_t>(static_cast<double>((now - start).count()) / every_ns);
      for (; sent < std::min(due, total); ++sent) {
        const int device = static_cast<int>(sent % static_cast<uint64_t>(options_.devices));
        Device& d = devices_[static_cast<size_t>(device)];
        d.waiting.emplace_back(d.next_sequence++, now);
        ++made_;
        SendNext(device, now);
      }
      most_held_ = std::max<uint64_t>(most_held_, made_ - stored_ - duplicates_);
      if (now - scanned > 1s) {
        scanned = now;
        for (auto& [key, flight] : flights_) {
          if (now - flight.last < flight.patience) continue;
          flight.last = now;
          flight.patience *= 2;
          ++repeats_;
          Publish(flight.device, flight.sequence);
        }
      }
      Poll(1);
    }
    sent_ = total;
  }

  uint64_t sent() const { return sent_; }
  uint64_t stored() const { return stored_; }
  uint64_t duplicates() const { return duplicates_; }
  uint64_t repeats() const { return repeats_; }
  uint64_t unanswered() const { return made_ - stored_ - duplicates_; }
  uint64_t most_held() const { return most_held_; }
  Summary latency_ms() const { return Summarize(latency_ms_); }

 private:
  static uint64_t Key(int device, uint64_t sequence) {
    return static_cast<uint64_t>(device) << 32 | sequence;
  }
  size_t ConnectionOf(int device) const {
    return static_cast<size_t>(device) % connections_.size();
  }
  static constexpr std::string_view kPrefix = "fogline/v1/fleet-";
  static constexpr size_t kWindow = 8;  // frames of one device under way, as an edge's --window
  static std::string NameOf(int device) { return fmt::format("fleet-{:06}", device); }

  /// What waits on a device goes out while its window has a place.
  void SendNext(int device, Nanos now) {
    Device& d = devices_[static_cast<size_t>(device)];
    while (d.under_way < kWindow && !d.waiting.empty()) {
      const auto [sequence, made] = d.waiting.front();
      d.waiting.pop_front();
      ++d.under_way;
      flights_[Key(device, sequence)] = {device, sequence, made, now};
      Publish(device, sequence);
    }
  }

  void Publish(int device, uint64_t sequence) {
    const size_t at = ConnectionOf(device);
    Connection& c = connections_[at];
    frame_.device = NameOf(device);
    frame_.run = c.run;
    frame_.sequence = sequence;
    frame_.captured_us = Clock::Real().WallMicros();
    mechanism_.Stamp(frame_);
    frame_.has_position = true;
    frame_.lat = 51 + (device % 1000) * 1e-4;
    frame_.lon = 4 + (device / 1000) * 1e-3;
    result_.clear();
    WriteResult({device % 2, 0.75F, device % 2 == 1, "litter", std::nullopt}, result_);
    frame_.payloads.assign(1, Payload{Role::kResult, 0, 0, DType::kUndefined, {}, result_});
    if (!WriteFrame(frame_, bytes_)) return;
    if (c.next_id == 0) c.next_id = 1;
    Send(at, MqttPackets::Publish(FrameTopic(frame_.device), c.next_id++,
                                  AckTopic(frame_.device, c.run), bytes_));
  }

  void Send(size_t at, const std::string& packet) {
    Connection& c = connections_[at];
    if (!c.out.empty()) {
      c.out += packet;
      return;
    }
    const ssize_t n = send(c.fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const size_t taken = n > 0 ? static_cast<size_t>(n) : 0;
    if (taken == packet.size()) return;
    c.out = packet.substr(taken);
    Watch(at, EPOLLIN | EPOLLOUT);
  }

  void Watch(size_t at, uint32_t events) {
    epoll_event event{events, {.u64 = at}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connections_[at].fd, &event);
  }

  void Poll(int ms) {
    static std::vector<epoll_event> events(1024);
    const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), ms);
    for (int i = 0; i < n; ++i) {
      const size_t at = events[static_cast<size_t>(i)].data.u64;
      Connection& c = connections_[at];
      if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) {
        const std::string rest = std::exchange(c.out, {});
        Watch(at, EPOLLIN);
        Send(at, rest);
      }
      if ((events[static_cast<size_t>(i)].events & ~uint32_t{EPOLLOUT}) != 0) Receive(c);
    }
  }

  void Receive(Connection& c) {
    static std::vector<std::byte> buffer(256 << 10);
    const ssize_t n = recv(c.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    c.in.insert(c.in.end(), buffer.begin(), buffer.begin() + n);
    size_t at = 0;
    while (c.in.size() - at >= 2) {
      size_t length = 0, bytes = 0;
      bool whole = false;
      while (!whole && bytes < 4 && at + 1 + bytes < c.in.size()) {
        const auto b = static_cast<size_t>(c.in[at + 1 + bytes]);
        length |= (b & 127) << (7 * bytes++);
        whole = (b & 128) == 0;
      }
      if (!whole || c.in.size() - at < 1 + bytes + length) break;
      const auto body = std::span<const std::byte>(c.in).subspan(at + 1 + bytes, length);
      switch (static_cast<uint8_t>(c.in[at]) >> 4) {
        case 3:
          OnAck(MqttPackets::Topic(body), MqttPackets::Payload(body));
          break;
        case 9:
          if (!std::exchange(c.ready, true)) ++ready_;
          break;
        default:
          break;  // CONNACK, PUBACK
      }
      at += 1 + bytes + length;
    }
    c.in.erase(c.in.begin(), c.in.begin() + static_cast<ptrdiff_t>(at));
  }

  void OnAck(std::string_view topic, std::span<const std::byte> payload) {
    const auto ack = ParseAck(payload);
    if (!ack || ack->status == AckStatus::kRetry || ack->status == AckStatus::kRefused) return;
    const int device = std::atoi(topic.data() + kPrefix.size());
    const auto flight = flights_.find(Key(device, ack->sequence));
    if (flight == flights_.end()) return;  // a second answer to a repeat
    const Nanos now = Now();
    latency_ms_.push_back(Millis(now - flight->second.first));
    ++(ack->status == AckStatus::kStored ? stored_ : duplicates_);
    flights_.erase(flight);
    --devices_[static_cast<size_t>(device)].under_way;
    SendNext(device, now);
  }

  const Options& options_;
  const int port_;
  const Mechanism& mechanism_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<Device> devices_;
  std::unordered_map<uint64_t, Flight> flights_;
  std::vector<double> latency_ms_;
  Frame frame_;
  std::vector<std::byte> result_, bytes_;
  size_t ready_ = 0;
  uint64_t made_ = 0, most_held_ = 0, sent_ = 0, stored_ = 0, duplicates_ = 0, repeats_ = 0;
};

/// Resident memory at its highest, and processor time, of a running process.
/// What a process and its children have needed so far. A wake-up is a thread that had nothing to do
/// until then (the kernel's "voluntary" switches).
struct Usage {
  double cpu_s = 0, wakeups = 0;
};

double WakeupsOf(const std::string& process) {
  double wakeups = 0;
  const auto tasks = EntriesOf("/proc/" + process + "/task").value_or(std::vector<fs::path>());
  for (const fs::path& task : tasks) {
    std::ifstream status(task / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("voluntary")) wakeups += std::atof(line.c_str() + line.find(':') + 1);
    }
  }
  return wakeups;
}

Usage UsageOf(pid_t pid) {
  Usage usage{ProcessorOf(pid), WakeupsOf(std::to_string(pid))};
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (std::string child; children >> child;) usage.wakeups += WakeupsOf(child);
  return usage;
}

double PeakBytesOf(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) * 1024;
  }
  return 0;
}

/// Somebody who takes part, and what they had needed when the first frame left.
struct Part {
  std::string who;
  pid_t pid;
  Usage before;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--devices") options.devices = std::atoi(value);
    if (flag == "--connections") options.connections = std::atoi(value);
    if (flag == "--clouds") options.clouds = std::atoi(value);
    if (flag == "--rate") options.rate = std::atof(value);
    if (flag == "--seconds") options.seconds = std::atof(value);
    if (flag == "--store") options.store = value;
  }
  if (options.connections <= 0) options.connections = options.devices;
  return options;
}

Status Measure(Options options) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < static_cast<rlim_t>(options.connections) + 100) {
    return Fail(ErrorCode::kExhausted, "open files", "the limit is {}, {} connections need more",
                files.rlim_cur, options.connections);
  }
  const TempDir dir;
  if (options.store.empty()) options.store = "sqlite:" + (dir.path() / "fleet.db").string();
  const auto models = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
  FOGLINE_TRY(const Network network, LoadNetwork(models / "litter.onnx", 0));
  FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, MechanismOptions{}));
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  std::unique_ptr<LocalPostgres> postgres;
  if (options.store == "postgres") {
    FOGLINE_TRY(postgres, LocalPostgres::Start(kPostgresAsInstalled));
    options.store = postgres->url();
  }
  FOGLINE_TRY(const auto store, OpenStore(options.store));  // made here, once
  std::vector<Process> clouds;
  for (int i = 0; i < options.clouds; ++i) {
    FOGLINE_TRY(
        Process cloud,
        Process::Start({.command = {FOGLINE_BINARY, "cloud", "--broker", broker->url(), "--models",
                                    models.string(), "--store", options.store, "--workers", "1"},
                        .capture_stdout = true,
                        .stderr_to = dir.path() / fmt::format("cloud-{}.log", i)}));
    clouds.push_back(std::move(cloud));
  }
  FOGLINE_TRY(const Inventory before, store->Stock());
  Fleet fleet(options, broker->port(), *mechanism);
  FOGLINE_CHECK(fleet.Connect());
  std::vector<Part> parts{{"broker", broker->pid(), {}}};
  for (const Process& cloud : clouds) parts.push_back({"cloud", cloud.pid(), {}});
  if (postgres) parts.push_back({"postgres", postgres->pid(), {}});
  parts.push_back({"generator", getpid(), {}});
  for (Part& part : parts) part.before = UsageOf(part.pid);
  const Nanos start = Now();
  fleet.Run();
  const double seconds = SecondsOf(Now() - start);
  FOGLINE_TRY(const Inventory after, store->Stock());

  const Summary ms = fleet.latency_ms();
  fmt::print(
      "{} devices on {} connections, {:.3g} frames/s each for {:.0f} s, "
      "{} cloud(s)\n",
      options.devices, options.connections, options.rate, options.seconds, options.clouds);
  fmt::print(
      "  sent {}   answered stored {}   duplicate {}   unanswered {}   "
      "repeats {}\n",
      fleet.sent(), fleet.stored(), fleet.duplicates(), fleet.unanswered(), fleet.repeats());
  fmt::print("  rows in the store {} ({:.0f} frames/s over {:.1f} s)\n", after.count - before.count,
             static_cast<double>(after.count - before.count) / seconds, seconds);
  fmt::print(
      "  until stored: p50 {:.1f} ms, p95 {:.1f}, p99 {:.1f}, most "
      "{:.1f}; {} with the devices at most\n",
      ms.p50, ms.p95, ms.p99, ms.max, fleet.most_held());
  const auto sent = static_cast<double>(fleet.sent());
  fmt::print("  {:<10} {:>12} {:>18} {:>12}\n", "", "us a frame", "wake-ups a frame", "at most");
  for (const Part& part : parts) {
    const Usage now = UsageOf(part.pid);
    fmt::print("  {:<10} {:>12.1f} {:>18.3f} {:>12}\n", part.who,
               (now.cpu_s - part.before.cpu_s) * 1e6 / sent,
               (now.wakeups - part.before.wakeups) / sent, HumanBytes(PeakBytesOf(part.pid)));
  }
  if (after.count - before.count != fleet.sent() || fleet.unanswered() > 0) {
    return Fail(ErrorCode::kInternal, "fleet", "{} frames sent, {} stored", fleet.sent(),
                after.count - before.count);
  }
  if (postgres) return PostgresFloor(*postgres, fleet.sent(), kFloorBatch).Show();
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kWarning);
  const fogline::Status status = fogline::Measure(fogline::Parse(argc, argv));
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? 0 : 1;
}
