#include "vision/image.h"

#include <png.h>
#include <stb/stb_image_resize.h>
#include <turbojpeg.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

namespace fogline {
namespace {

struct TurboDelete {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Turbo = std::unique_ptr<void, TurboDelete>;

/// One codec object a thread: making one takes longer than decoding a thumbnail.
Turbo& DecompressorSlot() {
  thread_local Turbo handle(tjInitDecompress());
  return handle;
}
void* Decompressor() { return DecompressorSlot().get(); }

/// libjpeg-turbo 2.1 can carry the state of a damaged file into the next one: after a failure the
/// object is replaced.
tl::unexpected<Error> FailDamaged(const std::string& where) {
  auto failure =
      Fail(ErrorCode::kInvalid, where, "is a damaged JPEG: {}", tjGetErrorStr2(Decompressor()));
  DecompressorSlot().reset(tjInitDecompress());
  return failure;
}
void* Compressor() {
  thread_local const Turbo handle(tjInitCompress());
  return handle.get();
}

const unsigned char* Raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

bool StartsWith(std::span<const std::byte> file, std::string_view magic, size_t at = 0) {
  return file.size() >= at + magic.size() &&
         std::memcmp(file.data() + at, magic.data(), magic.size()) == 0;
}
bool IsJpeg(std::span<const std::byte> file) { return StartsWith(file, "\xff\xd8\xff"); }
bool IsPng(std::span<const std::byte> file) { return StartsWith(file, "\x89PNG"); }
bool IsWebp(std::span<const std::byte> file) {
  return StartsWith(file, "RIFF") && StartsWith(file, "WEBP", 8);
}

Status CheckSize(int64_t width, int64_t height, const std::string& where) {
  if (width <= 0 || height <= 0 || width * height > kMaxPixels) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels, beyond the limit of {} M", width,
                height, kMaxPixels / 1'000'000);
  }
  return {};
}

struct JpegSize {
  int width = 0, height = 0;
};

Result<JpegSize> ReadJpegHeader(std::span<const std::byte> file, const std::string& where) {
  JpegSize size;
  int subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(Decompressor(), Raw(file), file.size(), &size.width, &size.height,
                          &subsampling, &colorspace) != 0) {
    return FailDamaged(where);
  }
  FOGLINE_CHECK(CheckSize(size.width, size.height, where));
  return size;
}

Status DecodeJpegAt(std::span<const std::byte> file, const std::string& where, int width,
                    int height, Image& out) {
  out.width = width;
  out.height = height;
  out.rgb.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  if (tjDecompress2(Decompressor(), Raw(file), file.size(), out.rgb.data(), width, 0, height,
                    TJPF_RGB, 0) != 0) {
    // Stray bytes between markers are only warned about and harm nothing; a picture that ends early
    // is not whole.
    const std::string_view why = tjGetErrorStr2(Decompressor());
    if (tjGetErrorCode(Decompressor()) == TJERR_FATAL || why.find("end of JPEG") != why.npos ||
        why.find("Corrupt") != why.npos) {
      return FailDamaged(where);
    }
  }
  return {};
}

Result<Image> DecodeJpeg(std::span<const std::byte> file, const std::string& where, int at_least) {
  FOGLINE_TRY(const JpegSize full, ReadJpegHeader(file, where));
  JpegSize size = full;
  if (at_least > 0) {
    int count = 0;
    const tjscalingfactor* factors = tjGetScalingFactors(&count);
    for (int i = 0; i < count; ++i) {
      const JpegSize scaled{TJSCALED(full.width, factors[i]), TJSCALED(full.height, factors[i])};
      if (std::min(scaled.width, scaled.height) >= at_least && scaled.width < size.width)
        size = scaled;
    }
  }
  Image image;
  FOGLINE_CHECK(DecodeJpegAt(file, where, size.width, size.height, image));
  return image;
}

/// Transparent parts become white. A picture that says nothing of its gamma is sRGB, 16 bits or 8.
Result<Image> DecodePng(std::span<const std::byte> file, const std::string& where) {
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
  FOGLINE_CHECK(CheckSize(image.width, image.height, where));
  png.format = PNG_FORMAT_RGB;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  image.rgb.resize(PNG_IMAGE_SIZE(png));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&png, &white, image.rgb.data(), 0, nullptr) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", png.message);
  }
  return image;
}

Result<Image> DecodeWebp(std::span<const std::byte> file, const std::string& where) {
  Image image;
  if (WebPGetInfo(Raw(file), file.size(), &image.width, &image.height) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged WebP");
  }
  FOGLINE_CHECK(CheckSize(image.width, image.height, where));
  image.rgb.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
  if (WebPDecodeRGBInto(Raw(file), file.size(), image.rgb.data(), image.rgb.size(),
                        image.width * 3) == nullptr) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged WebP");
  }
  return image;
}

}  // namespace

Result<Image> DecodeImage(std::span<const std::byte> file, const std::string& where, int at_least) {
  if (IsJpeg(file)) return DecodeJpeg(file, where, at_least);
  if (IsPng(file)) return DecodePng(file, where);
  if (IsWebp(file)) return DecodeWebp(file, where);
  return Fail(ErrorCode::kInvalid, where, "{}",
              file.empty() ? "is empty, not a picture" : "is not a JPEG, PNG or WebP picture");
}

Status DecodeExactly(std::span<const std::byte> file, const std::string& where, int width,
                     int height, Image& out) {
  JpegSize size;
  if (IsJpeg(file)) {
    FOGLINE_TRY(size, ReadJpegHeader(file, where));
  } else if (!IsWebp(file) || WebPGetInfo(Raw(file), file.size(), &size.width, &size.height) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is no JPEG or WebP picture");
  }
  if (size.width != width || size.height != height) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels where {}x{} are due", size.width,
                size.height, width, height);
  }
  if (IsJpeg(file)) return DecodeJpegAt(file, where, width, height, out);
  FOGLINE_TRY(out, DecodeWebp(file, where));
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
