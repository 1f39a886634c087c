// What one device's flood costs the others: honest devices that send two results a second each,
// first in quiet, then while one more device sends whole pictures as fast as --flood says. The
// cloud has one core and one worker; the broker, which is real, and the devices have another. Says
// the honest devices' p99 in both, the ratio, what the flood was answered, and how long after its
// end every queue was empty.
//
//   fair_bench [--flood FRAMES_PER_SECOND] [--devices N] [--seconds N]
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/stats.h"
#include "cloud/cloud.h"
#include "edge/mechanism.h"
#include "frame/ack.h"
#include "frame/topics.h"
#include "servers/local_broker.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
constexpr double kHonestPerSecond = 2;
constexpr Nanos kLongest = 60s;  // for queues to empty

struct Options {
  double flood = 950, seconds = 20;
  int devices = 10;
};

Nanos Now() { return Clock::Real().Steady(); }
double Seconds(Nanos t) { return std::chrono::duration<double>(t).count(); }

/// Of this thread and those that it starts, processes too.
void UseCore(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  (void)sched_setaffinity(0, sizeof(set), &set);
}

/// A connection that sends one frame over and over, under a name of its own each time, and counts
/// what it is answered. One thread sends.
class Device final : private LinkHandler {
 public:
  static Result<std::unique_ptr<Device>> Open(const BrokerAddress& broker, const std::string& name,
                                              const Mechanism& mechanism,
                                              const Prepared& prepared) {
    auto device = std::unique_ptr<Device>(new Device(name));
    mechanism.Stamp(device->frame_);
    device->frame_.payloads = prepared.payloads;
    LinkOptions options;
    options.broker = broker;
    options.name = name;
    FOGLINE_TRY(device->link_, Link::Make(options, *device));
    device->link_->Start();
    for (const Nanos end = Now() + 30s; !device->ready_;) {
      if (Now() > end) return Fail(ErrorCode::kUnavailable, name, "does not connect");
      std::this_thread::sleep_for(1ms);
    }
    return device;
  }

  ~Device() override { link_->Stop(); }

  /// One frame, now.
  void Send() {
    {
      const std::lock_guard lock(mutex_);
      under_way_[frame_.sequence] = Now();
    }
    (void)WriteFrame(frame_, bytes_);
    ++frame_.sequence;
    if (!link_->Publish(topic_, bytes_, 1, answers_)) ++unsent_;
  }

  size_t unanswered() {
    const std::lock_guard lock(mutex_);
    return under_way_.size();
  }
  /// From sending to "stored", milliseconds.
  std::vector<double> TakeLatencies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }
  std::array<uint64_t, 4> answers() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  uint64_t sent() const { return frame_.sequence - unsent_; }

 private:
  explicit Device(const std::string& name) : topic_(FrameTopic(name)), answers_(AckTopic(name, 7)) {
    frame_.device = name;
    frame_.run = 7;
  }
  void OnConnected() override { ready_ = link_->Subscribe(answers_, 0).has_value(); }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    const auto ack = ParseAck(message.payload);
    if (!ack) return;
    const std::lock_guard lock(mutex_);
    ++counts_[static_cast<size_t>(ack->status)];
    const auto found = under_way_.find(ack->sequence);
    if (found == under_way_.end()) return;
    if (ack->status == AckStatus::kStored) {
      latencies_.push_back(Seconds(Now() - found->second) * 1e3);
    }
    under_way_.erase(found);
  }

  const std::string topic_, answers_;
  Frame frame_;
  std::vector<std::byte> bytes_;
  uint64_t unsent_ = 0;
  std::unique_ptr<Link> link_;
  std::atomic<bool> ready_{false};
  std::mutex mutex_;
  std::unordered_map<uint64_t, Nanos> under_way_;
  std::vector<double> latencies_;
  std::array<uint64_t, 4> counts_{};
};

using Devices = std::vector<std::unique_ptr<Device>>;

/// Every honest device at its pace, one after the other through each period, and the flood at its
/// own where there is one. Returns what the honest waited.
Summary Phase(const Options& options, Devices& honest, Device* flood) {
  std::jthread flooding;
  if (flood != nullptr) {
    flooding = std::jthread([&](const std::stop_token& stop) {
      const Nanos start = Now();
      for (uint64_t sent = 0; !stop.stop_requested();) {
        const auto due = static_cast<uint64_t>(Seconds(Now() - start) * options.flood);
        for (; sent < due && !stop.stop_requested(); ++sent) flood->Send();
        std::this_thread::sleep_for(500us);
      }
    });
  }
  const auto frames = static_cast<size_t>(options.seconds * kHonestPerSecond) * honest.size();
  const double apart = 1 / (kHonestPerSecond * static_cast<double>(honest.size()));
  const Nanos start = Now();
  for (size_t i = 0; i < frames; ++i) {
    const Nanos due = start + Nanos(static_cast<int64_t>(static_cast<double>(i) * apart * 1e9));
    std::this_thread::sleep_for(std::max(Nanos(0), due - Now()));
    honest[i % honest.size()]->Send();
  }
  flooding = {};
  std::vector<double> all;
  for (const Nanos end = Now() + kLongest; Now() < end; std::this_thread::sleep_for(1ms)) {
    if (std::ranges::all_of(honest, [](const auto& d) { return d->unanswered() == 0; })) break;
  }
  for (auto& device : honest) {
    const auto some = device->TakeLatencies();
    all.insert(all.end(), some.begin(), some.end());
  }
  return Summarize(all);
}

Status Run(const Options& options) {
  SetLogLevel(LogLevel::kError);
  UseCore(1);
  FOGLINE_TRY(const Network network, LoadNetwork(kModels / "litter.onnx"));
  FOGLINE_TRY(const auto pictures, ListImages(kModels / "demo"));
  FOGLINE_TRY(const Picture picture, LoadPicture(pictures[0], 320));
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  FOGLINE_TRY(const BrokerAddress address, ParseBroker(broker->url()));
  const auto with = [&](const char* cut, const char* codec) {
    MechanismOptions mechanism;
    mechanism.cut = cut;
    mechanism.codec = codec;
    return Mechanism::Make(network, mechanism);
  };
  FOGLINE_TRY(const auto results, with("output", ""));
  FOGLINE_TRY(const auto whole, with("input", "jpeg:90"));
  Prepared result, heavy;
  FOGLINE_CHECK(results->Process(picture.image, result));
  FOGLINE_CHECK(whole->Process(picture.image, heavy));

  const TempDir dir;
  UseCore(0);
  FOGLINE_TRY(const auto store, OpenStore("sqlite:" + (dir.path() / "bench.db").string()));
  CloudOptions cloud_options;
  cloud_options.link.broker = address;
  cloud_options.models.folder = kModels;
  cloud_options.device_rate = 1000;  // as `fogline cloud` has it
  FOGLINE_TRY(const auto cloud, Cloud::Start(cloud_options, *store, [] {}));
  UseCore(1);

  Devices honest;
  for (int i = 0; i < options.devices; ++i) {
    FOGLINE_TRY(auto device, Device::Open(address, fmt::format("honest-{}", i), *results, result));
    honest.push_back(std::move(device));
  }
  FOGLINE_TRY(const auto flood, Device::Open(address, "flood", *whole, heavy));
  // Both networks are open, and the line is warm.
  for (Device* device : {honest[0].get(), flood.get()}) {
    do {
      device->Send();
      std::this_thread::sleep_for(200ms);
    } while (device->TakeLatencies().empty());
  }
  const auto answered = [&] { return flood->answers()[0]; };
  const uint64_t before = answered(), sent_before = flood->sent();
  const Summary quiet = Phase(options, honest, nullptr);
  const Nanos start = Now();
  const Summary flooded = Phase(options, honest, flood.get());
  const Nanos ended = Now();
  const double worked = static_cast<double>(answered() - before) / Seconds(ended - start);
  // All that was sent has come to the cloud and left it again.
  const CloudStats& stats = cloud->stats();
  uint64_t seen = 0, last = 1;
  Nanos changed = ended;
  for (; Now() < ended + kLongest; std::this_thread::sleep_for(5ms)) {
    seen = stats.stored + stats.duplicates + stats.refused + stats.retried + stats.limited;
    if (seen != last) changed = Now();
    last = seen;
    if (stats.waiting == 0 && Now() - changed > 3s) break;
  }
  const auto counts = flood->answers();
  fmt::print("honest devices    {} at {}/s each\n", options.devices, kHonestPerSecond);
  fmt::print("quiet             p50 {:.2f} ms   p99 {:.2f} ms\n", quiet.p50, quiet.p99);
  fmt::print("flooded           p50 {:.2f} ms   p99 {:.2f} ms   {} of {} answered\n", flooded.p50,
             flooded.p99, flooded.count, quiet.count);
  fmt::print("ratio of the p99  {:.2f}\n", flooded.p99 / quiet.p99);
  fmt::print("flood             {} sent, {:.0f}/s stored, {} not now, {} not looked at\n",
             flood->sent() - sent_before, worked, counts[3], stats.limited.load());
  fmt::print("queues empty      {:.2f} s after the flood\n", Seconds(changed - ended));
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (flag == "--flood") options.flood = value;
    if (flag == "--devices") options.devices = static_cast<int>(value);
    if (flag == "--seconds") options.seconds = value;
  }
  const fogline::Status status = fogline::Run(options);
  if (!status) fmt::print(stderr, "fair_bench: {}\n", status.error().ToString());
  return status ? 0 : 1;
}
