#include "vision/exif.h"

#include <libexif/exif-data.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "base/clock.h"
#include "vision/exif_block.h"
#include "vision/exif_time.h"
#include "vision/heif.h"

namespace fogline {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;
// Newer than libexif's table.
constexpr int kGpsHorizontalError = 0x001F;  // metres
constexpr int kOffsetTime = 0x9010, kOffsetTimeOriginal = 0x9011, kOffsetTimeDigitized = 0x9012;

/// The entries of one block as the camera wrote them.
class Tags {
 public:
  explicit Tags(const std::vector<std::byte>& block) : data_(exif_data_new(), exif_data_unref) {
    if (data_ == nullptr || block.empty()) return;
    // Otherwise libexif drops what it does not know and adds what it thinks is due.
    exif_data_unset_option(data_.get(), EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
    exif_data_unset_option(data_.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_load_data(data_.get(), reinterpret_cast<const unsigned char*>(block.data()),
                        static_cast<unsigned int>(std::min<size_t>(block.size(), UINT32_MAX)));
  }

  const ExifEntry* Entry(ExifIfd ifd, int tag) const {
    return data_ == nullptr ? nullptr
                            : exif_content_get_entry(data_->ifd[ifd], static_cast<ExifTag>(tag));
  }
  std::string Text(ExifIfd ifd, int tag) const {
    const ExifEntry* entry = Entry(ifd, tag);
    if (entry == nullptr || entry->data == nullptr) return {};
    const auto* text = reinterpret_cast<const char*>(entry->data);
    return {text, strnlen(text, entry->size)};
  }
  /// The i-th rational of an entry, signed or not; NaN when it is not there or divides by zero.
  double Rational(ExifIfd ifd, int tag, size_t i = 0) const {
    const ExifEntry* entry = Entry(ifd, tag);
    if (entry == nullptr || entry->data == nullptr || entry->components <= i ||
        entry->size < 8 * (i + 1)) {
      return NAN;
    }
    const unsigned char* at = entry->data + 8 * i;
    if (entry->format == EXIF_FORMAT_SRATIONAL) {
      const ExifSRational r = exif_get_srational(at, order());
      return r.denominator == 0 ? NAN : static_cast<double>(r.numerator) / r.denominator;
    }
    if (entry->format != EXIF_FORMAT_RATIONAL) return NAN;
    const ExifRational r = exif_get_rational(at, order());
    return r.denominator == 0 ? NAN : static_cast<double>(r.numerator) / r.denominator;
  }
  int Short(ExifIfd ifd, int tag) const {
    const ExifEntry* entry = Entry(ifd, tag);
    if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return -1;
    return exif_get_short(entry->data, order());
  }

 private:
  ExifByteOrder order() const { return exif_data_get_byte_order(data_.get()); }
  std::unique_ptr<ExifData, decltype(&exif_data_unref)> data_;
};

/// The first letter of a text, as a capital; 0 when it has none.
char Letter(const std::string& text) {
  const size_t at = text.find_first_not_of(' ');
  return at == text.npos ? '\0'
                         : static_cast<char>(std::toupper(static_cast<unsigned char>(text[at])));
}

/// Degrees, minutes, seconds and a hemisphere letter → signed degrees. Some write signed numbers,
/// with a letter or without: either sign makes it negative.
double Coordinate(const Tags& tags, int value_tag, int reference_tag, char negative) {
  double degrees = 0;
  bool below = Letter(tags.Text(EXIF_IFD_GPS, reference_tag)) == negative;
  for (size_t i = 0; i < 3; ++i) {
    const double part = tags.Rational(EXIF_IFD_GPS, value_tag, i);
    if (std::isnan(part)) {
      if (i == 0) return NAN;
      continue;
    }
    below = below || part < 0;
    degrees += std::abs(part) / (i == 0 ? 1 : i == 1 ? 60 : 3600);
  }
  return below ? -degrees : degrees;
}

/// A receiver that says so, or that gives the zeros it starts with, has no fix: neither its place
/// nor its clock is worth anything.
bool HasNoFix(const Tags& tags, double lat, double lon) {
  return Letter(tags.Text(EXIF_IFD_GPS, EXIF_TAG_GPS_STATUS)) == 'V' || (lat == 0 && lon == 0);
}

void ReadPlace(const Tags& tags, double lat, double lon, Exif& exif) {
  if (tags.Entry(EXIF_IFD_GPS, EXIF_TAG_GPS_LATITUDE) == nullptr &&
      tags.Entry(EXIF_IFD_GPS, EXIF_TAG_GPS_LONGITUDE) == nullptr) {
    return;
  }
  Position position;
  position.lat = lat;
  position.lon = lon;
  if (!IsValid(position)) {
    exif.odd_place = true;
    return;
  }
  const double heading = tags.Rational(EXIF_IFD_GPS, EXIF_TAG_GPS_IMG_DIRECTION);
  if (heading >= 0 && heading <= 360) position.heading_deg = static_cast<float>(heading);
  const double error = tags.Rational(EXIF_IFD_GPS, kGpsHorizontalError);
  const double dop = tags.Rational(EXIF_IFD_GPS, EXIF_TAG_GPS_DOP);
  // Without an error in metres: dilution of precision times 5 m, a usual range error of consumer
  // receivers.
  const double accuracy = error > 0 ? error : dop * 5;
  if (accuracy > 0) position.accuracy_m = static_cast<float>(accuracy);
  exif.position = position;
}

/// GPSDateStamp and GPSTimeStamp; nothing without either, and for the dates that receivers show
/// before their first fix.
std::optional<int64_t> GpsTime(const Tags& tags) {
  int year = 0, month = 0, day = 0;
  const std::string date = tags.Text(EXIF_IFD_GPS, EXIF_TAG_GPS_DATE_STAMP);
  if (std::sscanf(date.c_str(), "%4d%*[:/.-]%2d%*[:/.-]%2d", &year, &month, &day) != 3) {
    return std::nullopt;
  }
  const double hour = tags.Rational(EXIF_IFD_GPS, EXIF_TAG_GPS_TIME_STAMP, 0);
  const double minute = tags.Rational(EXIF_IFD_GPS, EXIF_TAG_GPS_TIME_STAMP, 1);
  const double second = tags.Rational(EXIF_IFD_GPS, EXIF_TAG_GPS_TIME_STAMP, 2);
  const bool clock =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61;
  constexpr int kFirstYear = 1990;
  if (!clock || year < kFirstYear || month < 1 || day < 1) return std::nullopt;
  const auto midnight = ToMicros(year, month, day, 0, 0, 0);
  if (!midnight) return std::nullopt;
  const int64_t us = *midnight + std::llround((hour * 3600 + minute * 60 + second) * 1e6);
  return us > Clock::Real().WallMicros() + kDayUs ? std::nullopt : std::optional<int64_t>(us);
}

/// The camera's own clock: when the picture was taken, else when it was made digital, else when the
/// file was written.
void ReadLocalTime(const Tags& tags, Exif& exif) {
  struct Dated {
    ExifIfd ifd;
    int date, fraction, offset;
  };
  constexpr Dated kDated[] = {{EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL,
                               EXIF_TAG_SUB_SEC_TIME_ORIGINAL, kOffsetTimeOriginal},
                              {EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED,
                               EXIF_TAG_SUB_SEC_TIME_DIGITIZED, kOffsetTimeDigitized},
                              {EXIF_IFD_0, EXIF_TAG_DATE_TIME, EXIF_TAG_SUB_SEC_TIME, kOffsetTime}};
  for (const Dated& kind : kDated) {
    const std::string text = tags.Text(kind.ifd, kind.date);
    const auto time = ParseCameraTime(text);
    if (!time) {
      exif.odd_time = exif.odd_time || !IsBlankTime(text);
      continue;
    }
    exif.local_us = time->local_us;
    int64_t unit = 100'000;
    for (char c : time->local_us % 1'000'000 != 0 ? "" : tags.Text(EXIF_IFD_EXIF, kind.fraction)) {
      if (c < '0' || c > '9') break;
      *exif.local_us += (c - '0') * unit;
      unit /= 10;
    }
    exif.offset_s = time->offset_s;
    // Its own offset first; a camera has one clock, so any other of its offsets is as good.
    for (int tag : {kind.offset, kOffsetTimeOriginal, kOffsetTime, kOffsetTimeDigitized}) {
      if (!exif.offset_s) exif.offset_s = ParseUtcOffset(tags.Text(EXIF_IFD_EXIF, tag));
    }
    exif.odd_time = false;
    return;
  }
}

}  // namespace

bool IsValid(const Position& p) {
  return std::isfinite(p.lat) && std::isfinite(p.lon) && std::abs(p.lat) <= 90 &&
         std::abs(p.lon) <= 180;
}

Exif ReadExif(std::span<const std::byte> file) {
  Exif exif;
  const std::vector<std::byte> block = FindExif(file);
  if (block.empty()) return exif;
  const Tags tags(block);
  const int orientation = tags.Short(EXIF_IFD_0, EXIF_TAG_ORIENTATION);
  if (orientation >= 1 && orientation <= 8 && !IsHeif(file)) exif.orientation = orientation;
  ReadLocalTime(tags, exif);
  const double lat = Coordinate(tags, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, 'S');
  const double lon = Coordinate(tags, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, 'W');
  if (HasNoFix(tags, lat, lon)) return exif;
  ReadPlace(tags, lat, lon, exif);
  exif.gps_us = GpsTime(tags);
  // A fix may be old, or of a receiver whose weeks have run over (19.6 years back), but never from
  // the future: a GPS time that is days behind the camera's is not this picture's. Unless it is the
  // camera that is ahead, of everybody.
  const int64_t local = exif.local_us.value_or(0);
  const bool old = exif.gps_us && *exif.gps_us < local - kDayUs;
  if (old && local <= Clock::Real().WallMicros() + kDayUs) exif.gps_us.reset();
  return exif;
}

void Upright(int orientation, Image& image) {
  if (orientation <= 1 || orientation > 8) return;
  const bool transpose = orientation >= 5;
  const int w = transpose ? image.height : image.width, h = transpose ? image.width : image.height;
  // Which corner the first stored row and column belong to (EXIF 2.32, 4.6.4.A): columns and rows
  // may run backwards.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image upright{w, h, std::vector<uint8_t>(image.rgb.size())};
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      int from_x = transpose ? y : x, from_y = transpose ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      const size_t from = (static_cast<size_t>(from_y) * static_cast<size_t>(image.width) +
                           static_cast<size_t>(from_x)) *
                          3;
      const size_t to =
          (static_cast<size_t>(y) * static_cast<size_t>(w) + static_cast<size_t>(x)) * 3;
      std::memcpy(&upright.rgb[to], &image.rgb[from], 3);
    }
  }
  image = std::move(upright);
}

}  // namespace fogline
