#include "edge/camera_clock.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "vision/exif_time.h"
#include "vision/folder.h"

namespace fogline {
namespace {

constexpr int64_t kSecond = 1'000'000, kQuarter = 900 * kSecond, kDay = 86'400 * kSecond;
constexpr int64_t kFurthest = 5 * 60 * kSecond;  // a GPS time from its quarter of an hour
constexpr int64_t kHolds = 7 * kDay;             // an offset beyond the last picture that showed it

std::string OffsetText(int64_t offset_us) {
  const int64_t minutes = std::abs(offset_us) / (60 * kSecond);
  return fmt::format("{}{:02}:{:02}", offset_us < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/// Without those that both neighbours contradict with one voice.
void DropLoners(std::vector<CameraClock::Sighting>& sightings) {
  const std::vector<CameraClock::Sighting> all = sightings;
  size_t left = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool alone = i > 0 && i + 1 < all.size() &&
                       all[i - 1].offset_us == all[i + 1].offset_us &&
                       all[i].offset_us != all[i - 1].offset_us;
    if (!alone) sightings[left++] = all[i];
  }
  sightings.resize(left);
}

}  // namespace

std::optional<CameraClock::Sighting> SightingOf(const Exif& exif) {
  if (!exif.gps_us || !exif.local_us) return std::nullopt;
  const int64_t ahead = *exif.local_us - *exif.gps_us;
  const int64_t quarters =
      std::llround(static_cast<double>(ahead) / static_cast<double>(kQuarter)) * kQuarter;
  if (std::abs(ahead - quarters) > kFurthest) return std::nullopt;
  return CameraClock::Sighting{*exif.local_us, quarters};
}

CameraClock::CameraClock(std::vector<Sighting> sightings) : sightings_(std::move(sightings)) {
  std::ranges::sort(sightings_, {}, &Sighting::local_us);
  DropLoners(sightings_);
}

Result<CameraClock> CameraClock::Make(const std::string& option, const std::string& source,
                                      Depth depth) {
  if (option.empty()) return CameraClock();
  if (option != "auto") {
    const auto offset = ParseUtcOffset(option);
    if (!offset) {
      return Fail(ErrorCode::kUsage, "--camera-offset " + option,
                  "is no offset from UTC: write +02:00, -03:30 or auto");
    }
    return CameraClock(*offset);
  }
  std::error_code error;
  if (!std::filesystem::is_directory(source, error)) {
    return Fail(ErrorCode::kUsage, "--camera-offset auto",
                "needs a folder, whose pictures can be looked at beforehand; {} is none", source);
  }
  FOGLINE_TRY(const Folder folder, ListFolder(source, depth));
  std::vector<Sighting> sightings;
  for (const auto& path : folder.files) {
    const auto file = MappedFile::Open(path);
    if (!file) continue;  // said when its turn comes
    if (const auto sighting = SightingOf(ReadExif(file->bytes()))) sightings.push_back(*sighting);
  }
  CameraClock clock(std::move(sightings));
  if (clock.sightings_.empty()) {
    LogWarning(
        "{}: no picture has both a GPS time and its camera's, so the camera's offset from UTC "
        "stays unknown (give --camera-offset +HH:MM)",
        source);
  } else {
    LogInfo("{}: the camera's clock is ahead of UTC by {}", source, clock.Found());
  }
  return clock;
}

std::optional<int64_t> CameraClock::OffsetAt(int64_t local_us) const {
  if (given_us_ || sightings_.empty()) return given_us_;
  const Sighting &first = sightings_.front(), &last = sightings_.back();
  const bool same = std::ranges::all_of(
      sightings_, [&](const Sighting& s) { return s.offset_us == first.offset_us; });
  if (same) return first.offset_us;
  const auto after = std::ranges::lower_bound(sightings_, local_us, {}, &Sighting::local_us);
  if (after == sightings_.end()) {
    return local_us - last.local_us <= kHolds ? std::optional(last.offset_us) : std::nullopt;
  }
  if (after == sightings_.begin()) {
    return first.local_us - local_us <= kHolds ? std::optional(first.offset_us) : std::nullopt;
  }
  if (after->local_us == local_us || after->offset_us == (after - 1)->offset_us) {
    return after->offset_us;
  }
  return std::nullopt;
}

Captured CameraClock::When(const Exif& exif, const Captured& source) const {
  if (exif.gps_us) return {*exif.gps_us, TimeSource::kGps};
  if (!exif.local_us) return source;
  if (exif.offset_s) return {*exif.local_us - *exif.offset_s * kSecond, TimeSource::kOffset};
  if (const auto offset = OffsetAt(*exif.local_us)) {
    return {*exif.local_us - *offset, TimeSource::kOffset};
  }
  return {*exif.local_us, TimeSource::kAssumed};
}

std::string CameraClock::Found() const {
  std::map<int64_t, size_t> counts;
  for (const Sighting& sighting : sightings_) ++counts[sighting.offset_us];
  std::string text;
  for (const auto& [offset, count] : counts) {
    text += fmt::format("{}{} ({} picture{})", text.empty() ? "" : ", ", OffsetText(offset), count,
                        count == 1 ? "" : "s");
  }
  return text;
}

Captured FileDate(const std::filesystem::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return {};
  const int64_t us = status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec / 1000;
  constexpr int64_t kYear1990 = 631'152'000 * kSecond;
  if (us < kYear1990 || us > Clock::Real().WallMicros() + kDay) return {};
  return {us, TimeSource::kFile};
}

}  // namespace fogline
