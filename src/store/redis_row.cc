#include "store/redis_row.h"

#include <charconv>
#include <cmath>

#include "vision/findings_bytes.h"

namespace fogline {
namespace {

template <typename T>
bool Read(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadKnown(std::string_view text, float& out) {
  out = kUnknown;
  return text.empty() || Read(text, out);
}

std::string Known(float value) {
  return std::isnan(value) ? std::string() : fmt::format("{}", value);
}

bool ReadStages(std::string_view text, StageTimes& stages) {
  for (const StageField& stage : kStages) {
    const size_t comma = text.find(',');
    if (!ReadKnown(text.substr(0, comma), stages.*stage.time_ms)) return false;
    if (comma == text.npos) return true;  // an older writer knew fewer stages
    text.remove_prefix(comma + 1);
  }
  return true;
}

bool ReadValues(std::span<redisReply* const> pairs, StoredDetection& row) {
  const size_t fields = pairs.size() / 2;
  if (fields != kFirstRedisFields && fields != kSecondRedisFields &&
      fields != kRedisFields.size()) {
    return false;
  }
  for (size_t i = 0; i < fields; ++i) {
    if (Text(*pairs[2 * i]) != kRedisFields[i]) return false;
  }
  size_t at = 0;
  const auto next = [&] { return Text(*pairs[2 * at++ + 1]); };
  Detection& d = row.detection;
  d.device = next();
  bool fine = Read(next(), d.run);
  fine &= Read(next(), d.sequence);
  fine &= Read(next(), d.captured_us);
  fine &= Read(next(), row.stored_us);
  const std::string_view lat = next(), lon = next();
  d.has_position = !lat.empty();
  if (d.has_position) fine &= Read(lat, d.lat) && Read(lon, d.lon);
  fine &= ReadKnown(next(), d.accuracy_m);
  fine &= ReadKnown(next(), d.heading_deg);
  d.model = next();
  d.label = next();
  fine &= Read(next(), d.score);
  d.positive = next() == "1";
  d.mechanism = next();
  d.cut = next();
  d.codec = next();
  fine &= Read(next(), d.payload_bytes);
  row.has_thumbnail = next() == "1";
  fine &= ReadStages(next(), d.stages);
  if (fields == kFirstRedisFields) return fine;  // all of those were the device's clock's
  const auto source = ParseTimeSource(next());
  d.captured_from = source.value_or(TimeSource::kNone);
  if (!fine || !source) return false;
  if (fields == kSecondRedisFields) return true;
  const std::string_view findings = next();
  d.counts = ParseDeviceCounts(next());
  if (findings.empty()) return true;
  auto found = StoredFindings(std::as_bytes(std::span(findings)));
  if (!found) return false;
  d.findings = *std::move(found);
  return true;
}

}  // namespace

void AppendRedisRow(const Detection& d, int64_t stored_us, RedisCommand& out) {
  out.push_back(d.device);
  out.push_back(std::to_string(d.run));
  out.push_back(std::to_string(d.sequence));
  out.push_back(std::to_string(d.captured_from == TimeSource::kNone ? 0 : d.captured_us));
  out.push_back(std::to_string(stored_us));
  out.push_back(d.has_position ? fmt::format("{}", d.lat) : "");
  out.push_back(d.has_position ? fmt::format("{}", d.lon) : "");
  out.push_back(Known(d.accuracy_m));
  out.push_back(Known(d.heading_deg));
  out.push_back(d.model);
  out.push_back(d.label);
  out.push_back(fmt::format("{}", StoredScore(d.score)));
  out.push_back(d.positive ? "1" : "0");
  out.push_back(d.mechanism);
  out.push_back(d.cut);
  out.push_back(d.codec);
  out.push_back(std::to_string(d.payload_bytes));
  out.push_back(d.thumbnail.empty() ? "0" : "1");
  std::string stages;
  for (const StageField& stage : kStages) {
    if (&stage != kStages.data()) stages += ',';
    stages += Known(d.stages.*stage.time_ms);
  }
  out.push_back(std::move(stages));
  out.emplace_back(ToString(d.captured_from));
  std::vector<std::byte> findings;
  if (d.findings) WriteFindings(*d.findings, findings);
  out.emplace_back(reinterpret_cast<const char*>(findings.data()), findings.size());
  out.push_back(d.counts ? ToString(*d.counts) : std::string());
}

Result<StoredDetection> ReadRedisRow(const redisReply& entry, const std::string& where) {
  StoredDetection row;
  const auto parts = Elements(entry);
  const std::string_view id = parts.size() == 2 ? Text(*parts[0]) : std::string_view();
  if (!Read(id.substr(0, id.find('-')), row.id) || !ReadValues(Elements(*parts[1]), row)) {
    return Fail(ErrorCode::kInvalid, where, "holds an entry '{}' that Fogline did not write", id);
  }
  return row;
}

}  // namespace fogline
