// A fleet of simulated devices on one machine, for fleet_bench and hours_bench: thousands of
// connections that each send results through a real broker and wait for "stored". As an edge does,
// each device repeats what is not answered and has no more than a window of frames under way. Some
// leave and others come, connections break, and one device floods: as asked. Writes MQTT 5 itself,
// one thread on epoll: 5,000 client objects with a thread each would measure themselves.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/stats.h"
#include "bench/mqtt_packets.h"
#include "edge/mechanism.h"
#include "frame/ack.h"
#include "frame/topics.h"

namespace fogline {

/// As many open files as this process may have.
inline Status AllowFiles(int connections) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= static_cast<rlim_t>(connections) + 100) return {};
  return Fail(ErrorCode::kExhausted, "open files", "the limit is {}, {} connections need more",
              files.rlim_cur, connections);
}

struct FleetOptions {
  int devices = 500, connections = 0;
  double rate = 1, seconds = 5;
  double churn = 0;  // devices that leave for new ones, and connections that break, a second
  double flood = 0;  // frames a second of one device more, a third of the time, heeding no answer
};

struct FleetConnection {
  int fd = -1;
  uint64_t run = 0;
  std::string out;            // what the socket did not take yet
  std::vector<std::byte> in;  // what is no whole packet yet
  uint16_t next_id = 1;
  bool ready = false;
};

/// What a device holds.
struct FleetDevice {
  std::string name;
  uint64_t next_sequence = 0;
  size_t under_way = 0;
  std::deque<std::pair<uint64_t, Nanos>> waiting;  // sequences and when they were made
};

struct FleetFlight {
  int device;
  uint64_t sequence;
  Nanos first, last;
  Nanos patience{std::chrono::seconds(5)};
};

class Fleet {
 public:
  Fleet(const FleetOptions& options, int port, const Mechanism& mechanism)
      : options_(options),
        port_(port),
        mechanism_(mechanism),
        devices_(static_cast<size_t>(options.devices)) {
    for (FleetDevice& device : devices_) device.name = NewName();
  }

  Status Connect() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(static_cast<size_t>(options_.connections));
    for (size_t i = 0; i < connections_.size(); ++i) {
      FOGLINE_CHECK(Dial(i));
      Poll(0);
    }
    const Nanos end = Clock::Real().Steady() + std::chrono::seconds(60);
    while (ready_ < connections_.size() && Clock::Real().Steady() < end) Poll(10);
    if (ready_ < connections_.size()) {
      return Fail(ErrorCode::kUnavailable, "broker", "{} of {} connections stand", ready_,
                  connections_.size());
    }
    return {};
  }

  /// One frame, sent until it is stored: from then on somebody listens to frames, and counts begin.
  Status Warm() {
    const Clock& clock = Clock::Real();
    devices_[0].waiting.emplace_back(devices_[0].next_sequence++, clock.Steady());
    SendNext(0, clock.Steady());
    const Nanos end = clock.Steady() + std::chrono::seconds(60);
    for (Nanos said = clock.Steady(); !flights_.empty();) {
      Poll(10);
      if (clock.Steady() > end) return Fail(ErrorCode::kUnavailable, "cloud", "stores nothing");
      if (clock.Steady() - said < std::chrono::milliseconds(500)) continue;
      said = clock.Steady();
      for (const auto& [key, flight] : flights_) Publish(flight.device, flight.sequence);
    }
    stored_ = duplicates_ = 0;
    latency_ms_.clear();
    return {};
  }

  /// `each_second` is called about so often.
  void Run(const std::function<void()>& each_second) {
    const auto total = static_cast<uint64_t>(options_.devices * options_.rate * options_.seconds);
    const double every_ns = 1e9 / (options_.devices * options_.rate);
    const Nanos start = Clock::Real().Steady();
    Nanos scanned = start;
    const Nanos end =
        start + Nanos(static_cast<int64_t>(options_.seconds * 1e9)) + std::chrono::seconds(120);
    for (uint64_t sent = 0; sent < total || (unanswered() > 0 && Clock::Real().Steady() < end);) {
      const Nanos now = Clock::Real().Steady();
      const auto due = static_cast<uint64_t>(static_cast<double>((now - start).count()) / every_ns);
      for (; sent < std::min(due, total); ++sent) {
        const int device = static_cast<int>(sent % static_cast<uint64_t>(options_.devices));
        FleetDevice& d = devices_[static_cast<size_t>(device)];
        d.waiting.emplace_back(d.next_sequence++, now);
        ++made_;
        SendNext(device, now);
      }
      most_held_ = std::max<uint64_t>(most_held_, made_ - stored_ - duplicates_);
      if (sent < total) Disturb(now - start);
      if (now - scanned > std::chrono::seconds(1)) {
        scanned = now;
        each_second();
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
  uint64_t came() const { return names_; }       // devices, those that left among them
  uint64_t broken() const { return broken_; }    // connections
  uint64_t flooded() const { return flooded_; }  // frames

 private:
  static uint64_t Key(int device, uint64_t sequence) {
    return static_cast<uint64_t>(device) << 32 | sequence;
  }
  size_t ConnectionOf(int device) const {
    return static_cast<size_t>(device) % connections_.size();
  }
  static constexpr std::string_view kPrefix = "fogline/v1/fleet-";
  static constexpr size_t kWindow = 8;  // frames of one device under way, as an edge's --window
  /// Answers are told apart by the number in it: a name's place does not change, devices do.
  std::string NewName() {
    const uint64_t place = names_ < devices_.size() ? names_ : leaving_;
    return fmt::format("fleet-{:06}-{}", place, names_++);
  }

  Status Dial(size_t at) {
    FleetConnection& c = connections_[at];
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (c.fd < 0 || connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      return Fail(ErrorCode::kUnavailable, fmt::format("connection {}", at), "{}",
                  std::strerror(errno));
    }
    const int on = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c.run = 0x1000 + at;
    epoll_event event{EPOLLIN, {.u64 = at}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
    Send(at, MqttPackets::Connect(fmt::format("fleet-{}", at)) +
                 MqttPackets::Subscribe(fmt::format("fogline/v1/+/ack/{:016x}", c.run)));
    return {};
  }

  /// What is due of leaving, breaking and flooding after so long.
  void Disturb(Nanos ran) {
    const double seconds = Millis(ran) / 1000;
    for (; static_cast<double>(churned_) < options_.churn * seconds; ++churned_) {
      leaving_ = (leaving_ + 7919) % devices_.size();
      FleetDevice& device = devices_[leaving_];
      // One that still holds frames would lose them; numbers go on, so that late answers fit.
      if (device.under_way == 0 && device.waiting.empty()) device.name = NewName();
      const size_t at = churned_ % connections_.size();
      close(connections_[at].fd);
      connections_[at] = {};
      broken_ += Dial(at) ? 1 : 0;
    }
    constexpr double kPeriod = 30;
    if (std::fmod(seconds, kPeriod) > kPeriod / 3) {
      flood_due_ = seconds;
      return;
    }
    for (; flood_due_ < seconds && options_.flood > 0; flood_due_ += 1 / options_.flood) {
      Put(0, "flooder", flooded_++);
    }
  }

  /// What waits on a device goes out while its window has a place.
  void SendNext(int device, Nanos now) {
    FleetDevice& d = devices_[static_cast<size_t>(device)];
    while (d.under_way < kWindow && !d.waiting.empty()) {
      const auto [sequence, made] = d.waiting.front();
      d.waiting.pop_front();
      ++d.under_way;
      flights_[Key(device, sequence)] = {device, sequence, made, now};
      Publish(device, sequence);
    }
  }

  void Publish(int device, uint64_t sequence) {
    Put(ConnectionOf(device), devices_[static_cast<size_t>(device)].name, sequence, device);
  }

  void Put(size_t at, const std::string& name, uint64_t sequence, int device = 0) {
    FleetConnection& c = connections_[at];
    frame_.device = name;
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
    FleetConnection& c = connections_[at];
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
      FleetConnection& c = connections_[at];
      if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) {
        const std::string rest = std::exchange(c.out, {});
        Watch(at, EPOLLIN);
        Send(at, rest);
      }
      if ((events[static_cast<size_t>(i)].events & ~uint32_t{EPOLLOUT}) != 0) Receive(c);
    }
  }

  void Receive(FleetConnection& c) {
    static std::vector<std::byte> buffer(256 << 10);
    const ssize_t n = recv(c.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;  // broken; what was under way is repeated on the next one
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
    if (topic.find(kPrefix) != 0) return;  // the flooder's
    if (!ack || ack->status == AckStatus::kRetry || ack->status == AckStatus::kRefused) return;
    const int device = std::atoi(topic.data() + kPrefix.size());
    const auto flight = flights_.find(Key(device, ack->sequence));
    if (flight == flights_.end()) return;  // a second answer to a repeat
    const Nanos now = Clock::Real().Steady();
    latency_ms_.push_back(Millis(now - flight->second.first));
    ++(ack->status == AckStatus::kStored ? stored_ : duplicates_);
    flights_.erase(flight);
    --devices_[static_cast<size_t>(device)].under_way;
    SendNext(device, now);
  }

  const FleetOptions& options_;
  const int port_;
  const Mechanism& mechanism_;
  int epoll_ = -1;
  std::vector<FleetConnection> connections_;
  std::vector<FleetDevice> devices_;
  std::unordered_map<uint64_t, FleetFlight> flights_;
  std::vector<double> latency_ms_;
  Frame frame_;
  std::vector<std::byte> result_, bytes_;
  size_t ready_ = 0;
  uint64_t made_ = 0, most_held_ = 0, sent_ = 0, stored_ = 0, duplicates_ = 0, repeats_ = 0;
  uint64_t names_ = 0, churned_ = 0, broken_ = 0, flooded_ = 0;
  size_t leaving_ = 0;
  double flood_due_ = 0;
};

}  // namespace fogline
