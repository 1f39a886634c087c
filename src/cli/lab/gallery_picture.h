// A picture from a file, small, for the galleries of eval's pages.
#pragma once

#include <filesystem>
#include <optional>

#include "report/gallery.h"
#include "vision/image.h"

namespace fogline::cli {

/// Fills in the item's picture, its longer side `side` pixels at most, and returns the picture as
/// it was read: upright, perhaps already smaller than its file. Nothing where it is not there any
/// more.
std::optional<Image> ShowSmall(const std::filesystem::path& file, int side, GalleryItem& item);

}  // namespace fogline::cli
