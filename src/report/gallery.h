// Pictures inside a page: a grid of thumbnails with what is to be said of each.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fogline {

/// A "data:" address that holds the file itself, so that the page asks nobody for it.
std::string DataUri(std::string_view media_type, std::span<const std::byte> file);

/// A box over a picture, in parts of its width and height.
struct GalleryBox {
  enum class Kind { kHit, kMiss, kAlarm };
  Kind kind = Kind::kHit;
  double left = 0, top = 0, width = 0, height = 0;
  std::string tip;  // shown on hover
};

struct GalleryItem {
  std::string image;  // a data address
  int width = 0;      // pixels, for the place it takes while it is decoded
  int height = 0;
  std::string title;  // one line under the picture
  std::string note;   // smaller, under the title
  std::string tip;    // shown on hover
  double share = -1;  // 0 … 1 draws a bar under the note; negative: none
  /// A frame drawn over the picture, in parts of its width and height; no frame where it is all.
  double left = 0, top = 0, right = 1, bottom = 1;
  std::vector<GalleryBox> boxes = {};
};

/// A grid that takes as many columns as fit.
std::string Gallery(const std::vector<GalleryItem>& items);

}  // namespace fogline
