// A picture as pixels, and its compressed forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

/// 8-bit RGB, 3 bytes a pixel, rows from the top without padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  bool empty() const { return rgb.empty(); }
};

/// So many pixels are in memory at most: a picture that has more is shrunk while it is decoded, to
/// half of its sides or less, and refused where its kind cannot be decoded in parts
/// (vision/pixels.h).
inline constexpr int64_t kMaxPixels = 100'000'000;
/// Pictures beyond this many pixels are refused before any memory is taken for them.
inline constexpr int64_t kMostPixels = 250'000'000;

/// Decodes a JPEG, PNG, WebP, HEIC or AVIF file held in memory. With `at_least` > 0 a JPEG, HEIC or
/// AVIF, and whatever is beyond kMaxPixels, may come out smaller than it is, but up to kMaxPixels
/// never with a side below `at_least` that was not below it before: libjpeg-turbo scales by eighths
/// while it decodes, which is the cheapest way to shrink a large photograph. HEIC and AVIF come out
/// upright. kInvalid for anything damaged, cut off, or no picture.
Result<Image> DecodeImage(std::span<const std::byte> file, const std::string& where,
                          int at_least = 0);

/// As above, for JPEG and WebP of exactly width × height, into memory that is reused: the cloud's
/// frame path.
Status DecodeExactly(std::span<const std::byte> file, const std::string& where, int width,
                     int height, Image& out);

/// Replaces `out` by the picture as JPEG (4:2:0, quality 1…100).
Status EncodeJpeg(const Image& image, int quality, std::vector<std::byte>& out);
/// Replaces `out` by the picture as lossy WebP (quality 1…100).
Status EncodeWebp(const Image& image, int quality, std::vector<std::byte>& out);

/// A part of a picture at another size: the rectangle (x, y, width, height) in pixels of the
/// source, antialiased (triangle filter as wide as the step) when it shrinks. `out` keeps its
/// memory.
struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;
};
void ResizePart(const Image& image, const Rectangle& part, int width, int height, Image& out);

}  // namespace fogline
