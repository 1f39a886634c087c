#include "web/fleet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/stats.h"
#include "base/text.h"

namespace fogline {
namespace {

constexpr size_t kMostDevices = 2000;
constexpr size_t kMostListed = 200;
constexpr size_t kMostFrames = 240;
constexpr size_t kRowsATime = 10'000;
constexpr int64_t kSettlingUs = 3'000'000;
constexpr int64_t kMinuteUs = 60'000'000;

void AppendQuantiles(std::string& out, std::string_view name, const std::vector<double>& samples) {
  if (samples.empty()) return;
  fmt::format_to(std::back_inserter(out), "{}\"{}\":{{\"p50\":{:.4g},\"p95\":{:.4g}}}",
                 out.back() == '{' ? "" : ",", name, Quantile(samples, 0.5),
                 Quantile(samples, 0.95));
}

}  // namespace

void Fleet::Add(const StoredDetection& stored) {
  const Detection& d = stored.detection;
  auto [at, fresh] = devices_.try_emplace(d.device);
  Device& device = at->second;
  if (fresh || device.run != d.run) {
    device.run = d.run;
    device.first_sequence = device.last_sequence = d.sequence;
    device.seen = 0;
  }
  device.first_sequence = std::min(device.first_sequence, d.sequence);
  device.last_sequence = std::max(device.last_sequence, d.sequence);
  ++device.seen;
  device.mechanism = d.mechanism;
  device.cut = d.cut;
  device.codec = d.codec;
  device.model = d.model;
  device.label = d.label;
  device.captured_us = d.captured_us;
  device.stored_us = stored.stored_us;
  device.frames.push_back(
      {stored.stored_us, d.payload_bytes, d.positive, d.stages.Total(), d.stages});
  if (device.frames.size() > kMostFrames) device.frames.pop_front();
  if (devices_.size() > kMostDevices) {
    devices_.erase(std::min_element(
        devices_.begin(), devices_.end(),
        [](const auto& a, const auto& b) { return a.second.stored_us < b.second.stored_us; }));
  }
}

Status Fleet::CatchUp(Store& store) {
  const int64_t settled_us = clock_.WallMicros() - kSettlingUs;
  FOGLINE_TRY(const auto rows, store.Query({.after_id = cursor_}, Order::kOldestFirst, kRowsATime));
  for (const StoredDetection& row : rows) {
    if (row.stored_us > settled_us) break;
    Add(row);
    cursor_ = row.id;
  }
  return {};
}

const std::string& Fleet::Json() const {
  const Nanos now = clock_.Steady();
  if (json_.empty() || now - json_at_ >= std::chrono::seconds(1)) {
    json_ = Work();
    json_at_ = now;
  }
  return json_;
}

std::vector<const std::pair<const std::string, Fleet::Device>*> Fleet::Listed() const {
  std::vector<const std::pair<const std::string, Device>*> order;
  for (const auto& entry : devices_) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->second.stored_us > b->second.stored_us; });
  if (order.size() > kMostListed) order.resize(kMostListed);
  return order;
}

std::vector<Fleet::Way> Fleet::Ways() const {
  std::vector<Way> ways;
  for (const auto* entry : Listed()) {
    const Device& device = entry->second;
    ways.push_back({entry->first, device.model, device.cut, device.codec});
  }
  return ways;
}

std::string Fleet::Work() const {
  const int64_t now_us = clock_.WallMicros();
  const auto order = Listed();
  std::string out = fmt::format("{{\"now\":{},\"devices\":[", now_us / 1000);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& [name, device] = *order[i];
    size_t minute_frames = 0;
    uint64_t minute_bytes = 0;
    int64_t oldest_us = now_us;
    std::vector<double> bytes, totals;
    size_t positives = 0;
    for (const Frame& frame : device.frames) {
      bytes.push_back(frame.bytes);
      totals.push_back(frame.total);
      positives += frame.positive ? 1 : 0;
      if (frame.stored_us < now_us - kMinuteUs) continue;
      ++minute_frames;
      minute_bytes += frame.bytes;
      oldest_us = std::min(oldest_us, frame.stored_us);
    }
    // A fast device's memory is shorter than a minute: then the rate is over what it covers.
    const bool covers_minute = device.frames.size() < kMostFrames || oldest_us > now_us - kMinuteUs;
    const double seconds = covers_minute && device.frames.size() < kMostFrames
                               ? 60
                               : std::max(0.001, static_cast<double>(now_us - oldest_us) * 1e-6);
    fmt::format_to(std::back_inserter(out),
                   "{}{{\"name\":{},\"run\":\"{:016x}\",\"captured\":{},\"stored\":{},"
                   "\"images_per_second\":{:.4g},\"bytes_per_second\":{:.4g},\"frames\":{},"
                   "\"positives\":{},\"sent\":{},\"arrived\":{},\"mechanism\":{},\"cut\":{},"
                   "\"codec\":{},\"model\":{},\"label\":{}",
                   i > 0 ? "," : "", JsonQuote(name), device.run, device.captured_us / 1000,
                   device.stored_us / 1000, static_cast<double>(minute_frames) / seconds,
                   static_cast<double>(minute_bytes) / seconds, device.frames.size(), positives,
                   device.last_sequence - device.first_sequence + 1, device.seen,
                   JsonQuote(device.mechanism), JsonQuote(device.cut), JsonQuote(device.codec),
                   JsonQuote(device.model), JsonQuote(device.label));
    out += ",\"measured\":{";
    AppendQuantiles(out, "bytes", bytes);
    AppendQuantiles(out, "total_ms", totals);
    out += "},\"stages_ms\":{";
    for (const StageField& stage : kStages) {
      std::vector<double> times;
      for (const Frame& frame : device.frames) {
        if (const float time = frame.stages.*stage.time_ms; std::isfinite(time)) {
          times.push_back(time);
        }
      }
      AppendQuantiles(out, stage.name, times);
    }
    out += "}}";
  }
  return out + "]}\n";
}

}  // namespace fogline
