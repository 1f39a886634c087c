// One MQTT 5 session from its CONNECT on, as a state machine: bytes in, bytes out, and what they
// say. It knows no socket, thread or clock.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "link/link.h"
#include "link/packet.h"

namespace fogline {

/// What happens to a session, told within Filled: nothing of the session may be called from here.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  /// The broker took the connection. `most_packet`: the largest that it takes, 0 for any.
  virtual void OnConnack(uint32_t most_packet) = 0;
  /// What the broker says to a message of QoS 1, or to a subscription (an MQTT 5 reason code).
  virtual void OnPuback(uint8_t reason) = 0;
  virtual void OnSuback(uint8_t reason) = 0;
  virtual void OnUnsuback() = 0;
  /// A message; its views last until the end of the call.
  virtual void OnPublish(const Message& message) = 0;
};

/// Not thread-safe. After an error a session is good for nothing but its end.
class MqttSession {
 public:
  /// Bytes that wait to be sent beyond which nothing more is published: a broker that takes nothing
  /// is as good as away.
  static constexpr size_t kMostWaiting = 256 << 20;

  /// Begins with a CONNECT among the bytes to be sent. The listener outlives it.
  MqttSession(const ConnectPacket& connect, SessionListener& listener, Nanos now);

  // What comes in.

  /// Where the next bytes of the broker go: at least some 16 KiB, more within a large packet, which
  /// gets its memory as it comes and not as it claims.
  std::span<std::byte> Space();
  /// `count` bytes were written there. kInvalid for anything that MQTT 5 does not allow here,
  /// kUnavailable when the broker ends the session or does not take it; the message is what the
  /// broker did.
  Status Filled(size_t count, Nanos now);
  /// The broker took the connection.
  bool standing() const { return standing_; }

  // What goes out.

  /// kUnavailable when too much is waiting already, or no packet number is free.
  Status Publish(std::string_view topic, std::span<const std::byte> payload, int qos,
                 std::string_view response_topic);
  Status Subscribe(std::string_view filter, int qos);
  Status Unsubscribe(std::string_view filter);
  void Disconnect() { AppendDisconnect(out_); }

  /// What is to be sent now, and that `count` bytes of it are on their way.
  std::span<const std::byte> Pending() const { return std::span(out_).subspan(sent_); }
  void Sent(size_t count, Nanos now);
  /// Of all that is to be sent, now or once the broker takes more.
  size_t unsent_bytes() const { return Pending().size() + waiting_bytes_; }

  /// Keep-alive: to be called once a second or so. kUnavailable when the broker is silent.
  Status Tick(Nanos now);

 private:
  Status Handle(const PacketView& packet);
  Status Connack(const PacketView& packet);
  Status Publish(const PacketView& packet);
  Status Answer(const PacketView& packet);
  Result<uint16_t> TakeId();

  SessionListener& listener_;
  Nanos keepalive_;
  size_t most_incoming_;  // 0: any
  bool standing_ = false;
  PacketBytes in_, out_;
  size_t begin_ = 0, end_ = 0;  // of what came and was not looked at, in in_
  size_t sent_ = 0;             // of out_
  /// Messages beyond what the broker takes without an acknowledgement, and their bytes.
  std::deque<PacketBytes> waiting_;
  size_t waiting_bytes_ = 0;
  std::bitset<65536> ids_, published_;  // in use at all; by a message that is under way
  uint16_t last_id_ = 0;
  size_t quota_ = 65535;
  Nanos last_in_, last_out_, pinged_{0};  // 0: no ping is under way
};

}  // namespace fogline
