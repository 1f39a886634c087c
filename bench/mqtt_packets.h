// What little of MQTT 5 a crowd of simulated devices needs, written by hand: no client object, no
// thread and no queue a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fogline {

/// What little of MQTT 5 a device needs.
class MqttPackets {
 public:
  static std::string Connect(const std::string& id) {
    std::string body = Text("MQTT");
    body += '\x05';    // version
    body += '\x02';    // clean start
    body += Short(0);  // no keep-alive
    body += '\0';      // no properties
    return Wrap(0x10, body + Text(id));
  }
  static std::string Subscribe(const std::string& filter) {
    return Wrap(0x82, Short(1) + std::string(1, '\0') + Text(filter) + std::string(1, '\0'));
  }
  static std::string Publish(const std::string& topic, uint16_t id, const std::string& answer_to,
                             std::span<const std::byte> payload) {
    std::string properties(1, '\x08');  // the response topic
    properties += Text(answer_to);
    std::string body = Text(topic) + Short(id) + Length(properties.size()) + properties;
    body.append(reinterpret_cast<const char*>(payload.data()), payload.size());
    return Wrap(0x32, body);  // QoS 1
  }
  static std::string_view Topic(std::span<const std::byte> body) {
    const size_t length = static_cast<size_t>(body[0]) << 8 | static_cast<size_t>(body[1]);
    return {reinterpret_cast<const char*>(body.data()) + 2, length};
  }
  /// The payload of a PUBLISH of QoS 0.
  static std::span<const std::byte> Payload(std::span<const std::byte> body) {
    const size_t topic = static_cast<size_t>(body[0]) << 8 | static_cast<size_t>(body[1]);
    auto rest = body.subspan(2 + topic);
    size_t properties = 0, bytes = 0;
    for (;; ++bytes) {
      properties |= (static_cast<size_t>(rest[bytes]) & 127) << (7 * bytes);
      if ((static_cast<size_t>(rest[bytes]) & 128) == 0) break;
    }
    return rest.subspan(bytes + 1 + properties);
  }

 private:
  static std::string Short(size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
  }
  static std::string Text(const std::string& text) { return Short(text.size()) + text; }
  static std::string Length(size_t value) {
    std::string out;
    do {
      out += static_cast<char>((value & 127) | (value > 127 ? 128 : 0));
      value >>= 7;
    } while (value > 0);
    return out;
  }
  static std::string Wrap(uint8_t type, const std::string& body) {
    return std::string(1, static_cast<char>(type)) + Length(body.size()) + body;
  }
};

}  // namespace fogline
