#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "link/packet.h"

namespace fogline {
namespace {

/// Reads forward in the standard's byte order; a short read leaves it not ok().
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> Take(size_t count) {
    if (!ok_ || count > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  /// A number of `bytes` bytes, the highest first.
  uint32_t Number(size_t bytes) {
    uint32_t value = 0;
    for (const std::byte b : Take(bytes)) value = value << 8 | static_cast<uint32_t>(b);
    return value;
  }
  size_t Variable() {
    size_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      const uint32_t byte = Number(1);
      value |= static_cast<size_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view Text() {
    const auto bytes = Take(Number(2));
    if (bytes.empty()) return {};
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    // No text of the standard holds a zero (1.5.4).
    ok_ = ok_ && std::memchr(text.data(), 0, text.size()) == nullptr && IsUtf8(text);
    return ok_ ? text : std::string_view();
  }

  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }
  std::span<const std::byte> rest() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

/// What a property's value is made of (2.2.2.2).
enum class Form : uint8_t { kNone, kByte, kTwo, kFour, kVariable, kText, kBinary, kPair };

constexpr std::array<Form, 0x2b> kForms = [] {
  std::array<Form, 0x2b> forms{};
  for (const int id : {0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a}) forms[id] = Form::kByte;
  for (const int id : {0x13, 0x21, 0x22, 0x23}) forms[id] = Form::kTwo;
  for (const int id : {0x02, 0x11, 0x18, 0x27}) forms[id] = Form::kFour;
  forms[0x0b] = Form::kVariable;
  for (const int id : {0x03, 0x08, 0x12, 0x15, 0x1a, 0x1c, 0x1f}) forms[id] = Form::kText;
  for (const int id : {0x09, 0x16}) forms[id] = Form::kBinary;
  forms[0x26] = Form::kPair;
  return forms;
}();

/// Those of a packet that somebody here asks for.
struct Properties {
  std::optional<uint32_t> receive_maximum, most_packet, keepalive_s, most_qos, topic_alias;
  std::string_view response_topic;
};

Status ReadProperties(Cursor& packet, Properties& out) {
  Cursor in(packet.Take(packet.Variable()));
  while (in.ok() && !in.empty()) {
    const uint32_t id = in.Number(1);
    const Form form = id < kForms.size() ? kForms[id] : Form::kNone;
    uint32_t number = 0;
    std::string_view text;
    switch (form) {
      case Form::kNone:
        return Fail(ErrorCode::kInvalid, "", "has a property 0x{:02x} that MQTT 5 has not", id);
      case Form::kByte:
        number = in.Number(1);
        break;
      case Form::kTwo:
        number = in.Number(2);
        break;
      case Form::kFour:
        number = in.Number(4);
        break;
      case Form::kVariable:
        number = static_cast<uint32_t>(in.Variable());
        break;
      case Form::kText:
        text = in.Text();
        break;
      case Form::kBinary:
        in.Take(in.Number(2));
        break;
      case Form::kPair:
        in.Text();
        in.Text();
        break;
    }
    if (id == 0x21) out.receive_maximum = number;
    if (id == 0x27) out.most_packet = number;
    if (id == 0x13) out.keepalive_s = number;
    if (id == 0x24) out.most_qos = number;
    if (id == 0x23) out.topic_alias = number;
    if (id == 0x08) out.response_topic = text;
  }
  if (!packet.ok() || !in.ok()) {
    return Fail(ErrorCode::kInvalid, "", "has properties that end too early");
  }
  return {};
}

constexpr std::pair<uint8_t, const char*> kReasons[] = {
    {0x00, "success"},
    {0x10, "nobody has subscribed"},
    {0x80, "unspecified error"},
    {0x81, "malformed packet"},
    {0x82, "protocol error"},
    {0x83, "not possible here"},
    {0x84, "MQTT 5 is not spoken there"},
    {0x85, "client identifier not valid"},
    {0x86, "bad user name or password"},
    {0x87, "not authorized"},
    {0x88, "server unavailable"},
    {0x89, "server busy"},
    {0x8a, "banned"},
    {0x8b, "the server shuts down"},
    {0x8d, "keep-alive timeout"},
    {0x8e, "session taken over"},
    {0x8f, "topic filter invalid"},
    {0x90, "topic name invalid"},
    {0x91, "packet identifier in use"},
    {0x93, "receive maximum exceeded"},
    {0x95, "packet too large"},
    {0x96, "message rate too high"},
    {0x97, "quota exceeded"},
    {0x98, "administrative action"},
    {0x99, "payload format invalid"},
    {0x9a, "retain is not supported"},
    {0x9b, "QoS is not supported"},
    {0x9c, "use another server"},
    {0x9d, "the server has moved"},
    {0x9e, "shared subscriptions are not supported"},
    {0x9f, "connection rate exceeded"},
    {0xa1, "subscription identifiers are not supported"},
    {0xa2, "wildcard subscriptions are not supported"},
};

tl::unexpected<Error> Malformed(const char* what) {
  return Fail(ErrorCode::kInvalid, "", "sent a {} that is none", what);
}

}  // namespace

std::string ReasonText(uint8_t reason) {
  for (const auto& [code, text] : kReasons) {
    if (code == reason) return fmt::format("{} (0x{:02x})", text, reason);
  }
  return fmt::format("reason 0x{:02x}", reason);
}

Result<std::optional<size_t>> PacketLength(std::span<const std::byte> bytes) {
  size_t rest = 0;
  for (size_t i = 1; i < 5 && i < bytes.size(); ++i) {
    rest |= (static_cast<size_t>(bytes[i]) & 0x7f) << (7 * (i - 1));
    if ((static_cast<size_t>(bytes[i]) & 0x80) == 0) return std::optional<size_t>(1 + i + rest);
  }
  if (bytes.size() < 5) return std::optional<size_t>();
  return Fail(ErrorCode::kInvalid, "", "sent a packet whose length is none");
}

PacketView FirstPacket(std::span<const std::byte> bytes) {
  PacketView packet;
  const auto first = static_cast<uint8_t>(bytes[0]);
  packet.kind = static_cast<PacketKind>(first >> 4);
  packet.flags = first & 0x0f;
  size_t head = 2;
  while ((static_cast<uint8_t>(bytes[head - 1]) & 0x80) != 0) ++head;
  packet.bytes = **PacketLength(bytes);
  packet.body = bytes.subspan(head, packet.bytes - head);
  return packet;
}

Result<ConnackPacket> ReadConnack(const PacketView& packet) {
  Cursor in(packet.body);
  const uint32_t flags = in.Number(1);
  ConnackPacket out;
  out.reason = static_cast<uint8_t>(in.Number(1));
  // An older server says "no" in its own words: two bytes.
  Properties properties;
  if (!in.empty()) FOGLINE_CHECK(ReadProperties(in, properties));
  const bool zero = properties.receive_maximum == 0U || properties.most_packet == 0U;
  if (!in.ok() || !in.empty() || packet.flags != 0 || flags > 1 || zero)
    return Malformed("CONNACK");
  out.receive_maximum = static_cast<uint16_t>(properties.receive_maximum.value_or(65535));
  out.most_packet = properties.most_packet.value_or(0);
  if (properties.keepalive_s) out.keepalive_s = static_cast<uint16_t>(*properties.keepalive_s);
  out.most_qos = static_cast<uint8_t>(properties.most_qos.value_or(2));
  return out;
}

Result<PublishPacket> ReadPublish(const PacketView& packet) {
  Cursor in(packet.body);
  PublishPacket out;
  out.qos = packet.flags >> 1 & 3;
  out.topic = in.Text();
  if (out.qos > 0) out.id = static_cast<uint16_t>(in.Number(2));
  Properties properties;
  if (in.ok()) FOGLINE_CHECK(ReadProperties(in, properties));
  // Subscriptions here ask for QoS 1 at most, and no alias was allowed.
  if (!in.ok() || out.qos > 1 || (out.qos > 0 && out.id == 0) || out.topic.empty() ||
      properties.topic_alias || out.topic.find_first_of("+#") != out.topic.npos) {
    return Malformed("PUBLISH");
  }
  out.response_topic = properties.response_topic;
  out.payload = in.rest();
  return out;
}

Result<AnswerPacket> ReadAnswer(const PacketView& packet) {
  Cursor in(packet.body);
  AnswerPacket out;
  out.id = static_cast<uint16_t>(in.Number(2));
  Properties properties;
  const bool puback = packet.kind == PacketKind::kPuback;
  if (puback && !in.empty()) out.reason = static_cast<uint8_t>(in.Number(1));
  if (!puback || !in.empty()) FOGLINE_CHECK(ReadProperties(in, properties));
  if (puback ? !in.empty() : in.empty()) in.Take(SIZE_MAX);
  while (!puback && in.ok() && !in.empty()) {
    out.reason = std::max(out.reason, static_cast<uint8_t>(in.Number(1)));
  }
  if (!in.ok() || packet.flags != 0 || out.id == 0) return Malformed("acknowledgement");
  return out;
}

Result<uint8_t> ReadDisconnect(const PacketView& packet) {
  Cursor in(packet.body);
  Properties properties;
  uint8_t reason = 0;
  if (!in.empty()) reason = static_cast<uint8_t>(in.Number(1));
  if (!in.empty()) FOGLINE_CHECK(ReadProperties(in, properties));
  if (!in.ok() || !in.empty() || packet.flags != 0) return Malformed("DISCONNECT");
  return reason;
}

}  // namespace fogline
