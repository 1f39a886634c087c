// One MQTT 5 session that keeps itself connected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// Where the broker is, from "mqtt://[user:password@]host[:port]" or "mqtts://…" (default ports
/// 1883 and 8883).
struct BrokerAddress {
  std::string host;
  int port = 1883;
  bool tls = false;
  std::string user, password;

  /// Without the password, for messages.
  std::string ToString() const;
};
Result<BrokerAddress> ParseBroker(const std::string& url);

struct LinkOptions {
  BrokerAddress broker;
  std::string name;  // before the random part of the client id, for who reads the broker's log
  int keepalive_s = 15;
  /// Messages that the broker may have under way to us without an acknowledgement.
  int receive_maximum = 64;
  /// The largest packet that is taken, which the broker is told; 0 for any. Answers fit the
  /// default.
  uint32_t most_incoming = 16 << 20;
  std::string ca_file, cert_file, key_file;  // TLS; the last two for mutual TLS
};

struct Message {
  std::string_view topic;
  std::span<const std::byte> payload;
  std::string_view response_topic;  // MQTT 5 property, empty when absent
};

/// Called on the link's own thread, with no lock held: a handler may publish, and one that blocks
/// holds back the broker (at most receive_maximum messages).
class LinkHandler {
 public:
  virtual ~LinkHandler() = default;
  /// After every CONNACK: subscribe here, since the session starts clean each time. The broker's
  /// largest packet is known from here on, and may be another than the last time.
  virtual void OnConnected() = 0;
  virtual void OnDisconnected() = 0;
  virtual void OnMessage(const Message& message) = 0;
  /// The broker answered the oldest QoS 1 message under way: it has taken it, or refuses it. MQTT 5
  /// has these answers come in the order of the messages (4.6). What is under way when the
  /// connection ends is never answered.
  virtual void OnAnswered(bool /*taken*/) {}
  /// The broker took a QoS 1 message that nobody subscribes to (PUBACK reason 0x10).
  virtual void OnNobodyListens() {}
  /// An Unsubscribe has come through: what was under way before it has been handed on.
  virtual void OnUnsubscribed() {}
};

/// Connects in the background, reconnects with jittered back-off, and says so once per loss.
/// Publish and Subscribe may be called from any thread, which writes to the socket itself. Messages
/// published while disconnected are refused (kUnavailable), never queued: who needs them sent keeps
/// them.
class Link {
 public:
  static Result<std::unique_ptr<Link>> Make(const LinkOptions& options, LinkHandler& handler);
  virtual ~Link() = default;

  /// Starts connecting; from here on the handler is called.
  virtual void Start() = 0;

  /// kUnsupported when the packet is larger than the broker takes: it will never go this way.
  virtual Status Publish(const std::string& topic, std::span<const std::byte> payload, int qos,
                         const std::string& response_topic = {}) = 0;
  /// Until Flush, small messages may wait for each other and share packets on their way: a packet a
  /// message is most of what many short ones cost. Pairs may nest, on any thread.
  virtual void Hold() = 0;
  virtual void Flush() = 0;
  virtual Status Subscribe(const std::string& filter, int qos) = 0;
  virtual Status Unsubscribe(const std::string& filter) = 0;
  virtual bool connected() const = 0;
  /// The largest packet that the broker takes, as its last CONNACK said; 0 where it named no limit.
  virtual uint32_t most_packet() const = 0;
  /// Bytes that were published and that the connection has not taken yet.
  virtual size_t unsent_bytes() const = 0;
  /// Sends what was published, disconnects and joins the thread; no handler is called afterwards.
  virtual void Stop() = 0;
};

/// The bytes of a PUBLISH packet (MQTT 5, 3.3) with these parts.
size_t PublishBytes(size_t topic, size_t response_topic, size_t payload, int qos);

}  // namespace fogline
