#include "web/detection_text.h"

#include <fmt/chrono.h>

#include <cmath>
#include <ctime>

#include "frame/capture_time.h"
#include "store/blur.h"
#include "vision/findings_json.h"

namespace fogline {
namespace {

constexpr int64_t kYear0Us = -62'167'219'200'000'000;
constexpr int64_t kYear10000Us = 253'402'300'800'000'000;

/// Where its time is from; kNone for one that cannot be, which no reader should have to draw.
TimeSource ShownSource(const Detection& d) {
  return CanBeCaptureTime(d.captured_us) ? d.captured_from : TimeSource::kNone;
}

/// The members of a detection but for its position.
void PutMembers(JsonWriter& json, const StoredDetection& stored, const Privacy& privacy) {
  const Detection& d = stored.detection;
  json.Put("id", stored.id);
  json.Put("device", d.device);
  json.Put("run", fmt::format("{:016x}", d.run));
  json.Put("sequence", d.sequence);
  const TimeSource from = ShownSource(d);
  if (from != TimeSource::kNone) json.Put("captured", d.captured_us / 1000);
  json.Put("captured_from", ToString(from));
  json.Put("stored", stored.stored_us / 1000);
  if (d.has_position && std::isfinite(d.accuracy_m)) json.Put("accuracy_m", d.accuracy_m);
  if (std::isfinite(d.heading_deg)) json.Put("heading_deg", d.heading_deg);
  json.Put("label", d.label);
  json.Put("score", Rounded{d.score, 4});
  json.Put("positive", d.positive);
  json.Put("mechanism", d.mechanism);
  json.Put("cut", d.cut);
  json.Put("codec", d.codec);
  json.Put("model", d.model);
  json.Put("bytes", d.payload_bytes);
  if (d.findings) json.Members([&](std::string& out) { AppendFindingsJson(out, *d.findings); });
  json.Object("stages_ms", [&] {
    for (const StageField& stage : kStages) {
      const float time = d.stages.*stage.time_ms;
      if (std::isfinite(time)) json.Put(stage.name, Rounded{time, 4});
    }
  });
  if (stored.has_thumbnail && privacy.thumbnails) json.Put("thumbnail", true);
}

/// To a few centimetres.
Rounded Latitude(const Detection& d, const Privacy& privacy) {
  return {RoundDegrees(d.lat, privacy), 9};
}
Rounded Longitude(const Detection& d, const Privacy& privacy) {
  return {RoundDegrees(d.lon, privacy), 10};
}

/// Whether a spreadsheet may take a cell for a formula: by its first character that is no blank,
/// which may be full-width, too.
bool ReadsAsFormula(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '\t' || text.front() == '\r') return true;
  for (bool blank = true; blank;) {
    blank = false;
    for (const std::string_view space : {" ", "\t", "\r", "\n", "\u00a0", "\u3000", "\ufeff"}) {
      if (!text.starts_with(space)) continue;
      text.remove_prefix(space.size());
      blank = true;
    }
  }
  for (const std::string_view sign : {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}) {
    if (text.starts_with(sign)) return true;
  }
  return false;
}

std::string CsvCell(std::string_view text) {
  std::string cell;
  if (ReadsAsFormula(text)) cell = "'";
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
  return privacy.decimals ? RoundDegrees(degrees, *privacy.decimals) : degrees;
}

void PutDetection(JsonWriter& json, const StoredDetection& stored, const Privacy& privacy) {
  json.Object([&] {
    PutMembers(json, stored, privacy);
    if (!stored.detection.has_position) return;
    json.Put("lat", Latitude(stored.detection, privacy));
    json.Put("lon", Longitude(stored.detection, privacy));
  });
}

void PutFeature(JsonWriter& json, const StoredDetection& stored, const Privacy& privacy) {
  json.Object([&] {
    json.Put("type", "Feature");
    if (stored.detection.has_position) {
      json.Object("geometry", [&] {
        json.Put("type", "Point");
        json.Array("coordinates", [&] {
          json.Put(Longitude(stored.detection, privacy));
          json.Put(Latitude(stored.detection, privacy));
        });
      });
    } else {
      json.Put("geometry", nullptr);
    }
    json.Put("id", stored.id);
    json.Object("properties", [&] { PutMembers(json, stored, privacy); });
  });
}

std::string CsvHeader() {
  std::string header =
      "id,device,run,sequence,captured,lat,lon,accuracy_m,heading_deg,label,score,positive,"
      "mechanism,cut,codec,model,bytes";
  for (const StageField& stage : kStages) header += fmt::format(",{}_ms", stage.name);
  return header + ",captured_from,findings\r\n";
}

void AppendCsv(std::string& out, const StoredDetection& stored, const Privacy& privacy) {
  const Detection& d = stored.detection;
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{},{},{:016x},{},{},", stored.id, CsvCell(d.device), d.run, d.sequence,
                 ShownSource(d) == TimeSource::kNone ? std::string() : IsoTime(d.captured_us));
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
  fmt::format_to(to, ",{},", ToString(ShownSource(d)));
  if (d.findings) {
    std::string found;
    JsonWriter(found).Object([&] { AppendFindingsJson(found, *d.findings); });
    out += CsvCell(found);
  }
  out += "\r\n";
}

int64_t ShownMs(int64_t captured_us) {
  return CanBeCaptureTime(captured_us) ? captured_us / 1000 : 0;
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
