// When pictures were taken, from what their cameras wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "frame/time_source.h"
#include "vision/exif.h"
#include "vision/folder.h"

namespace fogline {

/// A time in microseconds since 1970 UTC and how it is known; 0 when it is not.
struct Captured {
  int64_t us = 0;
  TimeSource from = TimeSource::kNone;
};

/// Knows how far the camera's own clock is ahead of UTC, as far as anybody does.
class CameraClock {
 public:
  /// A picture with both clocks: what its own showed, and by how much that was ahead of UTC.
  struct Sighting {
    int64_t local_us = 0;
    int64_t offset_us = 0;
  };

  /// Nothing is known.
  CameraClock() = default;
  /// The operator said so.
  explicit CameraClock(int32_t offset_s) : given_us_(offset_s * int64_t{1'000'000}) {}
  /// From pictures with both clocks. Where the offset changes between them (summer time, a
  /// journey), a picture gets the one that the pictures before and after it agree upon, and up to a
  /// week beyond the first and the last that of those; where nothing changes, all get the same.
  explicit CameraClock(std::vector<Sighting> sightings);

  /// What `--camera-offset` says: "+02:00", or "auto" to look at the pictures of a folder. Empty:
  /// nothing is known.
  static Result<CameraClock> Make(const std::string& option, const std::string& source,
                                  Depth depth = Depth::kFlat);

  /// The GPS receiver's clock first, then the camera's own with an offset from UTC, then without
  /// one, then what the source of the picture knows.
  Captured When(const Exif& exif, const Captured& source) const;

  /// "+02:00 (14 pictures)", each offset that was found; empty when none was.
  std::string Found() const;

 private:
  std::optional<int64_t> OffsetAt(int64_t local_us) const;

  std::optional<int64_t> given_us_;
  std::vector<Sighting> sightings_;  // by their own clock
};

/// The offset that a picture with both clocks shows, to the quarter of an hour; nothing without
/// both, and where the two are no whole number of quarters apart: such a GPS time is an old one.
std::optional<CameraClock::Sighting> SightingOf(const Exif& exif);

/// The date of a file; none for one that no picture can have (before 1990, or to come).
Captured FileDate(const std::filesystem::path& file);

}  // namespace fogline
