#include "vision/pixels.h"

namespace fogline {

Status CheckPixels(int64_t width, int64_t height, const std::string& where,
                   std::string_view whole) {
  constexpr int64_t kMillion = 1'000'000;
  if (width <= 0 || height <= 0 || width > kMostPixels || width * height > kMostPixels) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels, beyond the limit of {} M", width,
                height, kMostPixels / kMillion);
  }
  if (!whole.empty() && width * height > kMaxPixels) {
    return Fail(ErrorCode::kInvalid, where,
                "is {}x{} pixels, beyond the limit of {} M for {}; make it smaller", width, height,
                kMaxPixels / kMillion, whole);
  }
  return {};
}

}  // namespace fogline
