// Folders of pictures.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/exif.h"
#include "vision/image.h"

namespace fogline {

/// What a folder holds: pictures that are read, and the rest by its kind ("TIFF", "video",
/// "sub-folder" …) with how many there are. Hidden files, and texts that lie beside pictures
/// (labels, notes, tracks), do not count.
struct Folder {
  std::vector<std::filesystem::path> files;  // by name; see folder.cc for what names mean
  std::map<std::string, size_t> unread;

  /// "3 TIFF, 2 sub-folders (--recursive reads sub-folders)"; empty when everything is read.
  std::string Unread() const;
};
/// Whether a file's name says that it is a picture that is read.
bool IsPictureName(const std::filesystem::path& file);
/// Its own pictures, or those of its sub-folders too.
enum class Depth { kFlat, kRecursive };
constexpr Depth DepthOf(bool recursive) { return recursive ? Depth::kRecursive : Depth::kFlat; }
/// kNotFound for a missing folder, kInvalid for one without pictures. A link that leads nowhere or
/// in a circle is one of the unread. With sub-folders the order is by path, name by name from the
/// top; hidden ones are left alone, and a link to a folder is not followed. One to a file outside
/// of `folder` never is, so that a folder gives what lies in it.
Result<Folder> ListFolder(const std::filesystem::path& folder, Depth depth = Depth::kFlat);
/// Says in the log what of a folder was not read, if anything.
void LogUnread(const std::filesystem::path& folder, const Folder& listed);
/// Its pictures alone; the rest is said in the log.
Result<std::vector<std::filesystem::path>> ListImages(const std::filesystem::path& folder,
                                                      Depth depth = Depth::kFlat);

/// A picture left out, and why, in one line.
struct Skipped {
  std::filesystem::path file;
  std::string reason;
};

/// Names in the log the pictures that could not be read, the first ten of them, and counts them.
void LogSkipped(const std::vector<Skipped>& skipped);

/// One sub-folder a class: its name and its pictures, `depth` being that of each class; what else
/// is there is said in the log. kInvalid with fewer than two classes.
struct ImageClass {
  std::string label;
  std::vector<std::filesystem::path> files;
};
Result<std::vector<ImageClass>> ListImageClasses(const std::filesystem::path& folder,
                                                 Depth depth = Depth::kFlat);

/// A picture file read, decoded and turned upright, with what its camera said.
struct Picture {
  Image image;
  Exif exif;
};
Result<Picture> DecodePicture(std::span<const std::byte> file, const std::string& where,
                              int at_least = 0);
Result<Picture> LoadPicture(const std::filesystem::path& path, int at_least = 0);

}  // namespace fogline
