#include "cloud/cloud.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "base/trace.h"
#include "cloud/arrivals.h"
#include "cloud/committer.h"
#include "cloud/complaints.h"
#include "cloud/device_windows.h"
#include "cloud/guard.h"
#include "cloud/route_costs.h"
#include "cloud/share_group.h"
#include "cloud/worker.h"
#include "frame/answer.h"
#include "frame/head.h"
#include "frame/topics.h"
#include "profile/library.h"

namespace fogline {
namespace {

/// What is worked through is small, and the more of it waits for the disk, the fewer syncs it
/// takes.
constexpr size_t kFinishedPerArrived = 4;
constexpr Nanos kLeaving = std::chrono::seconds(5);  // for the broker to say that we have left
/// A device may bring twice what all workers could do if they did nothing else; what is beyond is
/// not even looked at.
constexpr double kMostLoad = 2;
constexpr size_t kPacketBytes = 512;  // around a frame at most: topics and the like

constexpr int kWorkerNice = 5;
constexpr Nanos kWorkerSlice = std::chrono::milliseconds(100);  // the longest that Linux takes

/// What sched_setattr(2) takes: the kernel's struct as it first was. Its header and libc's do not
/// go together.
struct Schedule {
  uint32_t size = sizeof(Schedule), policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = kWorkerNice;
  uint32_t priority = 0;
  uint64_t slice_ns = static_cast<uint64_t>(kWorkerSlice.count()), deadline_ns = 0, period_ns = 0;
};

/// A worker computes for milliseconds, link and committer for microseconds: where they share a core
/// these come first, or each of them would wait for a slice of its time. A Linux from 6.12 on lets
/// a thread of a shorter slice in at once; an older one looks at how nice a thread is alone. Of
/// this thread alone.
void StepBack() {
  const Schedule wanted;
  syscall(SYS_sched_setattr, 0, &wanted, 0);
}

class CloudImpl final : public Cloud, private LinkHandler {
 public:
  CloudImpl(const CloudOptions& options, Store& store, std::function<void()> stored)
      : options_(options),
        store_(store),
        stored_(std::move(stored)),
        windows_(WindowsOf(options)),
        arrived_(LimitsOf(options)),
        guard_(options.device_rate) {}

  ~CloudImpl() override { Stop(); }

  Status Open() {
    FOGLINE_TRY(registry_, Registry::Open(options_.models));
    if (!options_.pace.empty()) {
      FOGLINE_TRY(pace_, FindMachine(options_.pace, "--pace"));
    }
    if (registry_->models() == 0) {
      LogWarning("{}: holds no .onnx file yet; frames wait on their devices until one is there",
                 options_.models.folder.string());
    }
    if (!options_.raw.folder.empty()) {
      FOGLINE_TRY(raw_, RawKeeper::Open(options_.raw));
    }
    if (!options_.hard.folder.empty()) {
      FOGLINE_TRY(hard_, HardKeeper::Open(options_.hard));
    }
    if (options_.group.empty()) {
      FOGLINE_TRY(options_.group, ShareGroup(options_.link));
    }
    options_.link.name = "fogline-cloud";
    // What is too large is refused from its header, with an answer.
    options_.link.most_incoming = 0;
    if (!options_.trace.empty()) {
      FOGLINE_TRY(trace_, TraceFile::Create(options_.trace,
                                            fmt::format("fogline-cloud-{:016x}", RandomBits())));
    }
    FOGLINE_TRY(link_, Link::Make(options_.link, *this));
    GroupCommit::Limits limits;
    limits.frames = kFinishedPerArrived * options_.queue;
    limits.bytes = options_.queue_bytes;
    limits.workers_commit = options_.workers > 1;
    committer_ = std::make_unique<Committer>(
        limits, Committer::Parts{&store_, link_.get(), &stats_, &unstored_, &complaints_, &audits_,
                                 trace_.get(), std::move(stored_)});
    for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { WorkLoop(); });
    link_->Start();
    return {};
  }

  const CloudStats& stats() const override { return stats_; }
  CloudHeld held() const override {
    return {.networks = registry_->held_bytes(),
            .waiting = arrived_.bytes(),
            .results = committer_->bytes(),
            .unsent = link_->unsent_bytes(),
            .window = windows_.most()};
  }
  CloudRemembers remembers() const override {
    return {.watched = stats_.watched,
            .troubles = unstored_.count(),
            .costs = costs_.count(),
            .decoders = stats_.decoders,
            .failures = registry_->failures()};
  }
  bool connected() const override { return link_->connected() && !stopped_; }
  const RawKeeper* raw() const override { return raw_.get(); }
  const HardKeeper* hard() const override { return hard_.get(); }
  std::vector<AuditWatch::Standing> audits() const override { return audits_.standings(); }
  std::map<std::string, Unstored> unstored() const override { return unstored_.all(); }

  void Stop() override {
    if (stopped_.exchange(true)) return;
    // In the order of the flow, so that every frame that came is stored and answered.
    if (link_ != nullptr && link_->connected() &&
        link_->Unsubscribe(WorkerFilter(options_.group))) {
      std::unique_lock lock(leaving_mutex_);
      left_changed_.wait_for(lock, kLeaving, [this] { return left_; });
    }
    arrived_.Close();
    workers_.clear();  // once each has seen that nothing more arrives
    if (committer_ != nullptr) committer_->Stop();
    if (link_ != nullptr) link_->Stop();
  }

 private:
  static FairLimits LimitsOf(const CloudOptions& options) {
    FairLimits limits;
    limits.frames = options.queue;
    limits.bytes = options.queue_bytes;
    limits.device_us *= options.workers;
    limits.little_us *= options.workers;
    return limits;
  }
  /// Half of what may be under way in all, and a quarter of the bytes that may wait.
  static DeviceWindows::Limits WindowsOf(const CloudOptions& options) {
    return {(1 + kFinishedPerArrived) * options.queue / 2, options.queue_bytes / 4};
  }

  void OnConnected() override {
    if (stopped_) return;
    const size_t most = link_->most_packet();
    if (most > 0 && most < options_.most_bytes + kPacketBytes) {
      LogWarning(
          "broker {}: takes packets of {} bytes at most, less than frames of --max-frame {} need: "
          "devices keep what is larger as dead letters",
          options_.link.broker.ToString(), most, options_.most_bytes);
    }
    if (const Status status = link_->Subscribe(WorkerFilter(options_.group), 1); !status) {
      LogError("{}", status.error().ToString());
    }
  }
  void OnDisconnected() override {}
  void OnUnsubscribed() override {
    const std::lock_guard lock(leaving_mutex_);
    left_ = true;
    left_changed_.notify_all();
  }

  void OnMessage(const Message& message) override {
    const Nanos now = Clock::Real().Steady();
    auto device = DeviceOfFrameTopic(message.topic);
    if (!device) {
      complaints_.Say(fmt::format("{}: is no frame topic", message.topic));
      return;
    }
    const auto head = ReadFrameHead(message.payload);
    const HalvesKey halves = head ? HalvesKey{head->model, head->cut} : HalvesKey{};
    const double us = costs_.Expected(halves);
    const bool admitted = guard_.Admit(*device, now, us * options_.device_rate / MostUsASecond());
    stats_.watched = guard_.devices();
    if (!admitted) {
      ++stats_.limited;
      complaints_.Say(fmt::format(
          "device {}: sends more than {} frames a second, or more than {} times what all "
          "workers can do; what is beyond is dropped",
          *device, options_.device_rate, kMostLoad));
      return;
    }
    Arrived frame;
    // Answers go below the device's own branch only: a frame cannot make us write elsewhere.
    if (message.response_topic.starts_with(AckTopicPrefix(*device)) &&
        message.response_topic.find_first_of("+#") == std::string_view::npos) {
      frame.answer_to = message.response_topic;
    }
    if (message.payload.size() > options_.most_bytes) {
      const Error error{ErrorCode::kUnsupported, "frame",
                        fmt::format("has {} bytes, and this cloud's --max-frame is {}",
                                    message.payload.size(), options_.most_bytes)};
      return AnswerUnread(message.payload, *device, frame.answer_to, error);
    }
    frame.place = windows_.Enter(*device, message.payload.size());
    if (!frame.place) return PutOff(message.payload, *device, frame.answer_to);
    frame.bytes.assign(message.payload.begin(), message.payload.end());
    frame.device = *std::move(device);
    frame.halves = halves;
    frame.at = now;
    ++stats_.waiting;
    // Waits where everything is full, which holds back the broker.
    for (const Arrived& other : arrived_.Push(std::move(frame), us)) {
      --stats_.waiting;
      PutOff(other.bytes, other.device, other.answer_to);
    }
  }

  void PutOff(std::span<const std::byte> bytes, const std::string& device,
              const std::string& answer_to) {
    ++stats_.put_off;
    AnswerUnread(bytes, device, answer_to,
                 {ErrorCode::kExhausted, "cloud",
                  "has enough frames of this device waiting; the frame is to be sent again"});
  }

  double MostUsASecond() const { return 1e6 * kMostLoad * options_.workers; }

  /// A frame beyond a limit is answered from its header, so that its device need not hold it for
  /// ever, or knows that it is not lost. On the link's thread.
  void AnswerUnread(std::span<const std::byte> bytes, const std::string& device,
                    const std::string& answer_to, const Error& error) {
    ++stats_.received;
    complaints_.Say(fmt::format("device {}: {}", device, error.ToString()));
    const auto head = ReadFrameHead(bytes);
    Ack ack;
    if (head) {
      ack.run = head->run;
      ack.sequence = head->sequence;
    }
    Blame(ack, AnswerTo(error), error);
    stats_.CountUnstored(ack.status, error.code);
    unstored_.Count(device, ack.status, error, Clock::Real().Steady());
    if (!head || answer_to.empty()) return;
    std::vector<std::byte> answer;
    WriteAck(ack, answer);
    (void)link_->Publish(answer_to, answer, 0);
  }

  /// What was not read to its end is answered by the name in its header, so that its device hears.
  static void Name(Finished& finished, std::span<const std::byte> bytes) {
    const auto head = ReadFrameHead(bytes);
    if (!head) return;
    finished.run = head->run;
    finished.sequence = head->sequence;
  }

  void WorkLoop() {
    StepBack();
    Worker worker(*registry_, pace_ ? &*pace_ : nullptr, raw_.get(), options_.thumbnail,
                  hard_.get());
    while (auto taken = arrived_.Pop()) {
      --stats_.waiting;
      Arrived& frame = taken->value;
      Finished finished;
      finished.device = frame.device;
      finished.answer_to = std::move(frame.answer_to);
      finished.at = frame.at;
      finished.place = std::move(frame.place);
      const Nanos start = Clock::Real().Steady();
      finished.queue_us = Micros(start - frame.at);
      const size_t decoders = worker.decoders();
      finished.worked = worker.Work(frame.bytes, frame.device);
      stats_.decoders += worker.decoders() - decoders;
      finished.took = Clock::Real().Steady() - start - worker.last_opening();
      const double us = Micros(finished.took);
      if (finished.worked) {
        costs_.Measured(frame.halves, us);
        if (finished.worked->time_not_believed) ++stats_.times_not_believed;
        if (finished.worked->thumbnail_left_out) ++stats_.thumbnails_left_out;
      }
      arrived_.Worked(frame.device, taken->us, us);
      finished.run = worker.last_run();
      finished.sequence = worker.last_sequence();
      if (!finished.worked) {
        Name(finished, frame.bytes);
        complaints_.Say(
            fmt::format("device {}: {}", frame.device, finished.worked.error().ToString()));
      }
      if (!finished.worked || finished.worked->detection) ++stats_.received;
      committer_->Hand(std::move(finished));
    }
  }

  CloudOptions options_;
  Store& store_;
  std::function<void()> stored_;
  CloudStats stats_;
  std::unique_ptr<RawKeeper> raw_;
  std::unique_ptr<HardKeeper> hard_;
  AuditWatch audits_;
  UnstoredByDevice unstored_;
  Complaints complaints_;
  std::unique_ptr<Registry> registry_;
  std::optional<Machine> pace_;
  std::unique_ptr<TraceFile> trace_;
  DeviceWindows windows_;  // before what has frames
  Arrivals arrived_;
  RouteCosts costs_;
  DeviceGuard guard_;  // link's thread only
  std::unique_ptr<Link> link_;
  std::vector<std::jthread> workers_;
  std::unique_ptr<Committer> committer_;
  std::atomic<bool> stopped_{false};
  std::mutex leaving_mutex_;
  std::condition_variable left_changed_;
  bool left_ = false;  // under leaving_mutex_
};

}  // namespace

Result<std::unique_ptr<Cloud>> Cloud::Start(const CloudOptions& options, Store& store,
                                            std::function<void()> stored) {
  auto cloud = std::make_unique<CloudImpl>(options, store, std::move(stored));
  FOGLINE_CHECK(cloud->Open());
  return cloud;
}

}  // namespace fogline
