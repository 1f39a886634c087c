// MQTT 5's packets as bytes (OASIS, "MQTT Version 5.0", 2019), those that a client writes and those
// that it reads. What is read comes from a broker that may be anybody: nothing is believed that was
// not counted first, and whatever the standard does not know is an error, never an assertion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fogline {

using PacketBytes = std::vector<std::byte>;

/// The control packets' numbers (2.1.2).
enum class PacketKind : uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kPing = 12,
  kPong = 13,
  kDisconnect = 14,
};

/// Reason codes that somebody here asks for by name (2.4); those from kUnspecified on are refusals.
constexpr uint8_t kNobodySubscribed = 0x10;
constexpr uint8_t kUnspecified = 0x80;

/// A reason code in words: "not authorized (0x87)".
std::string ReasonText(uint8_t reason);

// What a client writes, each onto the end of `out`.

struct ConnectPacket {
  std::string client_id, user, password;  // no user: neither is sent
  int keepalive_s = 15;
  uint16_t receive_maximum = 65535;
  uint32_t most_packet = 0;  // the largest that is taken; 0 for any
};
void AppendConnect(PacketBytes& out, const ConnectPacket& packet);
/// `id` matters with `qos` 1 alone.
void AppendPublish(PacketBytes& out, std::string_view topic, std::string_view response_topic,
                   std::span<const std::byte> payload, int qos, uint16_t id);
void AppendPuback(PacketBytes& out, uint16_t id);
void AppendSubscribe(PacketBytes& out, std::string_view filter, int qos, uint16_t id);
void AppendUnsubscribe(PacketBytes& out, std::string_view filter, uint16_t id);
void AppendPing(PacketBytes& out);
void AppendDisconnect(PacketBytes& out);

// What it reads.

/// A packet at the front of a stream; `body` is a view of it.
struct PacketView {
  PacketKind kind = PacketKind::kPong;
  uint8_t flags = 0;
  std::span<const std::byte> body;
  size_t bytes = 0;  // of all of it, head included
};

/// How much of the packet at the front of `bytes` is known: none while its head is not whole. The
/// bytes of the whole packet otherwise. kInvalid for a length of more than four bytes.
Result<std::optional<size_t>> PacketLength(std::span<const std::byte> bytes);
/// The packet at the front of `bytes`, which hold it whole.
PacketView FirstPacket(std::span<const std::byte> bytes);

struct ConnackPacket {
  uint8_t reason = 0;
  uint16_t receive_maximum = 65535;
  uint32_t most_packet = 0;  // 0: no limit
  std::optional<uint16_t> keepalive_s;
  uint8_t most_qos = 2;
};
struct PublishPacket {  // views of the packet's body
  std::string_view topic, response_topic;
  std::span<const std::byte> payload;
  int qos = 0;
  uint16_t id = 0;  // 0 with qos 0
};
struct AnswerPacket {  // PUBACK, SUBACK, UNSUBACK: the worst reason in it
  uint16_t id = 0;
  uint8_t reason = 0;
};
/// kInvalid, with what is wrong, for bytes that are no such packet.
Result<ConnackPacket> ReadConnack(const PacketView& packet);
Result<PublishPacket> ReadPublish(const PacketView& packet);
Result<AnswerPacket> ReadAnswer(const PacketView& packet);
/// The reason of a DISCONNECT.
Result<uint8_t> ReadDisconnect(const PacketView& packet);

}  // namespace fogline
