// A folder as people have them: 10,000 files, a hundred of each oddity among ordinary pictures. One
// device runs through it to a real cloud; every picture that can be read is stored once, what
// cannot is counted by its kind, and no picture takes anything from the one before it.
#include <fmt/format.h>
#include <jpeglib.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "tests/line/line.h"
#include "vision/image.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

constexpr size_t kFiles = 10'000, kOfEach = 100;

Bytes BytesOf(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

Image PictureOf(size_t i) {
  Image image{32, 32, std::vector<uint8_t>(size_t{32} * 32 * 3)};
  for (size_t k = 0; k < image.rgb.size(); ++k) {
    image.rgb[k] = static_cast<uint8_t>(k * (i % 7 + 1) / 9 + i);
  }
  return image;
}

Bytes Jpeg(size_t i) {
  Bytes file;
  EXPECT_TRUE(EncodeJpeg(PictureOf(i), 85, file));
  return file;
}

Bytes WebP(size_t i) {
  Bytes file;
  EXPECT_TRUE(EncodeWebp(PictureOf(i), 85, file));
  return file;
}

/// A JPEG of one (grey) or four (CMYK) channels.
Bytes JpegOf(J_COLOR_SPACE colours, int channels) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  unsigned char* data = nullptr;
  unsigned long size = 0;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = info.image_height = 32;
  info.input_components = channels;
  info.in_color_space = colours;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> line(size_t{32} * static_cast<size_t>(channels), 90);
  for (int y = 0; y < 32; ++y) {
    uint8_t* row = line.data();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto bytes = std::as_bytes(std::span(data, size));
  Bytes file(bytes.begin(), bytes.end());
  std::free(data);
  return file;
}

/// The place of a picture as its EXIF says it: one of its own for each, in whole degrees.
struct Place {
  int lat, lon;
};
Place PlaceOf(size_t i) { return {static_cast<int>(i % 60) + 1, static_cast<int>(i % 170) + 1}; }

/// A JPEG whose EXIF says where it was taken, and nothing else.
Bytes Placed(size_t i) {
  const Place place = PlaceOf(i);
  std::string block("Exif\0\0II*\0\x08\0\0\0", 14);
  const auto put = [&](uint32_t value, int bytes) {
    for (int b = 0; b < bytes; ++b) block.push_back(static_cast<char>(value >> (8 * b) & 255));
  };
  const auto entry = [&](uint32_t tag, uint32_t type, uint32_t count, uint32_t value) {
    put(tag, 2), put(type, 2), put(count, 4), put(value, 4);
  };
  constexpr uint32_t kGps = 8 + 2 + 12 + 4, kLat = kGps + 2 + 4 * 12 + 4, kLon = kLat + 24;
  put(1, 2), entry(0x8825, 4, 1, kGps), put(0, 4);
  put(4, 2);
  entry(1, 2, 2, 'N'), entry(2, 5, 3, kLat), entry(3, 2, 2, 'E'), entry(4, 5, 3, kLon);
  put(0, 4);
  for (const int degrees : {place.lat, place.lon}) {
    put(static_cast<uint32_t>(degrees), 4), put(1, 4);
    for (int k = 0; k < 2; ++k) put(0, 4), put(1, 4);
  }
  Bytes file = Jpeg(i);
  const size_t length = block.size() + 2;
  const Bytes head = BytesOf(
      std::string{'\xFF', '\xE1', static_cast<char>(length >> 8), static_cast<char>(length & 255)} +
      block);
  file.insert(file.begin() + 2, head.begin(), head.end());
  return file;
}

enum class Fate { kRead, kSkipped, kCounted, kPassed };  // kPassed: not a picture, no word

/// What one of a hundred is.
struct Oddity {
  std::string name;  // with {} for its number
  Fate fate;
  std::function<void(const fs::path&, size_t)> make;
};

class Crowd : public Line {
 protected:
  static void Put(const fs::path& path, const Bytes& bytes) {
    ASSERT_TRUE(WriteFile(path, bytes)) << path;
  }
  static Oddity File(std::string name, Fate fate, std::function<Bytes(size_t)> bytes) {
    return {std::move(name), fate,
            [bytes = std::move(bytes)](const fs::path& path, size_t i) { Put(path, bytes(i)); }};
  }
  std::vector<Oddity> Oddities() const;

  const fs::path folder_ = dir_.path() / "pictures";
};

std::vector<Oddity> Crowd::Oddities() const {
  const auto cut_short = [](size_t i) {
    Bytes file = Jpeg(i);
    file.resize(file.size() / 2);
    return file;
  };
  const auto bomb = [](size_t i) {  // claims 65,500 pixels a side
    Bytes file = Jpeg(i);
    for (size_t at = 0; at + 9 < file.size(); ++at) {
      if (file[at] != std::byte{0xFF} || file[at + 1] != std::byte{0xC0}) continue;
      for (size_t k : {5, 7}) file[at + k] = std::byte{0xFF}, file[at + k + 1] = std::byte{0xDC};
      break;
    }
    return file;
  };
  const auto stray = [](size_t i) {  // doubled start marker, as some webcams send it
    Bytes file = Jpeg(i);
    file.insert(file.begin() + 2, {std::byte{0xFF}, std::byte{0xD8}});
    return file;
  };
  const auto fixed = [](Bytes bytes) { return [bytes](size_t) { return bytes; }; };
  return {
      File("grey-{}.jpg", Fate::kRead, fixed(JpegOf(JCS_GRAYSCALE, 1))),
      File("ink-{}.jpeg", Fate::kRead, fixed(JpegOf(JCS_CMYK, 4))),
      File("placed-{}.jpg", Fate::kRead, Placed),
      File("LOUD-{}.JPG", Fate::kRead, Jpeg),
      File("webp-{}.webp", Fate::kRead, WebP),
      File("renamed-{}.png", Fate::kRead, Jpeg),
      File("doubled-{}.jpg", Fate::kRead, stray),
      File("a name, with \"blanks\"\n& ünïcode {}.jpg", Fate::kRead, Jpeg),
      {"linked-{}.jpg", Fate::kRead,
       [](const fs::path& path, size_t i) {
         fs::create_symlink(fmt::format("grey-{}.jpg", i), path);
       }},
      {"out-{}.jpg", Fate::kCounted,
       [this](const fs::path& path, size_t i) {
         Put(dir_.path() / fmt::format("elsewhere-{}.jpg", i), Jpeg(i));
         fs::create_symlink(dir_.path() / fmt::format("elsewhere-{}.jpg", i), path);
       }},
      File("empty-{}.jpg", Fate::kSkipped, fixed({})),
      File("cut-{}.jpg", Fate::kSkipped, cut_short),
      File("bomb-{}.jpg", Fate::kSkipped, bomb),
      File("words-{}.jpg", Fate::kSkipped, fixed(BytesOf("no picture at all\n"))),
      File("pointer-{}.png", Fate::kSkipped,
           fixed(BytesOf("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"))),
      File("page-{}.webp", Fate::kSkipped, fixed(BytesOf("<html>404</html>"))),
      File("phone-{}.heic", Fate::kRead, Jpeg),
      File("scan-{}.tiff", Fate::kCounted, Jpeg),
      File("film-{}.mp4", Fate::kCounted, Jpeg),
      File("none-{}", Fate::kCounted, Jpeg),
      {"folder-{}.jpg", Fate::kCounted,
       [](const fs::path& path, size_t) { fs::create_directory(path); }},
      {"nowhere-{}.jpg", Fate::kCounted,
       [](const fs::path& path, size_t) { fs::create_symlink("not there", path); }},
      {"circle-{}.jpg", Fate::kCounted,
       [](const fs::path& path, size_t) { fs::create_symlink(path.filename(), path); }},
      {"pipe-{}.jpg", Fate::kCounted,
       [](const fs::path& path, size_t) { ASSERT_EQ(mkfifo(path.c_str(), 0600), 0); }},
      File(".hidden-{}.jpg", Fate::kPassed, Jpeg),
      File("notes-{}.txt", Fate::kPassed, fixed(BytesOf("litter, 3"))),
  };
}

TEST_F(Crowd, AHundredOfEachOddityAmongTenThousandFilesCostNoPicture) {
  fs::create_directory(folder_);
  std::map<Fate, size_t> expected;
  size_t made = 0;
  for (const Oddity& oddity : Oddities()) {
    for (size_t i = 0; i < kOfEach; ++i, ++made) {
      oddity.make(folder_ / fmt::format(fmt::runtime(oddity.name), i), i);
    }
    expected[oddity.fate] += kOfEach;
  }
  // The ordinary ones are links to one file, half of them between the placed ones in order of
  // names.
  Put(dir_.path() / "plain.jpg", Jpeg(5));
  for (; made < kFiles; ++made, ++expected[Fate::kRead]) {
    fs::create_hard_link(dir_.path() / "plain.jpg",
                         folder_ / fmt::format("{}-{}.jpg", made % 2 ? "placed" : "plain", made));
  }

  const auto report = RunEdge({"--device", "crowd", "--mechanism", "edge-only", "--size", "32",
                               "--report", "all", "--drain", "60"},
                              folder_);
  EXPECT_EQ(status_, 0) << Log().substr(0, 2000);
  EXPECT_EQ(report["images"], expected[Fate::kRead]);
  EXPECT_EQ(report["skipped"], expected[Fate::kSkipped]);
  EXPECT_EQ(report["stored"], expected[Fate::kRead]);
  EXPECT_EQ(report["refused"], 0);
  EXPECT_NE(Log().find("not read: 100 TIFF, 100 links out of the folder, 200 links that lead "
                       "nowhere, 200 other files, 100 sub-folders, 100 videos"),
            std::string::npos)
      << Log().substr(Log().size() > 1000 ? Log().size() - 1000 : 0);

  const auto rows = Stored("crowd");
  ASSERT_EQ(rows.size(), expected[Fate::kRead]);
  std::multiset<std::pair<double, double>> places, wanted;
  for (size_t i = 0; i < kOfEach; ++i) wanted.emplace(PlaceOf(i).lat, PlaceOf(i).lon);
  for (const auto& row : rows) {
    if (row.detection.has_position) places.emplace(row.detection.lat, row.detection.lon);
  }
  EXPECT_EQ(places, wanted);  // those that have one, and nobody else's
}

}  // namespace
}  // namespace fogline
