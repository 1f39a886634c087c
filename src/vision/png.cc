#include "vision/png.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <limits>
#include <memory>

#include "base/bytes.h"
#include "base/text.h"
#include "vision/pixels.h"
#include "vision/png_chunks.h"
#include "vision/shrink.h"

namespace fogline {
namespace {

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

/// One file being read row by row. The library reports errors by longjmp: each step that may fail
/// sets its own mark and has nothing to destroy behind it.
class PngRows {
 public:
  explicit PngRows(std::span<const std::byte> file) : file_(file) {}
  ~PngRows() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngRows(const PngRows&) = delete;
  PngRows& operator=(const PngRows&) = delete;

  bool ReadHeader() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, [](png_structp, auto) {});
    if (png_ == nullptr) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr || setjmp(mark_) != 0) return false;
    png_set_read_fn(png_, this, Read);
    png_read_info(png_, info_);
    return true;
  }
  png_uint_32 width() const { return png_get_image_width(png_, info_); }
  png_uint_32 height() const { return png_get_image_height(png_, info_); }
  bool interlaced() const { return png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE; }

  bool ReadRows(Shrinker& shrinker) {
    row_.resize(static_cast<size_t>(width()) * 3);
    if (setjmp(mark_) != 0) return false;
    png_set_alpha_mode_fixed(png_, PNG_ALPHA_PNG, PNG_DEFAULT_sRGB);
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_gray_to_rgb(png_);
    png_color_16 white{};
    white.red = white.green = white.blue = white.gray = 255;
    png_set_background_fixed(png_, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, PNG_FP_1);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != row_.size()) png_error(png_, "odd rows");
    for (png_uint_32 y = height(); y > 0; --y) {
      png_read_row(png_, row_.data(), nullptr);
      shrinker.Row(row_.data());
    }
    return true;
  }

  tl::unexpected<Error> Failure(const std::string& where) const {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", why_);
  }

 private:
  [[noreturn]] static void OnError(png_structp png, png_const_charp why) {
    auto* self = static_cast<PngRows*>(png_get_error_ptr(png));
    std::strncpy(self->why_, why, sizeof(self->why_) - 1);
    std::longjmp(self->mark_, 1);
  }
  static void Read(png_structp png, png_bytep to, size_t size) {
    auto* self = static_cast<PngRows*>(png_get_io_ptr(png));
    if (size > self->file_.size()) png_error(png, "it ends too early");
    std::memcpy(to, self->file_.data(), size);
    self->file_ = self->file_.subspan(size);
  }

  std::span<const std::byte> file_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf mark_{};
  char why_[120] = "no memory to read it";
  std::vector<uint8_t> row_;
};

int Side(png_uint_32 side) {
  constexpr png_uint_32 kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(side, kMost));
}

}  // namespace

bool IsPng(std::span<const std::byte> file) { return StartsWith(file, "\x89PNG"); }

Result<Image> DecodePngInSteps(std::span<const std::byte> file, const std::string& where,
                               int step) {
  FOGLINE_CHECK(CheckChunks(file, where));
  PngRows png(file);
  if (!png.ReadHeader()) return png.Failure(where);
  FOGLINE_CHECK(CheckPixels(Side(png.width()), Side(png.height()), where,
                            png.interlaced() ? "an interlaced PNG" : ""));
  if (png.interlaced()) {
    return Fail(ErrorCode::kUnsupported, where,
                "is an interlaced PNG, which has no rows to shrink");
  }
  Image image;
  Shrinker shrinker(Side(png.width()), Side(png.height()), step, image);
  if (!png.ReadRows(shrinker)) return png.Failure(where);
  return image;
}

Result<Image> DecodePng(std::span<const std::byte> file, const std::string& where, int at_least) {
  FOGLINE_CHECK(CheckChunks(file, where));
  png_image png{};
  const std::unique_ptr<png_image, decltype(&png_image_free)> owner(&png, png_image_free);
  png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&png, file.data(), file.size()) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", png.message);
  }
  Image image{Side(png.width), Side(png.height), {}};
  FOGLINE_CHECK(CheckPixels(image.width, image.height, where));
  if (const int step = StepOf(image.width, image.height, at_least); step > 1) {
    return DecodePngInSteps(file, where, step);
  }
  png.format = PNG_FORMAT_RGB;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  image.rgb.resize(PNG_IMAGE_SIZE(png));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&png, &white, image.rgb.data(), 0, nullptr) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged PNG: {}", png.message);
  }
  return image;
}

}  // namespace fogline
