// How large pictures may be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vision/image.h"

namespace fogline {

/// kInvalid, naming the picture, for sizes that no memory is taken for: beyond kMostPixels, and
/// beyond kMaxPixels for `whole`, a kind of picture ("an interlaced PNG") that cannot be decoded in
/// parts.
Status CheckPixels(int64_t width, int64_t height, const std::string& where,
                   std::string_view whole = {});

}  // namespace fogline
