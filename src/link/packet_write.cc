#include "link/link.h"
#include "link/packet.h"

namespace fogline {
namespace {

constexpr uint8_t kSubscribeFlags = 2, kPublishQos1 = 2;
constexpr uint8_t kReceiveMaximum = 0x21, kMaximumPacketSize = 0x27, kResponseTopic = 0x08;

/// Bytes of a number in MQTT's own coding, seven bits each.
size_t VariableBytes(size_t value) {
  size_t bytes = 1;
  while (value >>= 7) ++bytes;
  return bytes;
}

void Put8(PacketBytes& out, size_t value) { out.push_back(static_cast<std::byte>(value & 0xff)); }
void Put16(PacketBytes& out, size_t value) {
  Put8(out, value >> 8);
  Put8(out, value);
}
void PutVariable(PacketBytes& out, size_t value) {
  for (; value >= 0x80; value >>= 7) Put8(out, value | 0x80);
  Put8(out, value);
}
void PutBytes(PacketBytes& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void PutText(PacketBytes& out, std::string_view text) {
  Put16(out, text.size());
  PutBytes(out, std::as_bytes(std::span(text.data(), text.size())));
}
void PutHead(PacketBytes& out, PacketKind kind, uint8_t flags, size_t rest) {
  Put8(out, static_cast<size_t>(kind) << 4 | flags);
  PutVariable(out, rest);
}

size_t PublishRest(size_t topic, size_t response_topic, size_t payload, int qos) {
  const size_t properties = response_topic > 0 ? 1 + 2 + response_topic : 0;
  return 2 + topic + (qos > 0 ? 2 : 0) + VariableBytes(properties) + properties + payload;
}

}  // namespace

size_t PublishBytes(size_t topic, size_t response_topic, size_t payload, int qos) {
  const size_t rest = PublishRest(topic, response_topic, payload, qos);
  return 1 + VariableBytes(rest) + rest;
}

void AppendConnect(PacketBytes& out, const ConnectPacket& packet) {
  PacketBytes rest;
  PutText(rest, "MQTT");
  Put8(rest, 5);
  const bool known = !packet.user.empty();
  Put8(rest, 0x02 | (known ? 0xc0 : 0));  // clean start; user name and password
  Put16(rest, static_cast<size_t>(packet.keepalive_s));
  Put8(rest, 3 + (packet.most_packet > 0 ? 5 : 0));
  Put8(rest, kReceiveMaximum);
  Put16(rest, packet.receive_maximum);
  if (packet.most_packet > 0) {
    Put8(rest, kMaximumPacketSize);
    Put16(rest, packet.most_packet >> 16);
    Put16(rest, packet.most_packet);
  }
  PutText(rest, packet.client_id);
  if (known) {
    PutText(rest, packet.user);
    PutText(rest, packet.password);
  }
  PutHead(out, PacketKind::kConnect, 0, rest.size());
  PutBytes(out, rest);
}

void AppendPublish(PacketBytes& out, std::string_view topic, std::string_view response_topic,
                   std::span<const std::byte> payload, int qos, uint16_t id) {
  const size_t rest = PublishRest(topic.size(), response_topic.size(), payload.size(), qos);
  PutHead(out, PacketKind::kPublish, qos > 0 ? kPublishQos1 : 0, rest);
  PutText(out, topic);
  if (qos > 0) Put16(out, id);
  if (response_topic.empty()) {
    Put8(out, 0);
  } else {
    PutVariable(out, 1 + 2 + response_topic.size());
    Put8(out, kResponseTopic);
    PutText(out, response_topic);
  }
  PutBytes(out, payload);
}

void AppendPuback(PacketBytes& out, uint16_t id) {
  PutHead(out, PacketKind::kPuback, 0, 2);
  Put16(out, id);
}

void AppendSubscribe(PacketBytes& out, std::string_view filter, int qos, uint16_t id) {
  PutHead(out, PacketKind::kSubscribe, kSubscribeFlags, 2 + 1 + 2 + filter.size() + 1);
  Put16(out, id);
  Put8(out, 0);
  PutText(out, filter);
  Put8(out, static_cast<size_t>(qos));
}

void AppendUnsubscribe(PacketBytes& out, std::string_view filter, uint16_t id) {
  PutHead(out, PacketKind::kUnsubscribe, kSubscribeFlags, 2 + 1 + 2 + filter.size());
  Put16(out, id);
  Put8(out, 0);
  PutText(out, filter);
}

void AppendPing(PacketBytes& out) { PutHead(out, PacketKind::kPing, 0, 0); }
void AppendDisconnect(PacketBytes& out) { PutHead(out, PacketKind::kDisconnect, 0, 0); }

}  // namespace fogline
