// Reading GPX 1.0 and 1.1 tracks (https://www.topografix.com/GPX/1/1/).
#include <expat.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "edge/locator.h"
#include "vision/exif_time.h"

namespace fogline {
namespace {

constexpr size_t kMostBytes = size_t{1} << 30;

/// What the points of one file are; those of a kind are kept apart.
struct Points {
  std::vector<TrackPoint> good;
  size_t bad = 0;  // without a time or a place that can be read
};

struct Reader {
  Points track, waypoints;
  TrackPoint point;
  uint32_t segment = 0;
  size_t depth = 0;  // of elements within the point, which counts as 1; 0 outside of one
  bool in_time = false, timed = false;
  std::string time;
};

/// "2024-05-01T12:00:00.250Z" or with an offset; nothing for anything else and for years that no
/// receiver has seen.
std::optional<int64_t> ParseTime(const std::string& text) {
  const auto time = ParseCameraTime(text);
  constexpr int64_t kYear2100 = 4'102'444'800'000'000;
  if (!time || time->local_us < 0 || time->local_us >= kYear2100) return std::nullopt;
  return time->local_us - time->offset_s.value_or(0) * int64_t{1'000'000};
}

double Degrees(const char* text) {
  while (*text == ' ' || *text == '+') ++text;
  double degrees = NAN;
  std::from_chars(text, text + std::strlen(text), degrees);
  return degrees;
}

/// The name after a namespace prefix.
std::string_view Local(const char* name) {
  const char* colon = std::strrchr(name, ':');
  return colon != nullptr ? colon + 1 : name;
}

bool IsPoint(std::string_view name) { return name == "trkpt" || name == "wpt"; }

void XMLCALL OnStart(void* user, const char* name, const char** attributes) {
  auto& reader = *static_cast<Reader*>(user);
  if (reader.depth > 0) {
    // Extensions hold times of their own, of other things: only the point's child is its time.
    if (++reader.depth == 2 && Local(name) == "time") {
      reader.in_time = true;
      reader.time.clear();
    }
    return;
  }
  if (Local(name) == "trkseg" || Local(name) == "trk") ++reader.segment;
  if (!IsPoint(Local(name))) return;
  reader.point = {};
  reader.point.segment = reader.segment;
  reader.depth = 1;
  reader.timed = false;
  reader.point.position.lat = reader.point.position.lon = NAN;  // until both are read
  for (; attributes[0] != nullptr; attributes += 2) {
    if (std::strcmp(attributes[0], "lat") == 0) reader.point.position.lat = Degrees(attributes[1]);
    if (std::strcmp(attributes[0], "lon") == 0) reader.point.position.lon = Degrees(attributes[1]);
  }
}

void XMLCALL OnEnd(void* user, const char* name) {
  auto& reader = *static_cast<Reader*>(user);
  if (reader.depth == 0) return;
  if (--reader.depth == 1 && reader.in_time) {
    reader.in_time = false;
    const auto time = ParseTime(reader.time);
    reader.timed = time.has_value();
    reader.point.time_us = time.value_or(0);
  }
  if (reader.depth > 0) return;
  const bool waypoint = Local(name) == "wpt";
  if (waypoint) reader.point.segment = ++reader.segment;  // no way leads from one to the next
  Points& points = waypoint ? reader.waypoints : reader.track;
  const Position& p = reader.point.position;
  // A receiver without a fix writes zeros.
  if (reader.timed && IsValid(p) && (p.lat != 0 || p.lon != 0)) {
    points.good.push_back(reader.point);
  } else {
    ++points.bad;
  }
}

void XMLCALL OnText(void* user, const char* text, int length) {
  auto& reader = *static_cast<Reader*>(user);
  constexpr size_t kLongestTime = 64;
  if (reader.in_time && reader.depth == 2 && reader.time.size() < kLongestTime)
    reader.time.append(text, static_cast<size_t>(length));
}

}  // namespace

Result<std::vector<TrackPoint>> ParseGpx(std::string_view xml, const std::string& where) {
  Reader reader;
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), XML_ParserFree);
  XML_SetUserData(parser.get(), &reader);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  const bool whole =
      xml.size() <= kMostBytes &&
      XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK;
  const bool tracked = !reader.track.good.empty();
  Points& points = tracked ? reader.track : reader.waypoints;
  if (!whole) {
    const std::string why =
        xml.size() > kMostBytes
            ? fmt::format("is larger than {} MB", kMostBytes >> 20)
            : fmt::format("line {} is no GPX: {}", XML_GetCurrentLineNumber(parser.get()),
                          XML_ErrorString(XML_GetErrorCode(parser.get())));
    if (points.good.empty()) return Fail(ErrorCode::kInvalid, where, "{}", why);
    LogWarning("{}: {}; the {} points before it are used", where, why, points.good.size());
  }
  if (points.good.empty()) {
    const size_t bad = reader.track.bad + reader.waypoints.bad;
    return Fail(ErrorCode::kInvalid, where, "has no track points with a time{}",
                bad > 0 ? fmt::format(" ({} without one, or without a place)", bad) : "");
  }
  if (points.bad > 0) {
    LogWarning("{}: {} of {} points have no time or place that can be read and are left out", where,
               points.bad, points.bad + points.good.size());
  }
  if (!tracked) {
    LogWarning("{}: has waypoints and no track: pictures taken near them in time get a place",
               where);
  }
  std::stable_sort(points.good.begin(), points.good.end(),
                   [](const TrackPoint& a, const TrackPoint& b) { return a.time_us < b.time_us; });
  return std::move(points.good);
}

}  // namespace fogline
