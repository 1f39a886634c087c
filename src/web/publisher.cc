#include "web/publisher.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// Messages that the broker may owe an acknowledgement: enough for a network of 100 ms.
constexpr size_t kMostUnderWay = 500;
constexpr auto kPublisherPoll = 1s;   // for rows that other processes store
constexpr auto kPublisherPause = 2s;  // after the store or the broker refused
constexpr size_t kLongestTopic = 1024;
/// For so long one is the publisher without saying so again, which it does in a third of that.
constexpr std::chrono::milliseconds kLeads{3000};

Status CheckTopic(const std::string& topic) {
  const bool fine = !topic.empty() && topic.size() <= kLongestTopic && IsUtf8(topic) &&
                    topic.find_first_of(std::string_view("+#\0", 3)) == std::string::npos &&
                    !topic.starts_with('$') && !topic.starts_with("fogline/v1/");
  if (fine) return {};
  return Fail(ErrorCode::kUsage, "--publish " + topic,
              "must be a topic without + and #, not below fogline/v1/, where devices speak");
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::Start(const PublisherOptions& options, Store& store) {
  FOGLINE_CHECK(CheckTopic(options.topic));
  std::unique_ptr<Publisher> publisher(new Publisher(options, store));
  LinkHandler& handler = *publisher;
  FOGLINE_TRY(publisher->link_, Link::Make(publisher->options_.link, handler));
  publisher->link_->Start();
  publisher->thread_ =
      std::jthread([made = publisher.get()](const std::stop_token& stop) { made->Loop(stop); });
  return publisher;
}

Publisher::Publisher(const PublisherOptions& options, Store& store)
    : options_(options),
      mark_("publish:" + options.topic),
      holder_(fmt::format("{:016x}{:016x}", RandomBits(), RandomBits())),
      store_(store) {}

Publisher::~Publisher() {
  thread_ = {};
  if (link_ != nullptr) link_->Stop();
}

void Publisher::Notify() {
  const std::lock_guard lock(mutex_);
  Wake();
}

void Publisher::Wake() {
  notified_ = true;
  changed_.notify_all();
}

std::vector<Metric> Publisher::Metrics() const {
  const auto value = [](const std::atomic<uint64_t>& of) { return static_cast<double>(of); };
  return {{"fogline_published_total", "Detections that the broker took once more", Metric::kCounter,
           value(published_)},
          {"fogline_publisher_leads",
           "Whether it is this process that publishes, of those that share the store",
           Metric::kGauge, leads_ ? 1.0 : 0.0},
          {"fogline_published_id", "The id up to which it has them", Metric::kGauge, value(taken_)},
          {"fogline_publish_too_large_total", "Detections too large for the broker",
           Metric::kCounter, value(too_large_)},
          {"fogline_publish_missed_total", "Detections forgotten before they were published",
           Metric::kCounter, value(missed_)}};
}

void Publisher::OnConnected() {
  const std::lock_guard lock(mutex_);
  connected_ = true;
  refused_ = false;
  Wake();
}

/// What was under way is published again.
void Publisher::OnDisconnected() {
  const std::lock_guard lock(mutex_);
  connected_ = false;
  under_way_.clear();
  sent_ = taken_;
}

void Publisher::OnAnswered(bool taken) {
  const std::lock_guard lock(mutex_);
  if (under_way_.empty()) return;
  const uint64_t id = under_way_.front();
  under_way_.pop_front();
  refused_ |= !taken;
  // Behind one that was refused none counts: it comes again, and those behind it after it.
  if (!refused_) {
    taken_ = id;
    ++published_;
  } else if (under_way_.empty()) {
    sent_ = taken_;
  }
  if (under_way_.size() < kMostUnderWay / 2) Wake();
}

/// The same members as everywhere, and which store the id belongs to.
std::string Publisher::Text(const StoredDetection& row) const {
  std::string text;
  JsonWriter json(text);
  PutDetection(json, row, options_.privacy);
  std::string with_epoch;
  JsonWriter epoch(with_epoch);
  epoch.Object([&] { epoch.Put("epoch", store_.epoch()); });
  with_epoch.back() = ',';
  return with_epoch + text.substr(1);
}

/// `before`: the id behind which the rows lie, all that are there.
Status Publisher::SendRows(const std::vector<StoredDetection>& rows, uint64_t before) {
  link_->Hold();
  Status status;
  for (const StoredDetection& row : rows) {
    const std::string text = Text(row);
    // With the lock, so that what is said to be under way is, whenever the connection ends.
    const std::lock_guard lock(mutex_);
    if (!connected_ || refused_ || sent_ != before) break;  // those behind others come again first
    status = link_->Publish(options_.topic, std::as_bytes(std::span(text)), 1);
    if (!status && status.error().code == ErrorCode::kUnsupported) {
      if (too_large_++ == 0) {
        LogWarning("--publish {}: detection {} is left out: {}", options_.topic, row.id,
                   status.error().ToString());
      }
      status = {};
    } else if (!status) {
      break;
    } else {
      under_way_.push_back(row.id);
    }
    before = sent_ = row.id;
  }
  link_->Flush();
  return status;
}

Status Publisher::SetMark() {
  const uint64_t taken = taken_;
  if (taken == marked_) return {};
  FOGLINE_CHECK(store_.SetMark(mark_, taken));
  marked_ = taken;
  return {};
}

Result<bool> Publisher::Lead() {
  const Nanos now = Clock::Real().Steady();
  if (asked_ != Nanos{0} && now - asked_ < kLeads / 3) return leads_.load();
  FOGLINE_TRY(const bool leads, store_.Hold(mark_, holder_, kLeads));
  // Who did not lead all the time may have been overtaken by another.
  if (!leads_ || now - asked_ >= kLeads) begun_ = false;
  asked_ = now;
  leads_ = leads;
  return leads;
}

Result<bool> Publisher::Begin() {
  {
    const std::lock_guard lock(mutex_);
    if (!under_way_.empty()) return false;
  }
  FOGLINE_TRY(marked_, store_.Mark(mark_));
  const std::lock_guard lock(mutex_);
  taken_ = sent_ = marked_;
  begun_ = true;
  return true;
}

Result<bool> Publisher::Step() {
  FOGLINE_TRY(const bool leads, Lead());
  if (!leads) return false;
  if (!begun_) {
    FOGLINE_TRY(const bool begun, Begin());
    if (!begun) return false;
  }
  FOGLINE_CHECK(SetMark());
  uint64_t sent = 0;
  size_t room = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!connected_ || refused_) return false;
    sent = sent_;
    room = kMostUnderWay - std::min(kMostUnderWay, under_way_.size());
  }
  if (room < kMostUnderWay / 2) return false;  // an acknowledgement wakes us
  FOGLINE_TRY(const auto rows, store_.Query({.after_id = sent}, Order::kOldestFirst, room));
  if (rows.empty()) return false;
  if (sent > 0 && rows[0].id > sent + 1) {
    FOGLINE_TRY(const uint64_t forgotten, store_.ForgottenId());
    if (forgotten > sent) {
      missed_ += forgotten - sent;
      LogWarning("--publish {}: {} detections were forgotten before they were published",
                 options_.topic, forgotten - sent);
    }
  }
  FOGLINE_CHECK(SendRows(rows, sent));
  return rows.size() == room;
}

void Publisher::Wait(const std::stop_token& stop, std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, most, [this] { return notified_; });
  notified_ = false;
}

void Publisher::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto more = Step();
    if (!more && !failing_) {
      LogWarning("--publish {}: {}; trying again", options_.topic,
                 Printable(more.error().ToString()));
    }
    failing_ = !more;
    bool refused = false;
    {
      const std::lock_guard lock(mutex_);
      refused = refused_ && under_way_.empty();
    }
    if (!more || refused) {
      Wait(stop, kPublisherPause);
      const std::lock_guard lock(mutex_);
      if (refused && under_way_.empty()) {
        sent_ = taken_;
        refused_ = false;
      }
    } else if (!*more) {
      Wait(stop, kPublisherPoll);
    }
  }
  if (!leads_) return;
  Status marked = begun_ ? SetMark() : Status();
  if (marked) marked = store_.Hold(mark_, holder_, 0ms).map([](bool) {});
  if (!marked) {
    LogWarning("--publish {}: {}; what was published last comes again", options_.topic,
               Printable(marked.error().ToString()));
  }
}

}  // namespace fogline
