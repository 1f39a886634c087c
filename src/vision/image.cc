#include "vision/image.h"

#include <stb/stb_image_resize.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "vision/heif.h"
#include "vision/jpeg.h"
#include "vision/png.h"
#include "vision/webp.h"

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

/// What a file that is no picture of ours is, by its first bytes: phones and mail rename freely.
std::string_view OtherKind(std::span<const std::byte> file) {
  struct Magic {
    std::string_view bytes, kind;
    size_t at;
  };
  constexpr Magic kMagics[] = {
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
  if (IsPng(file)) return DecodePng(file, where, at_least);
  if (IsWebp(file)) return DecodeWebp(file, where, at_least);
  if (IsHeif(file)) return DecodeHeif(file, where, at_least);
  if (file.empty()) return Fail(ErrorCode::kInvalid, where, "is empty, not a picture");
  const std::string_view kind = OtherKind(file);
  return Fail(ErrorCode::kInvalid, where, "is {}{}not a JPEG, PNG, WebP, HEIC or AVIF picture",
              kind, kind.empty() ? "" : ", ");
}

Status DecodeExactly(std::span<const std::byte> file, const std::string& where, int width,
                     int height, Image& out) {
  return IsJpeg(file) ? DecodeJpegExactly(file, where, width, height, out)
                      : DecodeWebpExactly(file, where, width, height, out);
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
