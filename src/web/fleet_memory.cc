#include "web/fleet_memory.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/stats.h"
#include "web/detection_text.h"

namespace fogline {
namespace {

constexpr size_t kMostDevices = 2000;
constexpr size_t kMostListed = 200;
constexpr size_t kMostFrames = 240;
constexpr size_t kRowsATime = 4'000;
constexpr Nanos kSettling = std::chrono::seconds(3);
constexpr Nanos kBetweenMarks = std::chrono::milliseconds(200);
constexpr Nanos kMinute = std::chrono::minutes(1);
constexpr int64_t kOldestUs = int64_t{86'400'000'000} * 365;  // what an age is told up to

void PutSpread(JsonWriter& json, std::string_view name, const std::vector<double>& samples) {
  if (samples.empty()) return;
  json.Object(name, [&] {
    json.Put("p50", Rounded{Quantile(samples, 0.5), 4});
    json.Put("p95", Rounded{Quantile(samples, 0.95), 4});
  });
}

}  // namespace

void FleetMemory::Add(const StoredDetection& stored, Nanos heard) {
  const Detection& d = stored.detection;
  auto [at, fresh] = devices_.try_emplace(d.device);
  Device& device = at->second;
  if (fresh || device.run != d.run) {
    device.run = d.run;
    device.first_sequence = device.last_sequence = d.sequence;
    device.seen = 0;
    device.counts.reset();
  }
  device.first_sequence = std::min(device.first_sequence, d.sequence);
  device.last_sequence = std::max(device.last_sequence, d.sequence);
  ++device.seen;
  if (d.counts) device.counts = d.counts;
  // What repeats an earlier picture says nothing of the way that pictures go.
  const bool went = d.mechanism != kUnchanged;
  if (went || device.mechanism.empty()) {
    device.mechanism = d.mechanism;
    device.cut = d.cut;
    device.codec = d.codec;
    device.model = d.model;
  }
  device.label = d.label;
  device.captured_us = d.captured_us;
  device.stored_us = stored.stored_us;
  device.heard = heard;
  device.frames.push_back({heard, d.payload_bytes, d.positive, went, d.stages});
  if (device.frames.size() > kMostFrames) device.frames.pop_front();
  if (devices_.size() > kMostDevices) {
    devices_.erase(std::min_element(
        devices_.begin(), devices_.end(),
        [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; }));
  }
}

Result<bool> FleetMemory::CatchUp(Store& store) {
  const Nanos now = clock_.Steady();
  FOGLINE_TRY(const uint64_t last, store.LastId());
  if (marks_.empty() || now - marks_.back().at >= kBetweenMarks) marks_.push_back({now, last});
  uint64_t settled = std::min(before_start_, last);
  for (const Mark& mark : marks_) {
    if (now - mark.at >= kSettling) settled = std::max(settled, mark.last_id);
  }
  if (cursor_ >= settled) return false;
  FOGLINE_TRY(const auto rows, store.Query({.after_id = cursor_, .before_id = settled + 1},
                                           Order::kOldestFirst, kRowsATime));
  const int64_t wall_us = clock_.WallMicros();
  for (const StoredDetection& row : rows) {
    while (marks_.size() > 1 && marks_.front().last_id < row.id) marks_.pop_front();
    // Only for what was there before is a clock of another machine all there is to go by.
    const int64_t age_us = std::clamp<int64_t>(wall_us - row.stored_us, 0, kOldestUs);
    Add(row, row.id <= before_start_ ? now - std::chrono::microseconds(age_us) : marks_.front().at);
  }
  cursor_ = rows.size() < kRowsATime ? settled : rows.back().id;
  while (marks_.size() > 1 && marks_[1].last_id <= cursor_) marks_.pop_front();
  return cursor_ < settled;
}

const std::string& FleetMemory::Json() const {
  const Nanos now = clock_.Steady();
  if (json_.empty() || now - json_at_ >= std::chrono::seconds(1)) {
    json_ = Work();
    json_at_ = now;
  }
  return json_;
}

std::vector<const std::pair<const std::string, FleetMemory::Device>*> FleetMemory::Listed() const {
  std::vector<const std::pair<const std::string, Device>*> order;
  for (const auto& entry : devices_) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->second.heard > b->second.heard; });
  if (order.size() > kMostListed) order.resize(kMostListed);
  return order;
}

std::vector<FleetMemory::Way> FleetMemory::Ways() const {
  std::vector<Way> ways;
  for (const auto* entry : Listed()) {
    const Device& device = entry->second;
    ways.push_back({entry->first, device.model, device.cut, device.codec});
  }
  return ways;
}

std::string FleetMemory::Work() const {
  std::string out;
  JsonWriter json(out);
  json.Object([&] {
    json.Put("now", clock_.WallMicros() / 1000);
    json.List("devices", Listed(), [&](const auto* entry) {
      json.Object([&] { Put(json, entry->first, entry->second); });
    });
  });
  return out + "\n";
}

/// What the last minute brought of a device, and what its last frames were like.
void FleetMemory::Put(JsonWriter& json, const std::string& name, const Device& device) const {
  const Nanos now = clock_.Steady();
  size_t minute_frames = 0, positives = 0, unchanged = 0;
  uint64_t minute_bytes = 0;
  Nanos oldest = now;
  std::vector<double> bytes, totals;
  for (const Frame& frame : device.frames) {
    if (frame.went) {
      bytes.push_back(frame.bytes);
      totals.push_back(frame.stages.Total());
    }
    positives += frame.positive ? 1 : 0;
    unchanged += frame.went ? 0 : 1;
    if (frame.heard < now - kMinute) continue;
    ++minute_frames;
    minute_bytes += frame.bytes;
    oldest = std::min(oldest, frame.heard);
  }
  // A fast device's memory is shorter than a minute: then the rate is over what it covers.
  const double seconds = device.frames.size() < kMostFrames
                             ? 60
                             : std::max(0.001, std::chrono::duration<double>(now - oldest).count());
  json.Put("name", name);
  json.Put("run", fmt::format("{:016x}", device.run));
  json.Put("captured", ShownMs(device.captured_us));
  json.Put("stored", device.stored_us / 1000);
  json.Put("heard", clock_.WallMicros() / 1000 - static_cast<int64_t>(Millis(now - device.heard)));
  json.Put("images_per_second", Rounded{static_cast<double>(minute_frames) / seconds, 4});
  json.Put("bytes_per_second", Rounded{static_cast<double>(minute_bytes) / seconds, 4});
  json.Put("frames", device.frames.size());
  json.Put("positives", positives);
  json.Put("unchanged", unchanged);
  json.Put("sent", device.last_sequence - device.first_sequence + 1);
  json.Put("arrived", device.seen);
  json.Put("mechanism", device.mechanism);
  json.Put("cut", device.cut);
  json.Put("codec", device.codec);
  json.Put("model", device.model);
  json.Put("label", device.label);
  if (device.counts) {
    json.Object("counts", [&] {
      json.Put("waiting", device.counts->waiting);
      json.Put("dead", device.counts->dead);
      json.Put("dropped", device.counts->dropped);
    });
  }
  json.Object("measured", [&] {
    PutSpread(json, "bytes", bytes);
    PutSpread(json, "total_ms", totals);
  });
  json.Object("stages_ms", [&] {
    for (const StageField& stage : kStages) {
      std::vector<double> times;
      for (const Frame& frame : device.frames) {
        if (!frame.went) continue;
        const float time = frame.stages.*stage.time_ms;
        if (std::isfinite(time)) times.push_back(time);
      }
      PutSpread(json, stage.name, times);
    }
  });
}

}  // namespace fogline
