// Pictures of a quarter of a billion pixels, and what of them is in memory.
#include <cstdio>  // jpeglib.h needs it before

#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "vision/folder.h"
#include "vision/png.h"
#include "vision/webp.h"

namespace fogline {
namespace {

using Bytes = std::vector<std::byte>;
constexpr int kLargeSide = 15800;  // 249.6 M pixels

/// Kilobytes of a line of /proc/self/status.
long StatusLine(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::atol(line.c_str() + key.size() + 1);
  }
  return -1;
}

/// The most memory in megabytes that `work` took, or -1 where the kernel does not forget its mark.
template <typename Work>
long MegabytesOf(const Work& work) {
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;
  const long before = StatusLine("VmHWM:");
  if (before > StatusLine("VmRSS:") + (8 << 10)) return -1;
  work();
  const long taken = (StatusLine("VmHWM:") - before) >> 10;
  testing::Test::RecordProperty("megabytes", static_cast<int>(taken));
  return taken;
}

void ExpectUnder(long most, long megabytes) {
  if (megabytes < 0) GTEST_SKIP() << "this kernel does not forget its mark of memory";
  EXPECT_LT(megabytes, most);
}

/// What all these pictures show: red (or grey) rises to the right, green downwards.
uint8_t Rise(int at, int side) {
  return static_cast<uint8_t>(static_cast<int64_t>(at) * 255 / side);
}

Bytes WriteJpeg(int width, int height, bool progressive) {
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> line(static_cast<size_t>(width) * 3, 128);
  for (int x = 0; x < width; ++x) line[static_cast<size_t>(x) * 3] = Rise(x, width);
  for (int y = 0; y < height; ++y) {
    for (size_t x = 1; x < line.size(); x += 3) line[x] = Rise(y, height);
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

/// Grey, as png_set_… would write it, but without the filters' time.
Bytes WritePng(int width, int height, bool interlaced = false) {
  Bytes file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, size_t size) {
        const auto bytes = std::as_bytes(std::span(data, size));
        auto* to = static_cast<Bytes*>(png_get_io_ptr(p));
        to->insert(to->end(), bytes.begin(), bytes.end());
      },
      nullptr);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_compression_level(png, 1);
  png_set_filter(png, 0, PNG_FILTER_NONE);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               PNG_COLOR_TYPE_GRAY, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  std::vector<uint8_t> row(static_cast<size_t>(width));
  for (int x = 0; x < width; ++x) row[static_cast<size_t>(x)] = Rise(x, width);
  if (!interlaced) {  // else its header is all that anyone looks at
    for (int y = 0; y < height; ++y) png_write_row(png, row.data());
    png_write_end(png, info);
  } else {
    png_write_chunk(png, reinterpret_cast<png_const_bytep>("IDAT"), nullptr, 0);
  }
  png_destroy_write_struct(&png, &info);
  return file;
}

void ExpectRises(const Image& image, bool grey) {
  int worst = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const uint8_t* at = &image.rgb[(static_cast<size_t>(y) * static_cast<size_t>(image.width) +
                                      static_cast<size_t>(x)) *
                                     3];
      worst = std::max(worst, std::abs(at[0] - Rise(x, image.width)));
      worst = std::max(worst, std::abs(at[1] - (grey ? at[0] : Rise(y, image.height))));
    }
  }
  EXPECT_LE(worst, 4);
}

TEST(Large, AJpegOf250MegapixelsIsNeverInMemoryWhole) {
  const Bytes file = WriteJpeg(kLargeSide, kLargeSide, false);
  Result<Picture> picture = DecodePicture({}, "none");
  const long taken = MegabytesOf([&] { picture = DecodePicture(file, "a.jpg", 448); });
  ASSERT_TRUE(picture) << picture.error().ToString();
  EXPECT_EQ(picture->image.width, kLargeSide / 8);
  ExpectRises(picture->image, false);
  ExpectUnder(40, taken);
}

TEST(Large, APngOf250MegapixelsIsNeverInMemoryWhole) {
  const Bytes file = WritePng(kLargeSide, kLargeSide);
  Result<Picture> picture = DecodePicture({}, "none");
  const long taken = MegabytesOf([&] { picture = DecodePicture(file, "a.png", 448); });
  ASSERT_TRUE(picture) << picture.error().ToString();
  EXPECT_EQ(picture->image.width, (kLargeSide - 1) / 35 + 1);
  ExpectRises(picture->image, true);
  ExpectUnder(20, taken);
}

TEST(Large, AWebpOfMoreThan100MegapixelsIsNeverInMemoryWhole) {
  constexpr int kWide = 16000, kHigh = 6300;
  WebPConfig config;
  WebPPicture picture;
  ASSERT_TRUE(WebPConfigInit(&config) && WebPPictureInit(&picture));
  config.method = 0;
  config.segments = 1;
  picture.width = kWide;
  picture.height = kHigh;
  ASSERT_TRUE(WebPPictureAlloc(&picture));
  for (int y = 0; y < kHigh; ++y) {
    for (int x = 0; x < kWide; ++x) picture.y[y * picture.y_stride + x] = Rise(x, kWide);
  }
  for (int y = 0; y < (kHigh + 1) / 2; ++y) {
    std::memset(picture.u + y * picture.uv_stride, 128, kWide / 2);
    std::memset(picture.v + y * picture.uv_stride, 128, kWide / 2);
  }
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  ASSERT_TRUE(WebPEncode(&config, &picture));
  WebPPictureFree(&picture);
  const auto bytes = std::as_bytes(std::span(writer.mem, writer.size));
  Result<Picture> read = DecodePicture({}, "none");
  const long taken = MegabytesOf([&] { read = DecodePicture(bytes, "a.webp", 448); });
  WebPMemoryWriterClear(&writer);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->image.height, 6300 / 14);
  EXPECT_EQ(read->image.width, (kWide - 1) / 14 + 1);
  ExpectUnder(20, taken);
}

TEST(Large, WhatNobodySaidHowSmallItMayBeIsHalved) {
  const auto jpeg = DecodeImage(WriteJpeg(10004, 10002, false), "a.jpg");
  ASSERT_TRUE(jpeg) << jpeg.error().ToString();
  EXPECT_EQ(jpeg->width, 5002);
  EXPECT_EQ(jpeg->height, 5001);
  const auto png = DecodeImage(WritePng(10004, 10002), "a.png");
  ASSERT_TRUE(png) << png.error().ToString();
  EXPECT_EQ(png->width, 5002);
  EXPECT_EQ(png->height, 5001);
}

TEST(Large, WhatWouldHaveToBeInMemoryWholeIsRefusedByName) {
  const auto error = [](const Bytes& file) {
    const auto image = DecodeImage(file, "big", 448);
    return image ? "" : image.error().ToString();
  };
  EXPECT_EQ(error(WritePng(10000, 10001, true)),
            "big: is 10000x10001 pixels, beyond the limit of 100 M for an interlaced PNG; make it "
            "smaller");
  EXPECT_EQ(error(WritePng(250'001, 1000)),
            "big: is 250001x1000 pixels, beyond the limit of 250 M");
  // A header alone.
  const auto webp = [](std::initializer_list<int> bytes) {
    Bytes file;
    for (int b : bytes) file.push_back(static_cast<std::byte>(b));
    return file;
  };
  EXPECT_EQ(
      error(webp({'R', 'I', 'F', 'F', 22, 0,    0,    0,    'W',  'E',  'B', 'P', 'V', 'P', '8',
                  'L', 9,   0,   0,   0,  0x2f, 0xfe, 0xff, 0xcd, 0x06, 0,   0,   0,   0,   0})),
      "big: is 16383x6968 pixels, beyond the limit of 100 M for a lossless WebP; make it "
      "smaller");
}

TEST(Large, AProgressiveJpegIsReadUpTo100Megapixels) {
  const auto image = DecodeImage(WriteJpeg(2000, 1500, true), "a.jpg", 448);
  ASSERT_TRUE(image) << image.error().ToString();
  const auto big = DecodeImage(WriteJpeg(10000, 10008, true), "big.jpg", 448);
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().ToString(),
            "big.jpg: is 10000x10008 pixels, beyond the limit of 100 M for a JPEG in several scans "
            "(progressive); make it smaller");
}

/// Row by row it comes out as the whole does: colours, transparency, palettes, 16 bits, gamma.
TEST(Large, RowsOfAPngAreThoseOfTheWhole) {
  const auto near = [](const Bytes& file, int tolerance, const char* what) {
    const auto whole = DecodePng(file, what, 0), rows = DecodePngInSteps(file, what, 1);
    ASSERT_TRUE(whole) << what;
    ASSERT_TRUE(rows) << rows.error().ToString();
    ASSERT_EQ(whole->rgb.size(), rows->rgb.size()) << what;
    for (size_t i = 0; i < whole->rgb.size(); ++i) {
      ASSERT_LE(std::abs(whole->rgb[i] - rows->rgb[i]), tolerance) << what << " " << i;
    }
  };
  near(WritePng(300, 20), 0, "grey");
  const auto write = [](png_uint_32 format, int channels, int bytes) {
    constexpr int kOwn = 40;
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    png.width = png.height = kOwn;
    png.format = format;
    std::vector<uint16_t> wide;
    std::vector<uint8_t> narrow;
    for (int i = 0; i < kOwn * kOwn; ++i) {
      for (int c = 0; c < channels; ++c) {
        const int value = c == 3 || (channels == 2 && c == 1) ? i * 7 % 256 : (i * (c + 3)) % 256;
        narrow.push_back(static_cast<uint8_t>(value));
        wide.push_back(static_cast<uint16_t>(value * 257));
      }
    }
    if (bytes == 2 && channels % 2 == 0) {  // libpng wants linear colours times alpha there
      for (size_t i = 0; i < wide.size(); ++i) {
        const uint16_t alpha =
            wide[i - i % static_cast<size_t>(channels) + static_cast<size_t>(channels) - 1];
        wide[i] = std::min(wide[i], alpha);
      }
    }
    const void* const data = bytes == 2 ? static_cast<const void*>(wide.data()) : narrow.data();
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    Bytes file(size);
    EXPECT_NE(png_image_write_to_memory(&png, file.data(), &size, 0, data, 0, nullptr), 0);
    file.resize(size);
    return file;
  };
  near(write(PNG_FORMAT_RGB, 3, 1), 0, "rgb");
  near(write(PNG_FORMAT_RGBA, 4, 1), 4, "rgba");
  near(write(PNG_FORMAT_GA, 2, 1), 4, "grey and alpha");
  near(write(PNG_FORMAT_LINEAR_RGB, 3, 2), 4, "linear, 16 bits");
  near(write(PNG_FORMAT_LINEAR_RGB_ALPHA, 4, 2), 6, "linear, 16 bits, alpha");
}

TEST(Large, StepsAverage) {
  Image image{5, 3, {}};
  for (int i = 0; i < 15; ++i) image.rgb.insert(image.rgb.end(), 3, static_cast<uint8_t>(10 * i));
  std::vector<uint8_t> grey;
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = 5;
  png.height = 3;
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  Bytes file(size);
  ASSERT_NE(png_image_write_to_memory(&png, file.data(), &size, 0, image.rgb.data(), 0, nullptr),
            0);
  file.resize(size);
  const auto halved = DecodePngInSteps(file, "a.png", 2);
  ASSERT_TRUE(halved) << halved.error().ToString();
  ASSERT_EQ(halved->width, 3);
  ASSERT_EQ(halved->height, 2);
  for (const size_t i : {0, 1, 2, 3, 4, 5}) grey.push_back(halved->rgb[3 * i]);
  EXPECT_EQ(grey, (std::vector<uint8_t>{30, 50, 65, 105, 125, 140}));
}

}  // namespace
}  // namespace fogline
