// Reading GPX 1.0 and 1.1 tracks (https://www.topografix.com/GPX/1/1/).
#include <expat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include "edge/locator.h"

namespace fogline {
namespace {

struct Reader {
  std::vector<TrackPoint> points;
  TrackPoint point;
  bool in_point = false, in_time = false, timed = false;
  std::string time;
};

/// "2024-05-01T12:00:00.250Z" or with an offset; false for anything else.
bool ParseTime(const std::string& text, int64_t& time_us) {
  std::tm when{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &when);
  if (rest == nullptr) return false;
  int64_t us = static_cast<int64_t>(timegm(&when)) * 1'000'000;
  if (*rest == '.') {
    // Digits only: a number's parser would take ".5e999" for a time too.
    int64_t unit = 100'000;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) us += (*rest - '0') * unit;
  }
  int hours = 0, minutes = 0;
  if ((*rest == '+' || *rest == '-') && std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2) {
    us -= (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60) * int64_t{1'000'000};
  } else if (*rest != 'Z' && *rest != '\0') {
    return false;
  }
  time_us = us;
  return true;
}

/// The name after a namespace prefix.
const char* Local(const char* name) {
  const char* colon = std::strrchr(name, ':');
  return colon != nullptr ? colon + 1 : name;
}

void XMLCALL OnStart(void* user, const char* name, const char** attributes) {
  auto& reader = *static_cast<Reader*>(user);
  if (std::strcmp(Local(name), "trkpt") == 0) {
    reader.point = {};
    reader.in_point = true;
    reader.timed = false;
    reader.point.position.lat = reader.point.position.lon = 1e9;  // invalid until both are read
    for (; attributes[0] != nullptr; attributes += 2) {
      if (std::strcmp(attributes[0], "lat") == 0)
        reader.point.position.lat = std::atof(attributes[1]);
      if (std::strcmp(attributes[0], "lon") == 0)
        reader.point.position.lon = std::atof(attributes[1]);
    }
  } else if (reader.in_point && std::strcmp(Local(name), "time") == 0) {
    reader.in_time = true;
    reader.time.clear();
  }
}

void XMLCALL OnEnd(void* user, const char* name) {
  auto& reader = *static_cast<Reader*>(user);
  if (std::strcmp(Local(name), "time") == 0 && reader.in_time) {
    reader.in_time = false;
    reader.timed = ParseTime(reader.time, reader.point.time_us);
  } else if (std::strcmp(Local(name), "trkpt") == 0) {
    reader.in_point = false;
    if (reader.timed && IsValid(reader.point.position)) reader.points.push_back(reader.point);
  }
}

void XMLCALL OnText(void* user, const char* text, int length) {
  auto& reader = *static_cast<Reader*>(user);
  constexpr size_t kLongestTime = 64;
  if (reader.in_time && reader.time.size() < kLongestTime)
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
  if (XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), 1) != XML_STATUS_OK) {
    return Fail(ErrorCode::kInvalid, where, "line {} is no GPX: {}",
                XML_GetCurrentLineNumber(parser.get()),
                XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  if (reader.points.empty())
    return Fail(ErrorCode::kInvalid, where, "has no track points with a time");
  std::stable_sort(reader.points.begin(), reader.points.end(),
                   [](const TrackPoint& a, const TrackPoint& b) { return a.time_us < b.time_us; });
  return std::move(reader.points);
}

}  // namespace fogline
