#include "edge/whereabouts.h"

#include <fmt/format.h>

#include "base/log.h"

namespace fogline {

void Whereabouts::Stamp(const Exif& exif, const Capture& capture, Frame& frame) {
  const Captured when = When(exif, capture);
  frame.captured_us = when.us;
  frame.captured_from = when.from;
  by_file_ += when.from == TimeSource::kFile;
  undated_ += when.from == TimeSource::kNone;
  odd_times_ += exif.odd_time;
  odd_places_ += exif.odd_place;
  if (when.from == TimeSource::kAssumed && assumed_++ == 0) {
    LogWarning(
        "{}: its camera does not say how far its clock is from UTC; such times are taken for "
        "UTC, and may be hours off, as are places by --gpx (give --camera-offset +HH:MM or "
        "auto)",
        capture.where);
  }

  std::optional<Position> position = exif.position;
  if (!position && locator_ != nullptr) position = locator_->At(when.us);
  if (!position) {
    if (unplaced_++ == 0) {
      LogWarning(
          "{}: has no position; it is stored, but not on the map (give --at, --gpx or --gpsd)",
          capture.where);
    }
    return;
  }
  frame.has_position = true;
  frame.lat = position->lat;
  frame.lon = position->lon;
  frame.accuracy_m = position->accuracy_m;
  frame.heading_deg = position->heading_deg;
}

void Whereabouts::Say(const std::string& source) const {
  std::string text;
  for (const auto& [count, what] : {std::pair{odd_times_, "a date in EXIF that cannot be read"},
                                    {odd_places_, "a place in EXIF that cannot be read"},
                                    {assumed_, "a camera's date taken for UTC"},
                                    {by_file_, "no date but their file's"},
                                    {undated_, "no date at all"}}) {
    if (count > 0) text += fmt::format("{}{} with {}", text.empty() ? "" : ", ", count, what);
  }
  if (!text.empty()) LogWarning("{}: pictures: {}", source, text);
}

}  // namespace fogline
