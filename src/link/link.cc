#include "link/link.h"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "base/log.h"
#include "link/backoff.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How long the loop sleeps when nothing happens; publishing and stopping wake it.
constexpr int kLoopMs = 200;

/// mosquitto_lib_init is not thread-safe and wants one call.
void InitLibrary() {
  static const int once = mosquitto_lib_init();
  (void)once;
}

struct PropertiesDelete {
  void operator()(mosquitto_property* p) const { mosquitto_property_free_all(&p); }
};
using Properties = std::unique_ptr<mosquitto_property, PropertiesDelete>;

struct MosquittoDelete {
  void operator()(mosquitto* m) const { mosquitto_destroy(m); }
};

class MosquittoLink final : public Link {
 public:
  MosquittoLink(const LinkOptions& options, LinkHandler& handler)
      : options_(options), handler_(handler), backoff_(100ms, 10s, std::random_device{}()) {}

  ~MosquittoLink() override { Stop(); }

  Status Open() {
    InitLibrary();
    client_.reset(mosquitto_new(options_.client_id.c_str(), true, this));
    if (client_ == nullptr)
      return Fail(ErrorCode::kUsage, options_.client_id, "is no MQTT client id");
    mosquitto* m = client_.get();
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, options_.receive_maximum);
    // Other threads publish: this makes the library wake our loop for them.
    mosquitto_threaded_set(m, true);
    if (!options_.broker.user.empty()) {
      mosquitto_username_pw_set(m, options_.broker.user.c_str(), options_.broker.password.c_str());
    }
    if (options_.broker.tls) {
      const auto file = [](const std::string& name) {
        return name.empty() ? nullptr : name.c_str();
      };
      const bool own_ca = !options_.ca_file.empty();
      const int rc =
          mosquitto_tls_set(m, file(options_.ca_file), own_ca ? nullptr : "/etc/ssl/certs",
                            file(options_.cert_file), file(options_.key_file), nullptr);
      if (rc != MOSQ_ERR_SUCCESS) {
        return Fail(ErrorCode::kUsage, options_.broker.ToString(),
                    "TLS files cannot be used ({}): check --ca, --cert and --key",
                    mosquitto_strerror(rc));
      }
    }
    mosquitto_connect_v5_callback_set(
        m, [](mosquitto*, void* self, int rc, int, const mosquitto_property*) {
          static_cast<MosquittoLink*>(self)->OnConnack(rc);
        });
    mosquitto_disconnect_v5_callback_set(
        m, [](mosquitto*, void* self, int, const mosquitto_property*) {
          static_cast<MosquittoLink*>(self)->OnDisconnect();
        });
    mosquitto_publish_v5_callback_set(
        m, [](mosquitto*, void* self, int, int rc, const mosquitto_property*) {
          if (rc == MQTT_RC_NO_MATCHING_SUBSCRIBERS)
            static_cast<MosquittoLink*>(self)->handler_.OnNobodyListens();
        });
    mosquitto_message_v5_callback_set(
        m, [](mosquitto*, void* self, const mosquitto_message* message,
              const mosquitto_property* properties) {
          static_cast<MosquittoLink*>(self)->OnMessage(*message, properties);
        });
    return {};
  }

  void Start() override {
    thread_ = std::thread([this] { Loop(); });
  }

  Status Publish(const std::string& topic, std::span<const std::byte> payload, int qos,
                 const std::string& response_topic) override {
    if (!connected_)
      return Fail(ErrorCode::kUnavailable, options_.broker.ToString(), "is not connected");
    Properties properties;
    if (!response_topic.empty()) {
      mosquitto_property* raw = nullptr;
      mosquitto_property_add_string(&raw, MQTT_PROP_RESPONSE_TOPIC, response_topic.c_str());
      properties.reset(raw);
    }
    const int rc = mosquitto_publish_v5(client_.get(), nullptr, topic.c_str(),
                                        static_cast<int>(payload.size()), payload.data(), qos,
                                        false, properties.get());
    if (rc != MOSQ_ERR_SUCCESS) {
      return Fail(rc == MOSQ_ERR_OVERSIZE_PACKET ? ErrorCode::kExhausted : ErrorCode::kUnavailable,
                  topic, "cannot publish {} bytes: {}", payload.size(), mosquitto_strerror(rc));
    }
    return {};
  }

  Status Subscribe(const std::string& filter, int qos) override {
    const int rc = mosquitto_subscribe(client_.get(), nullptr, filter.c_str(), qos);
    if (rc != MOSQ_ERR_SUCCESS) {
      return Fail(ErrorCode::kUnavailable, filter, "cannot subscribe: {}", mosquitto_strerror(rc));
    }
    return {};
  }

  bool connected() const override { return connected_; }

  void Stop() override {
    if (!thread_.joinable()) return;
    stopping_ = true;
    mosquitto_disconnect_v5(client_.get(), 0, nullptr);
    wake_.notify_all();
    thread_.join();
  }

 private:
  void Loop() {
    while (!stopping_) {
      int rc = mosquitto_connect_async(client_.get(), options_.broker.host.c_str(),
                                       options_.broker.port, options_.keepalive_s);
      while (rc == MOSQ_ERR_SUCCESS && !GaveUp()) rc = mosquitto_loop(client_.get(), kLoopMs, 1);
      if (stopping_) break;
      Lost(mosquitto_strerror(rc));
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, backoff_.Next(), [this] { return stopping_.load(); });
    }
    connected_ = false;
  }

  /// A disconnect that was asked for before the connection stood is forgotten by the library: ask
  /// again, and wait for its end only so long.
  bool GaveUp() {
    if (!stopping_) return false;
    const Nanos now = Clock::Real().Steady();
    if (give_up_at_ == Nanos(0)) {
      give_up_at_ = now + 1s;
      mosquitto_disconnect_v5(client_.get(), 0, nullptr);
    }
    return now > give_up_at_;
  }

  /// Once per loss, not once per try.
  void Lost(const char* why) {
    if (!said_lost_) LogWarning("broker {}: {}; trying again", options_.broker.ToString(), why);
    said_lost_ = true;
  }

  void OnConnack(int rc) {
    if (rc != 0) {
      Lost(mosquitto_reason_string(rc));
      mosquitto_disconnect_v5(client_.get(), 0, nullptr);
      return;
    }
    if (said_lost_) LogInfo("broker {}: connected", options_.broker.ToString());
    said_lost_ = false;
    backoff_.Reset();
    connected_ = true;
    handler_.OnConnected();
  }

  void OnDisconnect() {
    const bool was = connected_.exchange(false);
    if (was && !stopping_) handler_.OnDisconnected();
  }

  void OnMessage(const mosquitto_message& message, const mosquitto_property* properties) {
    char* response = nullptr;
    mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &response, false);
    const std::unique_ptr<char, decltype(&free)> owner(response, free);
    handler_.OnMessage(
        {message.topic,
         {static_cast<const std::byte*>(message.payload), static_cast<size_t>(message.payloadlen)},
         response != nullptr ? response : ""});
  }

  LinkOptions options_;
  LinkHandler& handler_;
  std::unique_ptr<mosquitto, MosquittoDelete> client_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> connected_{false}, stopping_{false};
  Backoff backoff_;         // this thread only
  bool said_lost_ = false;  // this thread only
  Nanos give_up_at_{0};     // this thread only
};

}  // namespace

std::string BrokerAddress::ToString() const {
  return fmt::format("{}://{}{}:{}", tls ? "mqtts" : "mqtt", user.empty() ? "" : user + "@", host,
                     port);
}

Result<BrokerAddress> ParseBroker(const std::string& url) {
  const auto bad = [&] {
    return Fail(ErrorCode::kUsage, url,
                "is no broker address: write mqtt://host:port or mqtts://host:port");
  };
  BrokerAddress address;
  std::string_view rest = url;
  if (rest.starts_with("mqtts://")) {
    address.tls = true;
    address.port = 8883;
    rest.remove_prefix(8);
  } else if (rest.starts_with("mqtt://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    const std::string_view login = rest.substr(0, at);
    const size_t colon = login.find(':');
    address.user = login.substr(0, colon);
    if (colon != login.npos) address.password = login.substr(colon + 1);
    rest.remove_prefix(at + 1);
  }
  // [::1]:1883 keeps its colons inside the brackets.
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.find(':', bracket == rest.npos ? 0 : bracket);
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host;
  if (colon != rest.npos) {
    const std::string_view port = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size()) return bad();
  }
  if (address.host.empty() || address.port < 1 || address.port > 65535) return bad();
  return address;
}

Result<std::unique_ptr<Link>> Link::Make(const LinkOptions& options, LinkHandler& handler) {
  auto link = std::make_unique<MosquittoLink>(options, handler);
  FOGLINE_CHECK(link->Open());
  return link;
}

}  // namespace fogline
