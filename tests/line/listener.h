// Who listens to a device's frames beside the cloud.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "frame/frame_route.h"
#include "frame/topics.h"
#include "link/link.h"
#include "tests/line/line.h"

namespace fogline {

/// Hears every frame of one device, whoever else does.
class Listener final : private LinkHandler {
 public:
  Listener(const std::string& broker, const std::string& device) : topic_(FrameTopic(device)) {
    LinkOptions options;
    options.broker = *ParseBroker(broker);
    options.name = "listener-" + device;
    link_ = *Link::Make(options, *this);
    link_->Start();
    EXPECT_TRUE(Until([&] { return subscribed_.load(); }));
  }
  ~Listener() override { link_->Stop(); }

  /// By sequence: what the frame says of its way, and the bytes that cross.
  using Sent = std::map<uint64_t, std::pair<std::string, std::vector<std::byte>>>;
  Sent sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  void OnConnected() override { subscribed_ = link_->Subscribe(topic_, 1).has_value(); }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    Frame frame;
    if (!ParseFrame(message.payload, frame) || frame.payloads.empty()) return;
    const std::lock_guard lock(mutex_);
    const auto bytes = frame.payloads[0].bytes;
    sent_[frame.sequence] = {fmt::format("{} {:016x}", ToString(*RouteOf(frame)), frame.bundle),
                             {bytes.begin(), bytes.end()}};
  }

  const std::string topic_;
  std::unique_ptr<Link> link_;
  std::atomic<bool> subscribed_{false};
  mutable std::mutex mutex_;
  Sent sent_;
};

}  // namespace fogline
