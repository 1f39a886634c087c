#include "vision/image.h"

#include <png.h>
#include <stb/stb_image_resize.h>
#include <turbojpeg.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/text.h"
#include "vision/jpeg.h"
#include "vision/png_chunks.h"

namespace fogline {
namespace {

struct TurboDelete {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Turbo = std::unique_ptr<void, TurboDelete>;

/// One codec object a thread: making one takes longer than coding a thumbnail.
void* Compressor() {
  thread_local const Turbo handle(tjInitCompress());
  return handle.get();
}

const unsigned char* Raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

bool IsPng(std::span<const std::byte> file) { return StartsWith(file, "\x89PNG"); }
bool IsWebp(std::span<const std::byte> file) {
  return StartsWith(file, "RIFF") && StartsWith(file, "WEBP", 8);
}

/// What a chunk in front of the pixels says it has, libpng reserves before it looks for it.
Status CheckChunks(std::span<const std::byte> file, const std::string& where) {
  std::span<const std::byte> rest = file.subspan(std::min<size_t>(8, file.size()));
  while (const auto chunk = TakePngChunk(rest)) {
    if (chunk->kind == "IDAT" || chunk->kind == "IEND") break;
    if (!chunk->whole) {
      return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: it ends within its '{}' chunk",
                  Printable(chunk->kind));
    }
  }
  return {};
}

/// Transparent parts become white. A picture that says nothing of its gamma is sRGB, 16 bits or 8.
Result<Image> DecodePng(std::span<const std::byte> file, const std::string& where) {
  FOGLINE_CHECK(CheckChunks(file, where));
  png_image png{};
  const std::unique_ptr<png_image, decltype(&png_image_free)> owner(&png, png_image_free);
  png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&png, file.data(), file.size()) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", png.message);
  }
  constexpr png_uint_32 kMost = std::numeric_limits<int>::max();
  Image image{static_cast<int>(std::min(png.width, kMost)),
              static_cast<int>(std::min(png.height, kMost)),
              {}};
  FOGLINE_CHECK(CheckPixels(image.width, image.height, where));
  png.format = PNG_FORMAT_RGB;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  image.rgb.resize(PNG_IMAGE_SIZE(png));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&png, &white, image.rgb.data(), 0, nullptr) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", png.message);
  }
  return image;
}

/// Of a moving picture the first frame.
Result<Image> DecodeWebp(std::span<const std::byte> file, const std::string& where) {
  const auto damaged = [&] { return Fail(ErrorCode::kInvalid, where, "is a damaged WebP"); };
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(Raw(file), file.size(), &features) != VP8_STATUS_OK) return damaged();
  if (features.has_animation != 0) {
    const WebPData data{Raw(file), file.size()};
    const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data),
                                                                           WebPDemuxDelete);
    WebPIterator frame{};
    if (demuxer == nullptr || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) return damaged();
    // Views into the file.
    const std::span still(reinterpret_cast<const std::byte*>(frame.fragment.bytes),
                          frame.fragment.size);
    WebPDemuxReleaseIterator(&frame);
    if (WebPGetFeatures(Raw(still), still.size(), &features) != VP8_STATUS_OK ||
        features.has_animation != 0) {
      return damaged();
    }
    return DecodeWebp(still, where);
  }
  Image image{features.width, features.height, {}};
  FOGLINE_CHECK(CheckPixels(image.width, image.height, where));
  image.rgb.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
  if (WebPDecodeRGBInto(Raw(file), file.size(), image.rgb.data(), image.rgb.size(),
                        image.width * 3) == nullptr) {
    return damaged();
  }
  return image;
}

/// What a file that is no picture of ours is, by its first bytes: phones and mail rename freely.
std::string_view OtherKind(std::span<const std::byte> file) {
  struct Magic {
    std::string_view bytes, kind;
    size_t at;
  };
  constexpr Magic kMagics[] = {
      {"ftyphei", "HEIC", 4},
      {"ftyphev", "HEIC", 4},
      {"ftypmif1", "HEIC", 4},
      {"ftypavif", "AVIF", 4},
      {"ftyp", "a video", 4},
      {std::string_view("II*\0", 4), "TIFF or raw", 0},
      {std::string_view("MM\0*", 4), "TIFF or raw", 0},
      {"GIF8", "GIF", 0},
      {"BM", "BMP", 0},
      {"version https://git-lfs", "a pointer of Git LFS (git lfs pull gets the file)", 0}};
  for (const Magic& magic : kMagics) {
    if (StartsWith(file, magic.bytes, magic.at)) return magic.kind;
  }
  return {};
}

}  // namespace

Result<Image> DecodeImage(std::span<const std::byte> file, const std::string& where, int at_least) {
  if (IsJpeg(file)) return DecodeJpeg(file, where, at_least);
  if (IsPng(file)) return DecodePng(file, where);
  if (IsWebp(file)) return DecodeWebp(file, where);
  if (file.empty()) return Fail(ErrorCode::kInvalid, where, "is empty, not a picture");
  const std::string_view kind = OtherKind(file);
  return Fail(ErrorCode::kInvalid, where, "is {}{}not a JPEG, PNG or WebP picture", kind,
              kind.empty() ? "" : ", ");
}

Status DecodeExactly(std::span<const std::byte> file, const std::string& where, int width,
                     int height, Image& out) {
  if (IsJpeg(file)) return DecodeJpegExactly(file, where, width, height, out);
  int given_width = 0, given_height = 0;
  if (!IsWebp(file) || WebPGetInfo(Raw(file), file.size(), &given_width, &given_height) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is no JPEG or WebP picture");
  }
  if (given_width == width && given_height == height) {
    FOGLINE_TRY(out, DecodeWebp(file, where));
    given_width = out.width;  // of a moving picture's first frame, another than the whole's
    given_height = out.height;
  }
  if (given_width != width || given_height != height) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels where {}x{} are due", given_width,
                given_height, width, height);
  }
  return {};
}

Status EncodeJpeg(const Image& image, int quality, std::vector<std::byte>& out) {
  // The worst case is known beforehand, so the buffer never grows inside the encoder.
  unsigned long size = tjBufSize(image.width, image.height, TJSAMP_420);
  out.resize(size);
  auto* data = reinterpret_cast<unsigned char*>(out.data());
  if (tjCompress2(Compressor(), image.rgb.data(), image.width, 0, image.height, TJPF_RGB, &data,
                  &size, TJSAMP_420, quality, TJFLAG_NOREALLOC) != 0) {
    return Fail(ErrorCode::kInternal, "JPEG", "cannot encode {}x{}: {}", image.width, image.height,
                tjGetErrorStr2(Compressor()));
  }
  out.resize(size);
  return {};
}

Status EncodeWebp(const Image& image, int quality, std::vector<std::byte>& out) {
  uint8_t* data = nullptr;
  const size_t size = WebPEncodeRGB(image.rgb.data(), image.width, image.height, image.width * 3,
                                    static_cast<float>(quality), &data);
  const std::unique_ptr<uint8_t, decltype(&WebPFree)> owner(data, WebPFree);
  if (size == 0) {
    return Fail(ErrorCode::kInternal, "WebP", "cannot encode {}x{}", image.width, image.height);
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  out.assign(bytes, bytes + size);
  return {};
}

void ResizePart(const Image& image, const Rectangle& part, int width, int height, Image& out) {
  out.width = width;
  out.height = height;
  out.rgb.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  const uint8_t* first =
      image.rgb.data() + (static_cast<size_t>(part.y) * static_cast<size_t>(image.width) +
                          static_cast<size_t>(part.x)) *
                             3;
  if (part.width == width && part.height == height) {
    for (int y = 0; y < height; ++y) {
      std::memcpy(out.rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3,
                  first + static_cast<size_t>(y) * static_cast<size_t>(image.width) * 3,
                  static_cast<size_t>(width) * 3);
    }
    return;
  }
  stbir_resize_uint8_generic(first, part.width, part.height, image.width * 3, out.rgb.data(), width,
                             height, width * 3, 3, STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP,
                             STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR, nullptr);
}

}  // namespace fogline
