#include "vision/exif.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "vision/exif_block.h"
#include "vision/exif_time.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using Bytes = std::vector<std::byte>;
constexpr int64_t kSecond = 1'000'000;
// 2024-05-01 12:00:00 UTC.
constexpr int64_t kNoon = 1'714'564'800 * kSecond;

/// One EXIF entry. Rationals are pairs in `numbers`.
struct Field {
  uint16_t tag = 0;
  uint16_t type = 0;  // 2 text, 3 short, 4 long, 5 rational, 10 signed rational
  std::vector<int64_t> numbers;
  std::string text;
};
Field Text(uint16_t tag, std::string text) { return {tag, 2, {}, std::move(text)}; }
Field Rational(uint16_t tag, std::vector<int64_t> pairs, bool is_signed = false) {
  return {tag, static_cast<uint16_t>(is_signed ? 10 : 5), std::move(pairs), {}};
}

/// An EXIF block, little-endian, made entry by entry as a camera would.
class Block {
 public:
  std::vector<Field> root, exif, gps;

  /// A JPEG file of nothing but this block.
  Bytes File() const {
    Bytes block;
    for (char c : std::string("Exif\0\0II*\0\x08\0\0\0", 14))
      block.push_back(static_cast<std::byte>(c));
    std::vector<Field> first = root;
    first.push_back({0x8769, 4, {0}, {}});
    first.push_back({0x8825, 4, {0}, {}});
    const size_t exif_at = 8 + Directory(first, 8).size();
    const size_t gps_at = exif_at + Directory(exif, exif_at).size();
    first[first.size() - 2].numbers = {static_cast<int64_t>(exif_at)};
    first[first.size() - 1].numbers = {static_cast<int64_t>(gps_at)};
    for (const Bytes& part :
         {Directory(first, 8), Directory(exif, exif_at), Directory(gps, gps_at)}) {
      block.insert(block.end(), part.begin(), part.end());
    }
    const size_t length = block.size() + 2;
    Bytes file;
    for (size_t b :
         {size_t{0xFF}, size_t{0xD8}, size_t{0xFF}, size_t{0xE1}, length >> 8, length & 255}) {
      file.push_back(static_cast<std::byte>(b));
    }
    file.insert(file.end(), block.begin(), block.end());
    return file;
  }
  Exif Read() const { return ReadExif(File()); }

 private:
  static void Put(Bytes& to, int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i) & 255));
  }
  static Bytes Directory(std::vector<Field> fields, size_t at) {
    std::ranges::sort(fields, {}, &Field::tag);
    Bytes entries, data;
    Put(entries, static_cast<int64_t>(fields.size()), 2);
    const size_t data_at = at + 2 + 12 * fields.size() + 4;
    for (const Field& field : fields) {
      Bytes value;
      for (char c : field.text) Put(value, c, 1);
      if (field.type == 2) Put(value, 0, 1);
      for (int64_t n : field.numbers) Put(value, n, field.type == 3 ? 2 : 4);
      const size_t count = field.type == 2   ? value.size()
                           : field.type >= 5 ? field.numbers.size() / 2
                                             : field.numbers.size();
      Put(entries, field.tag, 2);
      Put(entries, field.type, 2);
      Put(entries, static_cast<int64_t>(count), 4);
      if (value.size() <= 4) {
        value.resize(4);
        entries.insert(entries.end(), value.begin(), value.end());
      } else {
        Put(entries, static_cast<int64_t>(data_at + data.size()), 4);
        data.insert(data.end(), value.begin(), value.end());
      }
    }
    Put(entries, 0, 4);
    entries.insert(entries.end(), data.begin(), data.end());
    return entries;
  }
};

Block At(const char* lat_letter, std::vector<int64_t> lat, const char* lon_letter,
         std::vector<int64_t> lon, bool is_signed = false) {
  Block block;
  if (*lat_letter != '\0') block.gps.push_back(Text(1, lat_letter));
  block.gps.push_back(Rational(2, std::move(lat), is_signed));
  if (*lon_letter != '\0') block.gps.push_back(Text(3, lon_letter));
  block.gps.push_back(Rational(4, std::move(lon), is_signed));
  return block;
}

TEST(Exif, PlacesAsCamerasAndProgramsWriteThem) {
  const std::vector<int64_t> lat{33, 1, 27, 1, 0, 1}, lon{70, 1, 40, 1, 30, 1};
  const std::vector<int64_t> minus_lat{-33, 1, 27, 1, 0, 1}, minus_lon{-70, 1, -40, 1, -30, 1};
  for (const Block& block :
       {At("S", lat, "W", lon), At("s", lat, "w", lon), At("South", lat, " W", lon),
        At("S", lat, "W", lon, true), At("", minus_lat, "", minus_lon, true),
        At("S", minus_lat, "W", minus_lon, true), At("N", minus_lat, "E", minus_lon, true)}) {
    const auto position = block.Read().position;
    ASSERT_TRUE(position);
    EXPECT_NEAR(position->lat, -33.45, 1e-9);
    EXPECT_NEAR(position->lon, -70.675, 1e-9);
    EXPECT_TRUE(std::isnan(position->accuracy_m));
    EXPECT_TRUE(std::isnan(position->heading_deg));
  }
  // Without letters and signs: north and east.
  const auto plain = At("", lat, "", lon).Read().position;
  ASSERT_TRUE(plain);
  EXPECT_NEAR(plain->lat, 33.45, 1e-9);
  // Decimal degrees in one rational; a denominator of 0 in the seconds.
  const auto decimal = At("N", {51068123, 1000000}, "E", {4, 1, 30, 1, 0, 0}).Read().position;
  ASSERT_TRUE(decimal);
  EXPECT_NEAR(decimal->lat, 51.068123, 1e-9);
  EXPECT_NEAR(decimal->lon, 4.5, 1e-9);
}

TEST(Exif, WithoutAFixThereIsNoPlaceAndNoGpsTime) {
  const auto clocked = [](Block block) {
    block.gps.push_back(Rational(7, {12, 1, 0, 1, 0, 1}));
    block.gps.push_back(Text(29, "2024:05:01"));
    return block;
  };
  const Block good = clocked(At("N", {51, 1, 0, 1, 0, 1}, "E", {4, 1, 0, 1, 0, 1}));
  EXPECT_TRUE(good.Read().position);
  EXPECT_EQ(good.Read().gps_us, kNoon);
  for (const char* status : {"V", "v"}) {
    Block none = good;
    none.gps.push_back(Text(9, status));
    EXPECT_FALSE(none.Read().position) << status;
    EXPECT_FALSE(none.Read().gps_us) << status;
    EXPECT_FALSE(none.Read().odd_place) << status;
  }
  Block active = good;
  active.gps.push_back(Text(9, "A"));
  EXPECT_TRUE(active.Read().position);
  const Exif zeros = clocked(At("N", {0, 1, 0, 1, 0, 1}, "E", {0, 1, 0, 1, 0, 1})).Read();
  EXPECT_FALSE(zeros.position);
  EXPECT_FALSE(zeros.gps_us);
  // What is there and makes no sense is said.
  for (const Block& odd : {At("N", {0, 0, 0, 0, 0, 0}, "E", {4, 1, 0, 1, 0, 1}),
                           At("N", {95, 1, 0, 1, 0, 1}, "E", {4, 1, 0, 1, 0, 1})}) {
    EXPECT_FALSE(odd.Read().position);
    EXPECT_TRUE(odd.Read().odd_place);
  }
}

TEST(Exif, TheGpsClockIsReadWhereItIsSane) {
  const auto gps = [](std::vector<int64_t> clock, const char* date, const char* local = "") {
    Block block;
    block.gps.push_back(Rational(7, std::move(clock)));
    block.gps.push_back(Text(29, date));
    if (*local != '\0') block.exif.push_back(Text(0x9003, local));
    return block.Read().gps_us;
  };
  EXPECT_EQ(gps({12, 1, 0, 1, 1500, 1000}, "2024:05:01"), kNoon + 1'500'000);
  EXPECT_EQ(gps({12, 1, 0, 1, 0, 1}, "2024-05-01"), kNoon);
  EXPECT_EQ(gps({12, 1, 0, 1, 0, 1}, "2024:05:01", "2024:05:01 14:00:00"), kNoon);
  // The camera's clock was never set, or stands years back: the receiver's was.
  EXPECT_EQ(gps({12, 1, 0, 1, 0, 1}, "2024:05:01", "2015:01:01 00:00:00"), kNoon);
  EXPECT_EQ(gps({12, 1, 0, 1, 0, 1}, "2024:05:01", "2090:01:01 00:00:00"), kNoon);
  // A receiver before its first fix, of 1024 weeks ago, nonsense.
  EXPECT_FALSE(gps({0, 1, 0, 1, 0, 1}, "1980:01:06"));
  EXPECT_FALSE(gps({12, 1, 0, 1, 0, 1}, "2004:09:15", "2024:05:01 14:00:00"));
  EXPECT_FALSE(gps({12, 1, 0, 1, 0, 1}, "0000:00:00"));
  EXPECT_FALSE(gps({12, 1, 0, 1, 0, 1}, "2024:13:01"));
  EXPECT_FALSE(gps({12, 1, 0, 1, 0, 1}, "2024:02:31"));
  EXPECT_FALSE(gps({12, 1, 0, 1, 0, 1}, "2399:01:01"));
  EXPECT_FALSE(gps({25, 1, 0, 1, 0, 1}, "2024:05:01"));
  EXPECT_FALSE(gps({12, 0, 0, 1, 0, 1}, "2024:05:01"));
}

TEST(Exif, TheCamerasClockAndItsOffset) {
  const auto read = [](std::vector<Field> exif, std::vector<Field> root = {}) {
    Block block;
    block.exif = std::move(exif);
    block.root = std::move(root);
    return block.Read();
  };
  const auto plain = read({Text(0x9003, "2024:05:01 12:00:00")});
  EXPECT_EQ(plain.local_us, kNoon);
  EXPECT_FALSE(plain.offset_s);
  // The three offsets, each alone; a picture's own first.
  for (uint16_t tag : {0x9010, 0x9011, 0x9012}) {
    EXPECT_EQ(read({Text(0x9003, "2024:05:01 12:00:00"), Text(tag, "-03:30")}).offset_s, -12600);
  }
  EXPECT_EQ(
      read({Text(0x9003, "2024:05:01 12:00:00"), Text(0x9010, "+01:00"), Text(0x9011, "+02:00")})
          .offset_s,
      7200);
  EXPECT_FALSE(read({Text(0x9003, "2024:05:01 12:00:00"), Text(0x9011, "   :  ")}).offset_s);
  // Within the date, and as ISO writes it.
  EXPECT_EQ(read({Text(0x9003, "2024:05:01 12:00:00+02:00")}).offset_s, 7200);
  const auto iso = read({Text(0x9003, "2024-05-01T12:00:00.25Z")});
  EXPECT_EQ(iso.local_us, kNoon + 250'000);
  EXPECT_EQ(iso.offset_s, 0);
  // Parts of a second.
  EXPECT_EQ(read({Text(0x9003, "2024:05:01 12:00:00"), Text(0x9291, "5")}).local_us,
            kNoon + 500'000);
  EXPECT_EQ(read({Text(0x9003, "2024:05:01 12:00:00"), Text(0x9291, "042 ")}).local_us,
            kNoon + 42'000);
  // Only when it was made digital, or when the file was written.
  EXPECT_EQ(read({Text(0x9004, "2024:05:01 12:00:00")}).local_us, kNoon);
  EXPECT_EQ(read({}, {Text(0x0132, "2024:05:01 12:00:00")}).local_us, kNoon);
  EXPECT_EQ(
      read({Text(0x9003, "0000:00:00 00:00:00")}, {Text(0x0132, "2024:05:01 12:00:00")}).local_us,
      kNoon);
  // Left open is no date; nonsense is none either, and is said.
  for (const char* blank : {"    :  :     :  :  ", "0000:00:00 00:00:00", ""}) {
    EXPECT_FALSE(read({Text(0x9003, blank)}).local_us) << blank;
    EXPECT_FALSE(read({Text(0x9003, blank)}).odd_time) << blank;
  }
  for (const char* odd : {"yesterday", "2024:02:31 12:00:00", "2024:05:01 25:00:00",
                          "24:05:01 12:00", "2024:05:01 12:00:00 later", "9999:99:99 99:99:99"}) {
    EXPECT_FALSE(read({Text(0x9003, odd)}).local_us) << odd;
    EXPECT_TRUE(read({Text(0x9003, odd)}).odd_time) << odd;
  }
}

TEST(Exif, OffsetsAreWrittenInManyWays) {
  EXPECT_EQ(ParseUtcOffset("+02:00"), 7200);
  EXPECT_EQ(ParseUtcOffset("-0330"), -12600);
  EXPECT_EQ(ParseUtcOffset("+2"), 7200);
  EXPECT_EQ(ParseUtcOffset("+5:45"), 20700);
  EXPECT_EQ(ParseUtcOffset("Z"), 0);
  EXPECT_EQ(ParseUtcOffset(std::string("+02:00\0", 7)), 7200);
  for (const char* bad : {"", "2", "+", "+02:", "+02:60", "+16:00", "+02:00:00", "UTC+2", "+x"}) {
    EXPECT_FALSE(ParseUtcOffset(bad)) << bad;
  }
}

std::filesystem::path Seed(const char* name) {
  return std::filesystem::path(FOGLINE_SOURCE_DIR) / "fuzz/corpus/picture" / name;
}

/// The same block, turned by 90°, in each kind of file that can hold one.
TEST(Exif, IsReadFromPngAndWebpToo) {
  for (const char* name : {"exif.png", "profile.png", "exif.webp"}) {
    const auto picture = LoadPicture(Seed(name));
    ASSERT_TRUE(picture) << picture.error().ToString();
    EXPECT_EQ(picture->image.width, 16) << name;
    EXPECT_EQ(picture->image.height, 24) << name;
    ASSERT_TRUE(picture->exif.position) << name;
    EXPECT_NEAR(picture->exif.position->lat, -33.45, 1e-9) << name;
    EXPECT_EQ(picture->exif.offset_s, 7200) << name;
    EXPECT_EQ(picture->exif.local_us, kNoon + 7200 * kSecond) << name;
    EXPECT_EQ(picture->exif.gps_us, kNoon + 30 * kSecond) << name;
  }
}

TEST(Exif, DamageIsNeverMoreThanNothing) {
  std::mt19937 random(9);
  for (const char* name : {"exif.jpg", "exif.png", "profile.png", "exif.webp"}) {
    const auto good = ReadFile(Seed(name));
    ASSERT_TRUE(good) << name;
    for (int i = 0; i < 1000; ++i) {
      auto bytes = *good;
      for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      bytes.resize(bytes.size() - random() % 8);
      const Exif exif = ReadExif(bytes);
      if (exif.position) {
        EXPECT_TRUE(IsValid(*exif.position));
      }
    }
  }
}

// What a camera wrote beside a picture stays behind, and the picture is the same.
TEST(PixelsAlone, LeavesTheCamerasWordsOut) {
  Bytes jpeg;
  ASSERT_TRUE(EncodeJpeg(Image{16, 16, std::vector<uint8_t>(size_t{16} * 16 * 3, 90)}, 80, jpeg));
  Block block;
  block.root.push_back(Text(0x0110, "a camera"));
  const Bytes exif = block.File();
  Bytes told = jpeg;
  told.insert(told.begin() + 2, exif.begin() + 2, exif.end());
  const std::string comment("\xFF\xFE\0\x06here", 8);
  for (const char c : comment) told.insert(told.end() - 2, static_cast<std::byte>(c));
  told.insert(told.end(), exif.begin(), exif.end());  // behind its end
  ASSERT_FALSE(FindExif(told).empty());
  EXPECT_EQ(PixelsAlone(told), jpeg);
  EXPECT_EQ(PixelsAlone(jpeg), jpeg);
  EXPECT_TRUE(PixelsAlone(Bytes{}).empty());
  EXPECT_TRUE(PixelsAlone(Bytes(exif.begin() + 1, exif.end())).empty());
  // Whatever is torn off or changed, no more comes out than went in.
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    Bytes torn(told.begin(), told.begin() + static_cast<long>(random() % told.size()));
    for (int k = 0; k < 3 && !torn.empty(); ++k) {
      torn[random() % torn.size()] = static_cast<std::byte>(random());
    }
    EXPECT_LE(PixelsAlone(torn).size(), torn.size());
  }
}

}  // namespace
}  // namespace fogline
