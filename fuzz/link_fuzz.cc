// Any bytes as what a broker says: the session gives an error or goes on, and however the bytes are
// cut it says the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "link/session.h"

namespace {

using namespace fogline;

class Heard final : public SessionListener {
 public:
  void OnConnack(uint32_t most) override { said += "c" + std::to_string(most); }
  void OnPuback(uint8_t reason) override { said += "p" + std::to_string(reason); }
  void OnSuback(uint8_t reason) override { said += "s" + std::to_string(reason); }
  void OnUnsuback() override { said += "u"; }
  void OnPublish(const Message& m) override {
    said.append("m").append(m.topic).append(m.response_topic);
    said += std::to_string(m.payload.size());
  }
  std::string said;
};

std::string Said(std::span<const uint8_t> bytes, size_t piece) {
  Heard heard;
  MqttSession session({.client_id = "fuzz", .user = "", .password = "", .most_packet = 1 << 20},
                      heard, Nanos(0));
  const auto speak = [&] {
    for (int i = 0; i < 3; ++i) (void)session.Publish("a", {}, 1, "b");
    (void)session.Subscribe("c", 1);
    (void)session.Unsubscribe("c");
  };
  speak();
  while (!bytes.empty()) {
    const auto space = session.Space();
    const size_t count = std::min({space.size(), bytes.size(), piece});
    std::transform(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count), space.begin(),
                   [](uint8_t b) { return std::byte{b}; });
    const Status status = session.Filled(count, Nanos(0));
    if (!status) return heard.said + status.error().message;
    bytes = bytes.subspan(count);
    session.Sent(session.Pending().size() / 2, Nanos(0));
  }
  return heard.said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (Said({data, size}, SIZE_MAX) != Said({data, size}, 3)) std::abort();
  return 0;
}
