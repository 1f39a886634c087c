#include "vision/heif.h"

#include <libheif/heif.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/text.h"
#include "vision/heif_claims.h"
#include "vision/shrink.h"

namespace fogline {
namespace {

struct Release {
  void operator()(heif_context* context) const { heif_context_free(context); }
  void operator()(const heif_image_handle* handle) const { heif_image_handle_release(handle); }
  void operator()(const heif_image* image) const { heif_image_release(image); }
  void operator()(heif_decoding_options* options) const { heif_decoding_options_free(options); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

/// A file with its primary picture found.
struct Opened {
  Owned<heif_context> context;
  Owned<heif_image_handle> primary;
  heif_error error{};
};

Opened Open(std::span<const std::byte> file) {
  Opened opened{Owned<heif_context>(heif_context_alloc()), nullptr, {}};
  heif_context* const context = opened.context.get();
  // Workers decode pictures side by side already.
  heif_context_set_max_decoding_threads(context, 0);
  constexpr int kSide = 8000;
  static_assert(int64_t{kSide} * kSide == kMostHeifPixels);
  heif_context_set_maximum_image_size_limit(context, kSide);  // the side of a square
  opened.error =
      heif_context_read_from_memory_without_copy(context, file.data(), file.size(), nullptr);
  if (opened.error.code != heif_error_Ok) return opened;
  heif_image_handle* primary = nullptr;
  opened.error = heif_context_get_primary_image_handle(context, &primary);
  opened.primary.reset(primary);
  return opened;
}

tl::unexpected<Error> Failure(const heif_error& error, std::span<const std::byte> file,
                              const std::string& where) {
  if (error.subcode == heif_suberror_Security_limit_exceeded) {
    return Fail(ErrorCode::kInvalid, where, "claims more than is decoded of a HEIC or AVIF: {}",
                Printable(error.message));
  }
  const std::string_view kind = StartsWith(file, "avif", 8) ? "AVIF" : "HEIC";
  if (error.code == heif_error_Unsupported_feature ||
      error.code == heif_error_Unsupported_filetype) {
    return Fail(ErrorCode::kUnsupported, where, "is a {} of a rare kind that is not read: {}", kind,
                Printable(error.message));
  }
  return Fail(ErrorCode::kInvalid, where, "is a damaged {}: {}", kind, Printable(error.message));
}

Status CheckSize(int64_t width, int64_t height, const std::string& where) {
  constexpr int64_t kMillion = 1'000'000;
  if (width <= 0 || height <= 0 || width > kMostHeifPixels || height > kMostHeifPixels ||
      width * height > kMostHeifPixels) {
    return Fail(ErrorCode::kInvalid, where,
                "is {}x{} pixels, beyond the limit of {} M for HEIC and AVIF; make it smaller",
                width, height, kMostHeifPixels / kMillion);
  }
  return {};
}

/// RGBA on white, in place, as RGB.
void OnWhite(uint8_t* row, int width, bool premultiplied) {
  for (int x = 0; x < width; ++x) {
    const uint8_t* const from = row + 4 * x;
    const int alpha = from[3];
    for (int c = 0; c < 3; ++c) {
      const int own = premultiplied ? from[c] * 255 : from[c] * alpha;
      row[3 * x + c] = static_cast<uint8_t>(std::min((own + (255 - alpha) * 255 + 127) / 255, 255));
    }
  }
}

}  // namespace

bool IsHeif(std::span<const std::byte> file) {
  constexpr std::array<std::string_view, 6> kBrands{"heic", "heix", "heim", "heis", "mif1", "avif"};
  if (!StartsWith(file, "ftyp", 4)) return false;
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<size_t>(file[i]);
  constexpr size_t kMostBrands = 256;
  length = std::min({length, file.size(), kMostBrands});
  for (size_t at = 8; at + 4 <= length; at += at == 8 ? 8 : 4) {  // a version behind the first
    if (std::ranges::any_of(kBrands, [&](auto b) { return StartsWith(file, b, at); })) return true;
  }
  return false;
}

Result<Image> DecodeHeif(std::span<const std::byte> file, const std::string& where, int at_least) {
  if (const CodedSize claim = LargestHeifClaim(file); claim.width > 0) {
    FOGLINE_CHECK(CheckSize(claim.width, claim.height, where));
  }
  const Opened opened = Open(file);
  if (opened.error.code != heif_error_Ok) return Failure(opened.error, file, where);
  const int width = heif_image_handle_get_width(opened.primary.get());
  const int height = heif_image_handle_get_height(opened.primary.get());
  FOGLINE_CHECK(CheckSize(width, height, where));
  const bool alpha = heif_image_handle_has_alpha_channel(opened.primary.get()) != 0;
  const Owned<heif_decoding_options> options(heif_decoding_options_alloc());
  options->convert_hdr_to_8bit = 1;
  options->strict_decoding = 1;
  heif_image* decoded = nullptr;
  const heif_error error = heif_decode_image(
      opened.primary.get(), &decoded, heif_colorspace_RGB,
      alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, options.get());
  const Owned<heif_image> owner(decoded);
  if (error.code != heif_error_Ok) return Failure(error, file, where);
  int stride = 0;
  uint8_t* const pixels = heif_image_get_plane(decoded, heif_channel_interleaved, &stride);
  const int columns = heif_image_get_width(decoded, heif_channel_interleaved);
  const int rows = heif_image_get_height(decoded, heif_channel_interleaved);
  if (pixels == nullptr || columns <= 0 || rows <= 0) {
    return Fail(ErrorCode::kInvalid, where, "is a damaged HEIC or AVIF: it has no pixels");
  }
  const bool premultiplied = alpha && heif_image_is_premultiplied_alpha(decoded) != 0;
  Image image;
  Shrinker shrinker(columns, rows, WholeStep(columns, rows, at_least), image);
  for (int y = 0; y < rows; ++y) {
    uint8_t* const row = pixels + static_cast<ptrdiff_t>(y) * stride;
    if (alpha) OnWhite(row, columns, premultiplied);
    shrinker.Row(row);
  }
  return image;
}

std::vector<std::byte> HeifExif(std::span<const std::byte> file) {
  const Opened opened = Open(file);
  if (opened.error.code != heif_error_Ok) return {};
  const heif_image_handle* const primary = opened.primary.get();
  heif_item_id id = 0;
  if (heif_image_handle_get_list_of_metadata_block_IDs(primary, "Exif", &id, 1) != 1) return {};
  std::vector<std::byte> block(heif_image_handle_get_metadata_size(primary, id));
  if (block.empty() ||
      heif_image_handle_get_metadata(primary, id, block.data()).code != heif_error_Ok) {
    return {};
  }
  return block;
}

}  // namespace fogline
