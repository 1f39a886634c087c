// Folders of pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/exif.h"
#include "vision/image.h"

namespace fogline {

/// Files named .jpg, .jpeg, .png or .webp (any case) in a folder, sorted by name. kNotFound for a
/// missing folder, kInvalid for one without pictures.
Result<std::vector<std::filesystem::path>> ListImages(const std::filesystem::path& folder);

/// One sub-folder a class: its name and its pictures. kInvalid with fewer than two classes.
struct ImageClass {
  std::string label;
  std::vector<std::filesystem::path> files;
};
Result<std::vector<ImageClass>> ListImageClasses(const std::filesystem::path& folder);

/// A picture file read, decoded and turned upright, with what its camera said.
struct Picture {
  Image image;
  Exif exif;
};
Result<Picture> DecodePicture(std::span<const std::byte> file, const std::string& where,
                              int at_least = 0);
Result<Picture> LoadPicture(const std::filesystem::path& path, int at_least = 0);

}  // namespace fogline
