#include "cloud/cloud.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/trace.h"
#include "cloud/channel.h"
#include "cloud/guard.h"
#include "cloud/share_group.h"
#include "cloud/worker.h"
#include "frame/answer.h"
#include "frame/head.h"
#include "frame/topics.h"
#include "profile/library.h"

namespace fogline {
namespace {

/// A frame as it came, and when.
struct Arrived {
  std::vector<std::byte> bytes;
  std::string device;
  std::string answer_to;  // response topic, checked to be the device's own
  Nanos at{0};
};

/// A frame worked through (or refused), on its way to the store.
struct Finished {
  Result<Worked> worked;
  uint64_t run = 0, sequence = 0;
  std::string device, answer_to;
  Nanos at{0};
  uint32_t queue_us = 0;
};

/// A full batch shares one sync of the disk; at thousands of frames a second that is what makes a
/// slow disk bearable.
constexpr size_t kMostInBatch = 1024;
/// While frames wait for a worker, a commit waits for company: alone it would take the processor
/// from the workers for a quarter of a millisecond.
constexpr size_t kCompany = 16;
constexpr Nanos kPatience = std::chrono::milliseconds(4);
/// What is worked through is small, and the more of it waits for the disk, the fewer syncs it
/// takes.
constexpr size_t kFinishedPerArrived = 4;
constexpr Nanos kLeaving = std::chrono::seconds(5);  // for the broker to say that we have left
constexpr size_t kPacketBytes = 512;                 // around a frame at most: topics and the like
constexpr Nanos kComplaintPeriod = std::chrono::seconds(10);
constexpr uint64_t kMostComplaints = 20;  // in a period

class CloudImpl final : public Cloud, private LinkHandler {
 public:
  CloudImpl(const CloudOptions& options, Store& store, std::function<void()> stored)
      : options_(options),
        store_(store),
        stored_(std::move(stored)),
        arrived_(options.queue, options.queue_bytes),
        finished_(kFinishedPerArrived * options.queue, options.queue_bytes),
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
    if (options_.group.empty()) {
      FOGLINE_TRY(options_.group, ShareGroup(options_.link));
    }
    uint64_t id = 0;
    while (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
    }
    options_.link.client_id = fmt::format("fogline-cloud-{:016x}", id);
    if (!options_.trace.empty()) {
      FOGLINE_TRY(trace_, TraceFile::Create(options_.trace, options_.link.client_id));
    }
    FOGLINE_TRY(link_, Link::Make(options_.link, *this));
    for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { WorkLoop(); });
    storing_ = std::thread([this] { StoreLoop(); });
    link_->Start();
    return {};
  }

  const CloudStats& stats() const override { return stats_; }

  void Stop() override {
    if (stopped_.exchange(true)) return;
    // In the order of the flow, so that every frame that came is stored and answered.
    if (link_ != nullptr && link_->connected() &&
        link_->Unsubscribe(WorkerFilter(options_.group))) {
      std::unique_lock lock(leaving_mutex_);
      left_changed_.wait_for(lock, kLeaving, [this] { return left_; });
    }
    arrived_.Close();
    for (std::thread& worker : workers_) worker.join();
    finished_.Close();
    if (storing_.joinable()) storing_.join();
    if (link_ != nullptr) link_->Stop();
  }

 private:
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
      Complain(fmt::format("{}: is no frame topic", message.topic));
      return;
    }
    if (!guard_.Admit(*device, now)) {
      ++stats_.limited;
      Complain(
          fmt::format("device {}: sends more than {} frames a second; what is beyond is dropped",
                      *device, options_.device_rate));
      return;
    }
    Arrived frame;
    // Answers go below the device's own branch only: a frame cannot make us write elsewhere.
    if (message.response_topic.starts_with(AckTopicPrefix(*device)) &&
        message.response_topic.find_first_of("+#") == std::string_view::npos) {
      frame.answer_to = message.response_topic;
    }
    if (message.payload.size() > options_.most_bytes) {
      return RefuseUnread(message, *device, frame.answer_to);
    }
    frame.bytes.assign(message.payload.begin(), message.payload.end());
    frame.device = *std::move(device);
    frame.at = now;
    ++stats_.waiting;
    const size_t weight = frame.bytes.size();
    // Waits for room, which holds back the broker.
    if (!arrived_.Push(std::move(frame), weight)) --stats_.waiting;
  }

  /// A frame beyond the limit is answered from its header, so that its device need not hold it for
  /// ever. On the link's thread.
  void RefuseUnread(const Message& message, const std::string& device,
                    const std::string& answer_to) {
    const Error error{ErrorCode::kUnsupported, "frame",
                      fmt::format("has {} bytes, and this cloud's --max-frame is {}",
                                  message.payload.size(), options_.most_bytes)};
    ++stats_.received;
    Complain(fmt::format("device {}: {}", device, error.ToString()));
    const auto head = ReadFrameHead(message.payload);
    Ack ack;
    if (head) {
      ack.run = head->run;
      ack.sequence = head->sequence;
    }
    Blame(ack, AnswerTo(error), error);
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

  /// Says in the answer why a frame is not stored, and counts it.
  void Blame(Ack& ack, AckStatus status, const Error& error) {
    ack.status = status;
    ack.message = error.ToString();
    ++(status == AckStatus::kRefused ? stats_.refused : stats_.retried);
    ++stats_.unstored[static_cast<size_t>(error.code)];
  }

  void WorkLoop() {
    Worker worker(*registry_, pace_ ? &*pace_ : nullptr);
    while (auto frame = arrived_.Pop()) {
      --stats_.waiting;
      Finished finished{
          {}, 0, 0, frame->device, {}, frame->at, Micros(Clock::Real().Steady() - frame->at)};
      finished.answer_to = std::move(frame->answer_to);
      finished.worked = worker.Work(frame->bytes, frame->device);
      finished.run = worker.last_run();
      finished.sequence = worker.last_sequence();
      if (!finished.worked) Name(finished, frame->bytes);
      if (!finished.worked || finished.worked->detection) ++stats_.received;
      if (!finished.worked)
        Complain(fmt::format("device {}: {}", frame->device, finished.worked.error().ToString()));
      // With nothing else to do it commits its own frame: no other thread has to wake up first. An
      // only worker does not, for the next frame would wait for the disk.
      if (options_.workers > 1 && stats_.waiting == 0) {
        const std::unique_lock alone(storing_mutex_, std::try_to_lock);
        if (alone) {
          batch_.clear();
          batch_.push_back(std::move(finished));
          StoreBatch();
          continue;
        }
      }
      const bool row = finished.worked && finished.worked->detection;
      const size_t weight = row ? finished.worked->detection->thumbnail.size() : 0;
      finished_.Push(std::move(finished), weight);
    }
  }

  void StoreLoop() {
    std::vector<Finished> taken;
    const auto busy = [this] { return stats_.waiting > 0; };
    while (finished_.PopAll(taken, kMostInBatch, kCompany, kPatience, busy)) {
      const std::lock_guard lock(storing_mutex_);
      batch_.swap(taken);
      StoreBatch();
    }
  }

  /// Commits batch_ and answers each of its frames. Under storing_mutex_.
  void StoreBatch() {
    rows_.clear();
    settlements_.clear();
    for (Finished& f : batch_) {
      if (!f.worked) continue;
      if (f.worked->detection) rows_.push_back(*std::move(f.worked->detection));
      std::ranges::move(f.worked->settlements, std::back_inserter(settlements_));
    }
    const Nanos start = Clock::Real().Steady();
    Result<std::vector<PutOutcome>> outcomes;
    if (!rows_.empty() || !settlements_.empty()) outcomes = store_.Put(rows_, settlements_);
    const uint32_t store_us = Micros(Clock::Real().Steady() - start);
    if (!outcomes) Complain(outcomes.error().ToString());
    size_t row = 0;
    const bool several = batch_.size() > 1;  // answers that may share packets
    if (several) link_->Hold();
    for (const Finished& f : batch_) {
      const bool has_row = f.worked && f.worked->detection;
      const PutOutcome* outcome = has_row && outcomes ? &(*outcomes)[row++] : nullptr;
      Answer(f, outcome, outcomes ? nullptr : &outcomes.error(), store_us);
      if (trace_ != nullptr && has_row) Trace(f, start, store_us);
    }
    if (several) link_->Flush();
    if (!rows_.empty() && outcomes) stored_();
  }

  void Answer(const Finished& f, const PutOutcome* outcome, const Error* store_error,
              uint32_t store_us) {
    Ack ack;
    ack.run = f.run;
    ack.sequence = f.sequence;
    const Error* const error = f.worked ? store_error : &f.worked.error();
    if (error != nullptr) {
      // What the store says is about the store: a frame that it would never take ends in Check.
      Blame(ack, f.worked ? AckStatus::kRetry : AnswerTo(*error), *error);
    } else {
      const bool duplicate = outcome != nullptr && outcome->kind == PutOutcome::kDuplicate;
      ack.status = duplicate ? AckStatus::kDuplicate : AckStatus::kStored;
      if (outcome != nullptr) ++(duplicate ? stats_.duplicates : stats_.stored);
      ack.stages = f.worked->stages;
      ack.label = f.worked->label;
      ack.score = f.worked->score;
    }
    ack.stages.queue = f.queue_us;
    ack.stages.store = store_us;
    ack.stages.total = Micros(Clock::Real().Steady() - f.at);
    if (f.answer_to.empty()) return;
    WriteAck(ack, answer_);
    // A lost answer costs a repeat of the frame, which the store recognises.
    (void)link_->Publish(f.answer_to, answer_, 0);
  }

  void Trace(const Finished& f, Nanos store_start, uint32_t store_us) {
    const std::string name = TraceFile::NameOf(f.device, f.run, f.sequence);
    Nanos at = f.at;
    const auto bar = [&](const char* what, uint32_t us) {
      trace_->Bar(name, what, at, Nanos(us * int64_t{1000}));
      at += Nanos(us * int64_t{1000});
    };
    bar("queue", f.queue_us);
    bar("decode", f.worked->stages.decode);
    bar("suffix", f.worked->stages.suffix);
    at = store_start;
    bar("store", store_us);
  }

  /// One line for each new trouble, and few of those: not one for each frame of a hostile sender.
  void Complain(const std::string& what) {
    const std::lock_guard lock(complaint_mutex_);
    const Nanos now = Clock::Real().Steady();
    if (now - complaining_since_ >= kComplaintPeriod) {
      if (unsaid_ > 0) LogWarning("… and {} more like it", unsaid_);
      complaining_since_ = now;
      last_complaint_.clear();
      said_ = unsaid_ = 0;
    }
    if (what == last_complaint_ || said_ >= kMostComplaints) {
      ++unsaid_;
      return;
    }
    LogWarning("{}", what);
    last_complaint_ = what;
    ++said_;
  }

  CloudOptions options_;
  Store& store_;
  std::function<void()> stored_;
  CloudStats stats_;
  std::unique_ptr<Registry> registry_;
  std::optional<Machine> pace_;
  std::unique_ptr<TraceFile> trace_;
  Channel<Arrived> arrived_;
  Channel<Finished> finished_;
  DeviceGuard guard_;  // link's thread only
  std::vector<std::thread> workers_;
  std::thread storing_;
  std::mutex storing_mutex_;
  // Under storing_mutex_, kept for their memory:
  std::vector<Finished> batch_;
  std::vector<Detection> rows_;
  std::vector<Settlement> settlements_;
  std::vector<std::byte> answer_;
  std::atomic<bool> stopped_{false};
  std::mutex leaving_mutex_;
  std::condition_variable left_changed_;
  bool left_ = false;  // under leaving_mutex_
  std::mutex complaint_mutex_;
  std::string last_complaint_;
  Nanos complaining_since_{-kComplaintPeriod};
  uint64_t said_ = 0, unsaid_ = 0;  // since then
  std::unique_ptr<Link> link_;
};

}  // namespace

Result<std::unique_ptr<Cloud>> Cloud::Start(const CloudOptions& options, Store& store,
                                            std::function<void()> stored) {
  auto cloud = std::make_unique<CloudImpl>(options, store, std::move(stored));
  FOGLINE_CHECK(cloud->Open());
  return cloud;
}

}  // namespace fogline
