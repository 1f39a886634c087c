#include "vision/picture_names.h"

namespace fogline {

PictureNames::PictureNames(const std::filesystem::path& folder,
                           const std::vector<std::filesystem::path>& files, bool endings)
    : endings_(endings) {
  for (size_t i = 0; i < files.size(); ++i) {
    by_path_[Of(files[i].lexically_relative(folder))].push_back(i);
    by_name_[Of(files[i].filename())].push_back(i);
  }
}

std::vector<size_t> PictureNames::Find(const std::filesystem::path& name) const {
  const auto path = by_path_.find(Of(name.lexically_normal()));
  if (path != by_path_.end()) return path->second;
  const auto file = by_name_.find(Of(name.filename()));
  return file == by_name_.end() ? std::vector<size_t>() : file->second;
}

std::string PictureNames::Of(const std::filesystem::path& path) const {
  return (endings_ ? path : std::filesystem::path(path).replace_extension()).generic_string();
}

}  // namespace fogline
