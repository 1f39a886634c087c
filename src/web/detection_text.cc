#include "web/detection_text.h"

#include <fmt/chrono.h>

#include <cmath>
#include <ctime>

#include "base/text.h"
#include "vision/findings_json.h"

namespace fogline {
namespace {

constexpr int64_t kYear0Us = -62'167'219'200'000'000;
constexpr int64_t kYear10000Us = 253'402'300'800'000'000;

/// The members of a detection, without braces and without the position.
void AppendMembers(std::string& out, const StoredDetection& stored, const Privacy& privacy) {
  const Detection& d = stored.detection;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "\"id\":{},\"device\":{},\"run\":\"{:016x}\",\"sequence\":{}", stored.id,
                 JsonQuote(d.device), d.run, d.sequence);
  const bool timed = d.captured_from != TimeSource::kNone;
  if (timed) fmt::format_to(to, ",\"captured\":{}", d.captured_us / 1000);
  fmt::format_to(to, ",\"captured_from\":\"{}\",\"stored\":{}", ToString(d.captured_from),
                 stored.stored_us / 1000);
  if (d.has_position && std::isfinite(d.accuracy_m)) {
    fmt::format_to(to, ",\"accuracy_m\":{}", d.accuracy_m);
  }
  if (std::isfinite(d.heading_deg)) fmt::format_to(to, ",\"heading_deg\":{}", d.heading_deg);
  fmt::format_to(to, ",\"label\":{},\"score\":{:.4g},\"positive\":{}", JsonQuote(d.label), d.score,
                 d.positive);
  fmt::format_to(to, ",\"mechanism\":{},\"cut\":{},\"codec\":{},\"model\":{},\"bytes\":{}",
                 JsonQuote(d.mechanism), JsonQuote(d.cut), JsonQuote(d.codec), JsonQuote(d.model),
                 d.payload_bytes);
  if (d.findings && SaysMore(*d.findings)) {
    out += ',';
    AppendFindingsJson(out, *d.findings);
  }
  out += ",\"stages_ms\":{";
  bool first = true;
  for (const StageField& stage : kStages) {
    const float time = d.stages.*stage.time_ms;
    if (!std::isfinite(time)) continue;
    fmt::format_to(to, "{}\"{}\":{:.4g}", first ? "" : ",", stage.name, time);
    first = false;
  }
  out += '}';
  if (stored.has_thumbnail && privacy.thumbnails) out += ",\"thumbnail\":true";
}

std::string CsvCell(std::string_view text) {
  std::string cell;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    cell = "'";
  }
  cell += text;
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

double RoundDegrees(double degrees, const Privacy& privacy) {
  if (!privacy.decimals) return degrees;
  const double scale = std::pow(10.0, *privacy.decimals);
  return std::round(degrees * scale) / scale;
}

void AppendJson(std::string& out, const StoredDetection& stored, const Privacy& privacy) {
  out += '{';
  AppendMembers(out, stored, privacy);
  if (stored.detection.has_position) {
    fmt::format_to(std::back_inserter(out), ",\"lat\":{:.9g},\"lon\":{:.10g}",
                   RoundDegrees(stored.detection.lat, privacy),
                   RoundDegrees(stored.detection.lon, privacy));
  }
  out += '}';
}

void AppendGeoJson(std::string& out, const StoredDetection& stored, const Privacy& privacy) {
  out += "{\"type\":\"Feature\",\"geometry\":";
  if (stored.detection.has_position) {
    fmt::format_to(
        std::back_inserter(out), "{{\"type\":\"Point\",\"coordinates\":[{:.10g},{:.9g}]}}",
        RoundDegrees(stored.detection.lon, privacy), RoundDegrees(stored.detection.lat, privacy));
  } else {
    out += "null";
  }
  fmt::format_to(std::back_inserter(out), ",\"id\":{},\"properties\":{{", stored.id);
  AppendMembers(out, stored, privacy);
  out += "}}";
}

std::string CsvHeader() {
  std::string header =
      "id,device,run,sequence,captured,lat,lon,accuracy_m,heading_deg,label,score,positive,"
      "mechanism,cut,codec,model,bytes";
  for (const StageField& stage : kStages) header += fmt::format(",{}_ms", stage.name);
  return header + ",captured_from\r\n";
}

void AppendCsv(std::string& out, const StoredDetection& stored, const Privacy& privacy) {
  const Detection& d = stored.detection;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{},{},{:016x},{},{},", stored.id, CsvCell(d.device), d.run, d.sequence,
                 d.captured_from == TimeSource::kNone ? std::string() : IsoTime(d.captured_us));
  if (d.has_position) {
    fmt::format_to(to, "{:.9g},{:.10g},", RoundDegrees(d.lat, privacy),
                   RoundDegrees(d.lon, privacy));
  } else {
    out += ",,";
  }
  const auto known = [&](float value) {
    if (std::isfinite(value)) fmt::format_to(to, "{:.6g}", value);
  };
  known(d.has_position ? d.accuracy_m : kUnknown);
  out += ',';
  known(d.heading_deg);
  fmt::format_to(to, ",{},{:.4g},{},{},{},{},{},{}", CsvCell(d.label), d.score, d.positive,
                 CsvCell(d.mechanism), CsvCell(d.cut), CsvCell(d.codec), CsvCell(d.model),
                 d.payload_bytes);
  for (const StageField& stage : kStages) {
    out += ',';
    known(d.stages.*stage.time_ms);
  }
  fmt::format_to(to, ",{}\r\n", ToString(d.captured_from));
}

std::string IsoTime(int64_t unix_us) {
  if (unix_us < kYear0Us || unix_us >= kYear10000Us) return {};
  int64_t seconds = unix_us / 1'000'000;
  int64_t micros = unix_us % 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     micros / 1000);
}

}  // namespace fogline
