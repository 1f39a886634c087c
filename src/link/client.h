// One client of libmosquitto, for one connection: how it is set up, and what its callbacks say.
#pragma once

#include <mosquitto.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "link/link.h"

namespace fogline {

/// What happens to a client, told within calls of the library: nothing of it may be called from
/// here but mosquitto_disconnect_v5.
class ClientListener {
 public:
  virtual ~ClientListener() = default;
  /// `rc` 0: the connection stands. `most_packet`: the largest that the broker takes, 0 for any.
  virtual void OnConnack(int rc, uint32_t most_packet) = 0;
  virtual void OnDisconnect() = 0;
  /// What the broker says to a message of QoS 1 (an MQTT 5 reason code).
  virtual void OnPuback(int reason) = 0;
  virtual void OnUnsuback() = 0;
  /// A message; its views last until the end of the call.
  virtual void OnPublish(const Message& message) = 0;
};

struct ClientDelete {
  void operator()(mosquitto* m) const { mosquitto_destroy(m); }
};
using Client = std::unique_ptr<mosquitto, ClientDelete>;

struct PropertiesDelete {
  void operator()(mosquitto_property* p) const { mosquitto_property_free_all(&p); }
};
using Properties = std::unique_ptr<mosquitto_property, PropertiesDelete>;

/// An MQTT 5 client that is not connected yet. kUsage when its id or its TLS files cannot be used.
/// The listener outlives it.
Result<Client> NewClient(const LinkOptions& options, ClientListener& listener);

/// The properties of a PUBLISH: none where `response_topic` is empty.
Properties PublishProperties(const std::string& response_topic);

}  // namespace fogline
