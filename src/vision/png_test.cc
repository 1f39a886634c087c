#include <gtest/gtest.h>
#include <png.h>
#include <sys/resource.h>
#include <zlib.h>

#include "vision/image.h"

namespace fogline {
namespace {

constexpr int kSide = 24;

/// A picture of `format` (PNG_FORMAT_…, 8 bits a channel) as a file.
std::vector<std::byte> Write(png_uint_32 format, const std::vector<uint8_t>& pixels) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = png.height = kSide;
  png.format = format;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::byte> file(size);
  EXPECT_NE(png_image_write_to_memory(&png, file.data(), &size, 0, pixels.data(), 0, nullptr), 0);
  file.resize(size);
  return file;
}

std::vector<uint8_t> Pattern(int channels) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < kSide * kSide * channels; ++i)
    pixels.push_back(static_cast<uint8_t>(i * 37 + i / 50));
  return pixels;
}

TEST(Png, EveryKindBecomesRgb) {
  const auto colours = Pattern(3);
  const auto rgb = DecodeImage(Write(PNG_FORMAT_RGB, colours), "a.png");
  ASSERT_TRUE(rgb) << rgb.error().ToString();
  EXPECT_EQ(rgb->width, kSide);
  EXPECT_EQ(rgb->height, kSide);
  EXPECT_EQ(rgb->rgb, colours);

  const auto greys = Pattern(1);
  const auto grey = DecodeImage(Write(PNG_FORMAT_GRAY, greys), "grey.png");
  ASSERT_TRUE(grey) << grey.error().ToString();
  for (size_t i = 0; i < grey->rgb.size(); ++i) ASSERT_EQ(grey->rgb[i], greys[i / 3]) << i;

  auto clear = Pattern(4);
  for (size_t i = 3; i < clear.size(); i += 4) clear[i] = i % 8 == 3 ? 255 : 0;
  const auto rgba = DecodeImage(Write(PNG_FORMAT_RGBA, clear), "clear.png");
  ASSERT_TRUE(rgba) << rgba.error().ToString();
  for (size_t i = 0; i < rgba->rgb.size(); ++i) {
    const size_t pixel = i / 3 * 4;
    ASSERT_EQ(rgba->rgb[i], clear[pixel + 3] == 0 ? 255 : clear[pixel + i % 3]) << i;
  }
}

// libpng reserves the length first: two gigabytes for a file of three hundred bytes.
TEST(Png, AChunkThatSaysMoreThanTheFileHasIsRefusedByName) {
  auto file = Write(PNG_FORMAT_RGB, Pattern(3));
  constexpr size_t kAfterHeader = 8 + 12 + 13;
  std::vector<std::byte> text;
  for (const char c : std::string_view("\x7e\0\0\xcdzTXtComment\0\0", 17))
    text.push_back(static_cast<std::byte>(c));
  file.insert(file.begin() + kAfterHeader, text.begin(), text.end());
  const auto image = DecodeImage(file, "claims.png");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().ToString(),
            "claims.png: is a damaged PNG: it ends within its 'zTXt' chunk");
  // Wherever the file ends behind the chunk's kind.
  for (size_t more = 8; more <= text.size(); ++more) {
    const auto cut = DecodeImage(std::span(file).first(kAfterHeader + more), "cut.png");
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().ToString(), "cut.png: is a damaged PNG: it ends within its 'zTXt' chunk")
        << more;
  }
}

TEST(Png, EveryTruncationOfItsPixelsIsRefused) {
  const auto file = Write(PNG_FORMAT_RGB, Pattern(3));
  constexpr size_t kEnd = 12 + 4 + 4;  // the IEND chunk, and the checksums of zlib and IDAT
  for (size_t length = 8; length < file.size() - kEnd; ++length) {
    const auto image = DecodeImage(std::span(file).first(length), "cut.png");
    ASSERT_FALSE(image) << length << " of " << file.size();
    EXPECT_EQ(image.error().where, "cut.png");
  }
}

void AddChunk(std::vector<std::byte>& file, const char* kind, const std::vector<uint8_t>& body) {
  const auto number = [&](uLong value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      file.push_back(static_cast<std::byte>(value >> shift & 0xff));
  };
  number(body.size());
  std::vector<uint8_t> checked(kind, kind + 4);
  checked.insert(checked.end(), body.begin(), body.end());
  for (uint8_t byte : checked) file.push_back(static_cast<std::byte>(byte));
  number(crc32(0, checked.data(), static_cast<uInt>(checked.size())));
}

long MostKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// 256 MB of zeros behind a header of 8x8 pixels.
TEST(Png, ABombTakesNoMoreThanItsHeaderSays) {
  std::vector<uint8_t> packed(1 << 20), zeros(1 << 20);
  z_stream deflater{};
  ASSERT_EQ(deflateInit(&deflater, 9), Z_OK);
  deflater.next_out = packed.data();
  deflater.avail_out = static_cast<uInt>(packed.size());
  for (int i = 0; i <= 256; ++i) {
    deflater.next_in = zeros.data();
    deflater.avail_in = i < 256 ? static_cast<uInt>(zeros.size()) : 0;
    deflate(&deflater, i < 256 ? Z_NO_FLUSH : Z_FINISH);
  }
  packed.resize(deflater.total_out);
  deflateEnd(&deflater);
  std::vector<std::byte> file;
  for (int byte : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a})
    file.push_back(static_cast<std::byte>(byte));
  AddChunk(file, "IHDR", {0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0});
  AddChunk(file, "IDAT", packed);
  AddChunk(file, "IEND", {});
  const long before = MostKilobytes();
  const auto image = DecodeImage(file, "bomb.png");
  if (image) {
    EXPECT_EQ(image->rgb.size(), 8U * 8 * 3);
  }
  EXPECT_LT(MostKilobytes() - before, 32 << 10);
}

}  // namespace
}  // namespace fogline
