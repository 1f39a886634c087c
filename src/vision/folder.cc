#include "vision/folder.h"

#include <algorithm>

#include "base/file.h"

namespace fogline {
namespace {

bool HasPictureName(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".webp";
}

Result<std::vector<std::filesystem::path>> List(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (HasPictureName(it->path()) && it->is_regular_file()) files.push_back(it->path());
  }
  if (error) {
    return Fail(ErrorCode::kNotFound, folder.string(), "cannot read the folder: {}",
                error.message());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::vector<std::filesystem::path>> ListImages(const std::filesystem::path& folder) {
  FOGLINE_TRY(auto files, List(folder));
  if (files.empty()) {
    return Fail(ErrorCode::kInvalid, folder.string(),
                "holds no pictures (.jpg, .jpeg, .png, .webp)");
  }
  return files;
}

Result<std::vector<ImageClass>> ListImageClasses(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<ImageClass> classes;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_directory()) continue;
    FOGLINE_TRY(auto files, List(it->path()));
    if (!files.empty()) classes.push_back({it->path().filename().string(), std::move(files)});
  }
  if (error) {
    return Fail(ErrorCode::kNotFound, folder.string(), "cannot read the folder: {}",
                error.message());
  }
  if (classes.size() < 2) {
    return Fail(ErrorCode::kInvalid, folder.string(),
                "has {} sub-folder{} with pictures; give at least two, one a class", classes.size(),
                classes.size() == 1 ? "" : "s");
  }
  std::sort(classes.begin(), classes.end(),
            [](const ImageClass& a, const ImageClass& b) { return a.label < b.label; });
  return classes;
}

Result<Picture> DecodePicture(std::span<const std::byte> file, const std::string& where,
                              int at_least) {
  FOGLINE_TRY(Image image, DecodeImage(file, where, at_least));
  Picture picture{std::move(image), ReadExif(file)};
  Upright(picture.exif.orientation, picture.image);
  return picture;
}

Result<Picture> LoadPicture(const std::filesystem::path& path, int at_least) {
  FOGLINE_TRY(const MappedFile file, MappedFile::Open(path));
  return DecodePicture(file.bytes(), path.string(), at_least);
}

}  // namespace fogline
