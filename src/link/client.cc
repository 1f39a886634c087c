#include "link/client.h"

#include <mqtt_protocol.h>

#include <cstdlib>

namespace fogline {
namespace {

ClientListener& Listener(void* user) { return *static_cast<ClientListener*>(user); }

/// mosquitto_lib_init is not thread-safe and wants one call.
void InitLibrary() {
  static const int once = mosquitto_lib_init();
  (void)once;
}

Status UseTls(mosquitto* m, const LinkOptions& options) {
  const auto file = [](const std::string& name) { return name.empty() ? nullptr : name.c_str(); };
  const bool own_ca = !options.ca_file.empty();
  const int rc = mosquitto_tls_set(m, file(options.ca_file), own_ca ? nullptr : "/etc/ssl/certs",
                                   file(options.cert_file), file(options.key_file), nullptr);
  if (rc == MOSQ_ERR_SUCCESS) return {};
  return Fail(ErrorCode::kUsage, options.broker.ToString(),
              "TLS files cannot be used ({}): check --ca, --cert and --key",
              mosquitto_strerror(rc));
}

void OnMessage(void* user, const mosquitto_message& message, const mosquitto_property* properties) {
  char* response = nullptr;
  mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response, false);
  const std::unique_ptr<char, decltype(&free)> owner(response, free);
  const auto* const bytes = static_cast<const std::byte*>(message.payload);
  Listener(user).OnPublish({message.topic,
                            {bytes, static_cast<size_t>(message.payloadlen)},
                            response != nullptr ? response : ""});
}

void Listen(mosquitto* m) {
  mosquitto_connect_v5_callback_set(
      m, [](mosquitto*, void* user, int rc, int, const mosquitto_property* properties) {
        uint32_t most = 0;
        mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &most, false);
        Listener(user).OnConnack(rc, most);
      });
  mosquitto_disconnect_v5_callback_set(m,
                                       [](mosquitto*, void* user, int, const mosquitto_property*) {
                                         Listener(user).OnDisconnect();
                                       });
  mosquitto_publish_v5_callback_set(
      m, [](mosquitto*, void* user, int, int rc, const mosquitto_property*) {
        Listener(user).OnPuback(rc);
      });
  mosquitto_unsubscribe_v5_callback_set(
      m,
      [](mosquitto*, void* user, int, const mosquitto_property*) { Listener(user).OnUnsuback(); });
  mosquitto_message_v5_callback_set(
      m, [](mosquitto*, void* user, const mosquitto_message* message,
            const mosquitto_property* properties) { OnMessage(user, *message, properties); });
}

}  // namespace

Result<Client> NewClient(const LinkOptions& options, ClientListener& listener) {
  InitLibrary();
  Client client(mosquitto_new(options.client_id.c_str(), true, &listener));
  if (client == nullptr) return Fail(ErrorCode::kUsage, options.client_id, "is no MQTT client id");
  mosquitto* const m = client.get();
  mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, options.receive_maximum);
  if (!options.broker.user.empty()) {
    mosquitto_username_pw_set(m, options.broker.user.c_str(), options.broker.password.c_str());
  }
  if (options.broker.tls) FOGLINE_CHECK(UseTls(m, options));
  Listen(m);
  return client;
}

Properties PublishProperties(const std::string& response_topic) {
  if (response_topic.empty()) return nullptr;
  mosquitto_property* raw = nullptr;
  mosquitto_property_add_string(&raw, MQTT_PROP_RESPONSE_TOPIC, response_topic.c_str());
  return Properties(raw);
}

}  // namespace fogline
