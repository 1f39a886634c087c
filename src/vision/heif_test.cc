#include "vision/heif.h"

#include <gtest/gtest.h>
#include <libheif/heif.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>

#include "base/file.h"
#include "vision/exif_block.h"
#include "vision/folder.h"
#include "vision/heif_claims.h"

namespace fogline {
namespace {

using Bytes = std::vector<std::byte>;
constexpr int kHeifWidth = 96, kHeifHeight = 64;

/// Red rises to the right, green downwards, blue is 128; alpha, where there is one, is a left half
/// that is not there.
Image Sloped(int width = kHeifWidth, int height = kHeifHeight) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int value : {255 * x / width, 255 * y / height, 128})
        image.rgb.push_back(static_cast<uint8_t>(value));
    }
  }
  return image;
}

/// A file being written by libheif.
class Writer {
 public:
  explicit Writer(heif_compression_format format) : context_(heif_context_alloc()) {
    Check(heif_context_get_encoder_for_format(context_, format, &encoder_));
    heif_encoder_set_lossy_quality(encoder_, 95);
    heif_encoder_set_logging_level(encoder_, 0);
  }
  ~Writer() {
    heif_encoder_release(encoder_);
    heif_context_free(context_);
  }

  struct Look {
    int bits = 8;
    bool alpha = false;
    int orientation = 1;
    bool primary = true;
    Bytes exif;
  };
  void Add(const Image& image, const Look& look) {
    const size_t channels = look.alpha ? 4 : 3, bytes = look.bits > 8 ? 2 : 1;
    const heif_chroma chroma = look.alpha  ? heif_chroma_interleaved_RGBA
                               : bytes > 1 ? heif_chroma_interleaved_RRGGBB_LE
                                           : heif_chroma_interleaved_RGB;
    heif_image* pixels = nullptr;
    Check(heif_image_create(image.width, image.height, heif_colorspace_RGB, chroma, &pixels));
    Check(heif_image_add_plane(pixels, heif_channel_interleaved, image.width, image.height,
                               look.bits));
    int stride = 0;
    uint8_t* const plane = heif_image_get_plane(pixels, heif_channel_interleaved, &stride);
    for (int y = 0; y < image.height; ++y) {
      uint8_t* to = plane + static_cast<ptrdiff_t>(y) * stride;
      for (int x = 0; x < image.width; ++x) {
        const uint8_t* from = &image.rgb[static_cast<size_t>(y * image.width + x) * 3];
        for (size_t c = 0; c < channels; ++c) {
          const int value = c == 3 ? (x < image.width / 2 ? 0 : 255) : from[c];
          const int deep = value << (look.bits - 8);
          *to++ = static_cast<uint8_t>(deep);
          if (bytes > 1) *to++ = static_cast<uint8_t>(deep >> 8);
        }
      }
    }
    heif_encoding_options* options = heif_encoding_options_alloc();
    options->image_orientation = static_cast<heif_orientation>(look.orientation);
    heif_image_handle* handle = nullptr;
    Check(heif_context_encode_image(context_, pixels, encoder_, options, &handle));
    heif_encoding_options_free(options);
    heif_image_release(pixels);
    if (look.primary) Check(heif_context_set_primary_image(context_, handle));
    if (!look.exif.empty()) {
      Check(heif_context_add_exif_metadata(context_, handle, look.exif.data(),
                                           static_cast<int>(look.exif.size())));
    }
    heif_image_handle_release(handle);
  }
  Bytes File() {
    heif_writer writer{1, [](heif_context*, const void* data, size_t size, void* to) {
                         const auto* bytes = static_cast<const std::byte*>(data);
                         static_cast<Bytes*>(to)->assign(bytes, bytes + size);
                         return heif_error{heif_error_Ok, heif_suberror_Unspecified, ""};
                       }};
    Bytes file;
    Check(heif_context_write(context_, &writer, &file));
    return file;
  }

 private:
  static void Check(const heif_error& error) {
    ASSERT_EQ(error.code, heif_error_Ok) << error.message;
  }
  heif_context* context_;
  heif_encoder* encoder_ = nullptr;
};

Bytes WriteHeif(heif_compression_format format, const Image& image, const Writer::Look& look) {
  Writer writer(format);
  writer.Add(image, look);
  return writer.File();
}

int Worst(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 999;
  int worst = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) worst = std::max(worst, std::abs(a.rgb[i] - b.rgb[i]));
  return worst;
}

constexpr int kClose = 12;  // lossy, colour at half the resolution
const heif_compression_format kFormats[] = {heif_compression_HEVC, heif_compression_AV1};

/// Debian's encoder of AV1 cannot write ten bits.
TEST(Heif, EightBitsAndMore) {
  for (const auto format : kFormats) {
    for (const int bits : {8, format == heif_compression_AV1 ? 12 : 10}) {
      const Bytes file = WriteHeif(format, Sloped(), {.bits = bits, .exif = {}});
      EXPECT_TRUE(IsHeif(file));
      const auto image = DecodeImage(file, "a.heic");
      ASSERT_TRUE(image) << image.error().ToString();
      EXPECT_LE(Worst(*image, Sloped()), kClose) << format << " " << bits;
      // A size that is no multiple of anything.
      const auto odd =
          DecodeImage(WriteHeif(format, Sloped(67, 35), {.bits = bits, .exif = {}}), "b");
      ASSERT_TRUE(odd) << odd.error().ToString();
      EXPECT_LE(Worst(*odd, Sloped(67, 35)), 2 * kClose) << format << " " << bits;
    }
  }
}

/// The container's turn and EXIF's say the same of one picture: it is turned once.
TEST(Heif, IsTurnedExactlyOnce) {
  for (const auto format : kFormats) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      Image upright = Sloped();
      Upright(orientation, upright);
      const auto exif = FindExif(
          ReadFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "fuzz/corpus/picture/exif.webp")
              .value());
      const Bytes file = WriteHeif(format, Sloped(), {.orientation = orientation, .exif = exif});
      const auto picture = DecodePicture(file, "a.heic");
      ASSERT_TRUE(picture) << picture.error().ToString();
      EXPECT_LE(Worst(picture->image, upright), kClose) << format << " " << orientation;
      EXPECT_EQ(picture->exif.orientation, 1);
    }
  }
}

TEST(Heif, ExifSaysWhereAndWhen) {
  const auto seed =
      ReadFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "fuzz/corpus/picture/exif.webp");
  ASSERT_TRUE(seed);
  const Exif wanted = ReadExif(*seed);
  ASSERT_TRUE(wanted.position);
  EXPECT_NE(wanted.orientation, 1);
  for (const auto format : kFormats) {
    const Bytes file = WriteHeif(format, Sloped(), {.exif = FindExif(*seed)});
    const Exif exif = ReadExif(file);
    ASSERT_TRUE(exif.position);
    EXPECT_EQ(exif.position->lat, wanted.position->lat);
    EXPECT_EQ(exif.position->lon, wanted.position->lon);
    EXPECT_EQ(exif.local_us, wanted.local_us);
    EXPECT_EQ(exif.offset_s, wanted.offset_s);
    EXPECT_EQ(exif.gps_us, wanted.gps_us);
    // EXIF alone says that it lies on its side: the container has the last word.
    EXPECT_EQ(exif.orientation, 1);
    EXPECT_EQ(DecodePicture(file, "a")->image.width, kHeifWidth);
  }
  EXPECT_FALSE(ReadExif(WriteHeif(heif_compression_HEVC, Sloped(), {.exif = {}})).position);
}

TEST(Heif, TransparentPartsBecomeWhite) {
  for (const auto format : kFormats) {
    const auto image =
        DecodeImage(WriteHeif(format, Sloped(), {.alpha = true, .exif = {}}), "a.avif");
    ASSERT_TRUE(image) << image.error().ToString();
    Image wanted = Sloped();
    for (size_t i = 0; i < wanted.rgb.size(); ++i) {
      if (i / 3 % kHeifWidth < kHeifWidth / 2) wanted.rgb[i] = 255;
    }
    EXPECT_LE(Worst(*image, wanted), kClose) << format;
  }
}

TEST(Heif, OfSeveralPicturesThePrimaryOne) {
  for (const auto format : kFormats) {
    Writer writer(format);
    writer.Add(Sloped(32, 32), {.primary = false, .exif = {}});
    writer.Add(Sloped(), {.exif = {}});
    writer.Add(Sloped(128, 32), {.primary = false, .exif = {}});
    const auto image = DecodeImage(writer.File(), "burst.heic");
    ASSERT_TRUE(image) << image.error().ToString();
    EXPECT_LE(Worst(*image, Sloped()), kClose) << format;
  }
}

TEST(Heif, IsShrunkByAWholeNumber) {
  const Bytes file = WriteHeif(heif_compression_HEVC, Sloped(400, 300), {.exif = {}});
  const auto image = DecodeImage(file, "a.heic", 100);
  ASSERT_TRUE(image) << image.error().ToString();
  EXPECT_EQ(image->width, 134);
  EXPECT_EQ(image->height, 100);
  EXPECT_EQ(DecodeImage(file, "a.heic", 101)->height, 150);
  EXPECT_EQ(DecodeImage(file, "a.heic", 1000)->height, 300);
}

/// Finds `what` and puts `by` there.
void Patch(Bytes& file, std::string_view what, std::initializer_list<int> by) {
  const auto text = std::as_bytes(std::span(what));
  auto to = std::search(file.begin(), file.end(), text.begin(), text.end());
  ASSERT_NE(to, file.end());
  to += static_cast<ptrdiff_t>(what.size());
  for (int b : by) *to++ = static_cast<std::byte>(b);
}

TEST(Heif, ClaimsAreLookedAtBeforeDecoding) {
  for (const auto format : kFormats) {
    Bytes file = WriteHeif(format, Sloped(), {.exif = {}});
    const CodedSize claim = LargestHeifClaim(file);
    EXPECT_GE(claim.width, kHeifWidth);  // padded to whole blocks
    EXPECT_GE(claim.height, kHeifHeight);
    EXPECT_LT(claim.width * claim.height, kHeifWidth * kHeifHeight * 2);
    // The container says 65,535 x 65,535.
    Patch(file, std::string_view("ispe\0\0\0\0", 8), {0, 0, 255, 255, 0, 0, 255, 255});
    const auto image = DecodeImage(file, "huge.heic");
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(image.error().where, "huge.heic");
  }
}

/// Bits as a coded header has them.
class BitWriter {
 public:
  BitWriter& Put(uint64_t value, int bits) {
    for (int i = bits - 1; i >= 0; --i) {
      if (used_++ % 8 == 0) bytes.push_back(std::byte{0});
      bytes.back() |= static_cast<std::byte>((value >> i & 1) << (7 - (used_ - 1) % 8));
    }
    return *this;
  }
  BitWriter& Golomb(uint64_t value) {
    int bits = 0;
    while ((value + 1) >> (bits + 1) != 0) ++bits;
    return Put(0, bits).Put(value + 1, bits + 1);
  }
  Bytes bytes;

 private:
  size_t used_ = 0;
};

TEST(Heif, CodedHeadersSayTheirSize) {
  for (const int layers : {0, 2}) {
    BitWriter hevc;
    hevc.Put(0x4201, 16).Put(0, 4).Put(static_cast<uint64_t>(layers), 3).Put(1, 1);
    // A profile whose bytes look nothing like those that an encoder slips in against start codes.
    for (int i = 0; i < 12; ++i) hevc.Put(0x55, 8);
    if (layers > 0) hevc.Put(0b11'01, 4).Put(0, 12);
    for (int i = 0; i < (layers > 0 ? 11 + 1 + 1 : 0); ++i) hevc.Put(0x55, 8);
    hevc.Golomb(0).Golomb(3).Put(0, 1).Golomb(60000).Golomb(50000).Put(1, 8);
    const auto size = SizeInNal(hevc.bytes);
    ASSERT_TRUE(size) << layers;
    EXPECT_EQ(size->width, 60000) << layers;
    EXPECT_EQ(size->height, 50000) << layers;
    Bytes units{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0x26}};
    units.resize(8);
    units.push_back(static_cast<std::byte>(hevc.bytes.size()));
    units.insert(units.end(), hevc.bytes.begin(), hevc.bytes.end());
    EXPECT_EQ(LargestInNals(units)->width, 60000);
    for (size_t length = 0; length < units.size(); ++length) {
      (void)LargestInNals(std::span(units).first(length));
    }
  }
  // A still picture's short header; a whole one with timing, a decoder's model and delays.
  BitWriter brief, full;
  brief.Put(0b0'0001'0'1'0, 8).Put(8, 8).Put(0, 3).Put(0b11, 2).Put(9, 5);
  full.Put(0b0'0001'0'0'0, 8)
      .Put(0, 3)
      .Put(0, 2)
      .Put(1, 1)
      .Put(1, 32)
      .Put(1, 32)
      .Put(1, 1)
      .Golomb(9);
  full.Put(1, 1).Put(9, 5).Put(7, 32).Put(0, 10).Put(1, 1).Put(1, 5);
  for (int point = 0; point < 2; ++point) {
    full.Put(1, 12).Put(9, 5).Put(1, 1).Put(1, 1).Put(0, 21).Put(1, 1).Put(3, 4);
  }
  for (BitWriter* header : {&brief, &full}) {
    header->Put(15, 4).Put(15, 4).Put(59999, 16).Put(49999, 16).Put(0, 32);
    const auto size = LargestInObus(header->bytes);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->width, 60000);
    EXPECT_EQ(size->height, 50000);
    for (size_t length = 0; length < header->bytes.size(); ++length) {
      (void)LargestInObus(std::span(header->bytes).first(length));
    }
  }
}

TEST(Heif, DamageIsOneLineWithTheName) {
  std::mt19937 random(4);
  for (const auto format : kFormats) {
    const Bytes good = WriteHeif(format, Sloped(), {.exif = {}});
    for (size_t length = 12; length + 1 < good.size(); length += 1 + good.size() / 200) {
      const auto image = DecodeImage(std::span(good).first(length), "cut.heic");
      ASSERT_FALSE(image) << length << " of " << good.size();
      EXPECT_EQ(image.error().where, "cut.heic");
    }
    for (int i = 0; i < 300; ++i) {
      Bytes bytes = good;
      for (int k = 0; k < 3; ++k) {
        bytes[12 + random() % (bytes.size() - 12)] = static_cast<std::byte>(random());
      }
      if (const auto picture = DecodePicture(bytes, "flipped.heic")) {
        EXPECT_EQ(picture->image.rgb.size(),
                  static_cast<size_t>(picture->image.width * picture->image.height * 3));
      }
    }
  }
}

TEST(Heif, OtherContainersAreNone) {
  const auto is = [](std::string_view text) { return IsHeif(std::as_bytes(std::span(text))); };
  EXPECT_TRUE(
      is(std::string_view("\0\0\0\x18"
                          "ftypmif1\0\0\0\0mif1heic",
                          24)));
  EXPECT_TRUE(
      is(std::string_view("\0\0\0\x18"
                          "ftypavis\0\0\0\0msf1avif",
                          24)));
  EXPECT_FALSE(
      is(std::string_view("\0\0\0\x18"
                          "ftypisom\0\0\0\0iso2mp41",
                          24)));
  EXPECT_FALSE(
      is(std::string_view("\0\0\0\x10"
                          "ftypisom\0\0\0\0heicheic",
                          24)));
  EXPECT_FALSE(is("ftypheic"));
  EXPECT_FALSE(is(""));
}

}  // namespace
}  // namespace fogline
