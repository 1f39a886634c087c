#include "cli/lab/gallery_picture.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "vision/folder.h"

namespace fogline::cli {
namespace {

constexpr int kGalleryQuality = 78;

}  // namespace

std::optional<Image> ShowSmall(const std::filesystem::path& file, int side, GalleryItem& item) {
  auto picture = LoadPicture(file, side);
  if (!picture) return std::nullopt;
  Image& image = picture->image;
  const double scale =
      std::min(1.0, side / static_cast<double>(std::max(image.width, image.height)));
  item.width = std::max(1, static_cast<int>(image.width * scale));
  item.height = std::max(1, static_cast<int>(image.height * scale));
  Image small;
  ResizePart(image, {0, 0, image.width, image.height}, item.width, item.height, small);
  std::vector<std::byte> jpeg;
  if (!EncodeJpeg(small, kGalleryQuality, jpeg)) return std::nullopt;
  item.image = DataUri("image/jpeg", jpeg);
  return std::move(image);
}

}  // namespace fogline::cli
