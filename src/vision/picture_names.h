// Which picture of a folder a text beside it means.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fogline {

/// The names that texts (labels, truths) give to the pictures of a folder: the path below the
/// folder, or the file's own name where one picture alone has it. Not thread-safe to build, free to
/// read.
class PictureNames {
 public:
  /// `files` lie in `folder` or below it. Without `endings` a name is without its last ".jpg".
  PictureNames(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& files,
               bool endings = true);

  /// The places, among the files, of those that may be meant: one where all is well.
  std::vector<size_t> Find(const std::filesystem::path& name) const;

 private:
  std::string Of(const std::filesystem::path& path) const;

  const bool endings_;
  std::map<std::string, std::vector<size_t>> by_path_, by_name_;
};

}  // namespace fogline
