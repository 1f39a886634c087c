#include <cstdio>  // jpeglib.h needs it before

#include <gtest/gtest.h>
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using Bytes = std::vector<std::byte>;
constexpr int kJpegSide = 64;

/// A JPEG with a restart marker after each row of blocks, and without its Huffman tables if so
/// wished, as webcams send them.
Bytes WriteJpeg(bool tables = true) {
  Bytes file;
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = info.image_height = kJpegSide;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  info.restart_in_rows = 1;
  if (!tables) {
    for (int i = 0; i < 2; ++i) {
      info.dc_huff_tbl_ptrs[i]->sent_table = TRUE;
      info.ac_huff_tbl_ptrs[i]->sent_table = TRUE;
    }
  }
  jpeg_start_compress(&info, tables ? TRUE : FALSE);
  std::vector<uint8_t> line(kJpegSide * 3);
  for (int y = 0; y < kJpegSide; ++y) {
    for (int x = 0; x < kJpegSide * 3; ++x)
      line[static_cast<size_t>(x)] = static_cast<uint8_t>(x * y / 8 + x);
    uint8_t* row = line.data();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto bytes = std::as_bytes(std::span(data, size));
  file.assign(bytes.begin(), bytes.end());
  std::free(data);
  return file;
}

/// Where a marker stands.
size_t Find(const Bytes& file, int code, size_t from = 0) {
  for (size_t at = from; at + 1 < file.size(); ++at) {
    if (file[at] == std::byte{0xFF} && file[at + 1] == static_cast<std::byte>(code)) return at;
  }
  ADD_FAILURE() << "no marker " << code;
  return 0;
}

void Insert(Bytes& file, size_t at, std::initializer_list<int> bytes) {
  Bytes values;
  for (int b : bytes) values.push_back(static_cast<std::byte>(b));
  file.insert(file.begin() + static_cast<ptrdiff_t>(at), values.begin(), values.end());
}

/// Every player shows such pictures, and every pixel of them is right.
TEST(Jpeg, WhatHarmsNoPixelIsNoDamage) {
  const Bytes plain = WriteJpeg();
  const auto right = DecodeImage(plain, "plain.jpg");
  ASSERT_TRUE(right) << right.error().ToString();

  Bytes doubled = plain;
  Insert(doubled, 0, {0xFF, 0xD8});
  Bytes between = plain;
  Insert(between, Find(between, 0xDB), {0, 17, 0, 0});
  Bytes before_restart = plain;
  Insert(before_restart, Find(before_restart, 0xD1), {9, 0, 9});
  Bytes after_all = plain;
  Insert(after_all, after_all.size() - 2, {1, 2, 3});
  Bytes trailing = plain;
  trailing.resize(trailing.size() + 100);
  Bytes version = plain;
  version[11] = std::byte{9};  // of JFIF
  for (const Bytes& file :
       {doubled, between, before_restart, after_all, trailing, version, WriteJpeg(false)}) {
    const auto image = DecodeImage(file, "stray.jpg");
    ASSERT_TRUE(image) << image.error().ToString();
    EXPECT_EQ(image->rgb, right->rgb);
    Image exact;
    EXPECT_TRUE(DecodeExactly(file, "stray.jpg", kJpegSide, kJpegSide, exact));
    EXPECT_EQ(exact.rgb, right->rgb);
  }
}

TEST(Jpeg, MissingDataIsDamage) {
  const Bytes plain = WriteJpeg();
  const size_t first = Find(plain, 0xD1), second = Find(plain, 0xD2);
  Bytes lost = plain;  // what lies between two restarts, then the restart too
  lost.erase(lost.begin() + static_cast<ptrdiff_t>(first + 2),
             lost.begin() + static_cast<ptrdiff_t>(second));
  Bytes skipped = plain;
  skipped.erase(skipped.begin() + static_cast<ptrdiff_t>(first),
                skipped.begin() + static_cast<ptrdiff_t>(second));
  for (const Bytes& file : {lost, skipped}) {
    const auto image = DecodeImage(file, "torn.jpg");
    ASSERT_FALSE(image);
    EXPECT_NE(image.error().ToString().find("torn.jpg: is a damaged JPEG"), std::string::npos)
        << image.error().ToString();
  }
  // Damage is of the file that has it, not of the next one.
  EXPECT_TRUE(DecodeImage(plain, "plain.jpg"));
}

/// Twelve bits a sample is no damage, but nothing that is read.
TEST(Jpeg, RareKindsAreNotCalledDamaged) {
  Bytes deep = WriteJpeg();
  const size_t header = Find(deep, 0xC0);
  deep[header + 4] = std::byte{12};
  const auto image = DecodeImage(deep, "deep.jpg");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::kUnsupported) << image.error().ToString();
}

TEST(Image, ARenamedFileIsCalledWhatItIs) {
  const auto error = [](std::string_view text) {
    return DecodeImage(std::as_bytes(std::span(text)), "a.jpg").error().ToString();
  };
  EXPECT_EQ(error(std::string_view("\0\0\0\x18"
                                   "ftypisom....",
                                   16)),
            "a.jpg: is a video, not a JPEG, PNG, WebP, HEIC or AVIF picture");
  EXPECT_EQ(error("version https://git-lfs.github.com/spec/v1\n"),
            "a.jpg: is a pointer of Git LFS (git lfs pull gets the file), not a JPEG, PNG, WebP, "
            "HEIC or AVIF picture");
  EXPECT_EQ(error("hello"), "a.jpg: is not a JPEG, PNG, WebP, HEIC or AVIF picture");
}

std::filesystem::path JpegSeed(const char* name) {
  return std::filesystem::path(FOGLINE_SOURCE_DIR) / "fuzz/corpus/picture" / name;
}

/// What the seeds show: red rises to the right, green downwards, blue is 128.
void ExpectGradient(const Image& image, int tolerance) {
  ASSERT_EQ(image.width, 24);
  ASSERT_EQ(image.height, 16);
  int worst = 0;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      const uint8_t* at = &image.rgb[static_cast<size_t>(y * 24 + x) * 3];
      worst = std::max({worst, std::abs(at[0] - 255 * x / 24), std::abs(at[1] - 255 * y / 16),
                        std::abs(at[2] - 128)});
    }
  }
  EXPECT_LE(worst, tolerance);
}

TEST(Jpeg, InksBecomeColours) {
  const auto picture = LoadPicture(JpegSeed("cmyk.jpg"));
  ASSERT_TRUE(picture) << picture.error().ToString();
  ExpectGradient(picture->image, 24);
}

TEST(Webp, OfAMovingPictureTheFirstFrame) {
  const auto picture = LoadPicture(JpegSeed("animated.webp"));
  ASSERT_TRUE(picture) << picture.error().ToString();
  ExpectGradient(picture->image, 60);
  const auto file = ReadFile(JpegSeed("animated.webp"));
  ASSERT_TRUE(file);
  for (size_t length = 12; length < file->size(); ++length) {
    (void)DecodeImage(std::span(*file).first(length), "cut.webp");
  }
}

}  // namespace
}  // namespace fogline
