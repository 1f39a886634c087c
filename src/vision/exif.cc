#include "vision/exif.h"

#include <libexif/exif-data.h>

#include <cmath>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>

namespace fogline {
namespace {

using Data = std::unique_ptr<ExifData, decltype(&exif_data_unref)>;

ExifEntry* Entry(const Data& data, ExifIfd ifd, int tag) {
  return exif_content_get_entry(data->ifd[ifd], static_cast<ExifTag>(tag));
}

/// The i-th rational of an entry; NaN when it is not there or divides by zero.
double RationalAt(const Data& data, const ExifEntry* entry, size_t i) {
  if (entry == nullptr || entry->format != EXIF_FORMAT_RATIONAL || entry->components <= i ||
      entry->size < 8 * (i + 1)) {
    return NAN;
  }
  const ExifRational r =
      exif_get_rational(entry->data + 8 * i, exif_data_get_byte_order(data.get()));
  return r.denominator == 0 ? NAN : static_cast<double>(r.numerator) / r.denominator;
}

std::string TextOf(const ExifEntry* entry) {
  if (entry == nullptr || entry->data == nullptr) return {};
  const auto* text = reinterpret_cast<const char*>(entry->data);
  return {text, strnlen(text, entry->size)};
}

/// Degrees, minutes, seconds and a hemisphere letter → signed degrees.
double Coordinate(const Data& data, int value_tag, int reference_tag, char negative) {
  const ExifEntry* entry = Entry(data, EXIF_IFD_GPS, value_tag);
  double minutes = RationalAt(data, entry, 1), seconds = RationalAt(data, entry, 2);
  if (std::isnan(minutes)) minutes = 0;
  if (std::isnan(seconds)) seconds = 0;
  const double degrees = RationalAt(data, entry, 0) + minutes / 60 + seconds / 3600;
  const std::string reference = TextOf(Entry(data, EXIF_IFD_GPS, reference_tag));
  return !reference.empty() && reference[0] == negative ? -degrees : degrees;
}

std::optional<int64_t> CaptureTime(const Data& data) {
  const std::string text = TextOf(Entry(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL));
  std::tm when{};
  const char* end = strptime(text.c_str(), "%Y:%m:%d %H:%M:%S", &when);
  if (end == nullptr) return std::nullopt;
  int64_t seconds = timegm(&when);
  const std::string offset =
      TextOf(Entry(data, EXIF_IFD_EXIF, 0x9011));  // OffsetTimeOriginal, "+02:00"
  int hours = 0, minutes = 0;
  char sign = '+';
  if (std::sscanf(offset.c_str(), "%c%2d:%2d", &sign, &hours, &minutes) == 3) {
    seconds -= (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  }
  return seconds * 1'000'000;
}

}  // namespace

bool IsValid(const Position& p) {
  return std::isfinite(p.lat) && std::isfinite(p.lon) && std::abs(p.lat) <= 90 &&
         std::abs(p.lon) <= 180;
}

Exif ReadExif(std::span<const std::byte> jpeg) {
  Exif exif;
  const Data data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(jpeg.data()),
                              static_cast<unsigned int>(std::min<size_t>(jpeg.size(), UINT32_MAX))),
      exif_data_unref);
  if (data == nullptr) return exif;
  const ExifEntry* orientation = Entry(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION);
  if (orientation != nullptr && orientation->format == EXIF_FORMAT_SHORT &&
      orientation->size >= 2) {
    const int value = exif_get_short(orientation->data, exif_data_get_byte_order(data.get()));
    if (value >= 1 && value <= 8) exif.orientation = value;
  }
  exif.captured_us = CaptureTime(data);

  Position position;
  position.lat = Coordinate(data, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, 'S');
  position.lon = Coordinate(data, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, 'W');
  if (!IsValid(position)) return exif;
  position.heading_deg = static_cast<float>(
      RationalAt(data, Entry(data, EXIF_IFD_GPS, EXIF_TAG_GPS_IMG_DIRECTION), 0));
  constexpr int kHorizontalError =
      0x001F;  // GPSHPositioningError, metres; newer than libexif's table
  const double error = RationalAt(data, Entry(data, EXIF_IFD_GPS, kHorizontalError), 0);
  const double dop = RationalAt(data, Entry(data, EXIF_IFD_GPS, EXIF_TAG_GPS_DOP), 0);
  // Without an error in metres: dilution of precision times 5 m, a usual range error of consumer
  // receivers.
  position.accuracy_m = static_cast<float>(std::isnan(error) ? dop * 5 : error);
  exif.position = position;
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
