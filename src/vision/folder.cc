#include "vision/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

// Kinds of entries that are not read, one of them and more of them.
constexpr std::pair<std::string_view, std::string_view> kPlurals[] = {
    {"other file", "other files"},
    {"sub-folder", "sub-folders"},
    {"video", "videos"},
    {"link that leads nowhere", "links that lead nowhere"},
    {"link out of the folder", "links out of the folder"},
    {"link to a folder", "links to folders"},
    {"sub-folder that cannot be opened", "sub-folders that cannot be opened"}};

constexpr std::string_view kBeside = "text";

/// What a file's name says it is: "" for a picture that is read, kBeside for what lies beside
/// pictures and is none.
std::string_view KindOf(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  struct FileKind {
    std::string_view name;
    std::vector<std::string_view> extensions;
  };
  static const std::array kFileKinds{
      FileKind{"", {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".hif", ".avif"}},
      FileKind{kBeside,
               {".txt", ".tsv", ".csv", ".json", ".toml", ".md", ".xml", ".xmp", ".gpx", ".aae",
                ".ini"}},
      FileKind{"TIFF", {".tif", ".tiff"}},
      FileKind{"GIF", {".gif"}},
      FileKind{"BMP", {".bmp"}},
      FileKind{"JPEG XL or 2000", {".jxl", ".jp2", ".j2k"}},
      FileKind{"raw", {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"}},
      FileKind{
          "video",
          {".mp4", ".mov", ".avi", ".mkv", ".m4v", ".3gp", ".mts", ".webm", ".mpg", ".mjpeg"}}};
  for (const FileKind& kind : kFileKinds) {
    if (std::ranges::find(kind.extensions, extension) != kind.extensions.end()) return kind.name;
  }
  return "other file";
}

Result<std::vector<fs::path>> EntriesOfPictures(const fs::path& folder) {
  auto entries = EntriesOf(folder);
  if (entries) return entries;
  return Fail(ErrorCode::kNotFound, folder.string(), "{}{}", entries.error().message,
              Exists(folder) ? "" : NearestBeside(folder));
}

class Lister {
 public:
  Lister(fs::path folder, Depth depth) : depth_(depth), root_(std::move(folder)) {}

  /// Adds the entries of one folder, and remembers those below it.
  Status Read(const fs::path& folder) {
    FOGLINE_TRY(const auto entries, EntriesOfPictures(folder));
    for (const fs::path& entry : entries) {
      if (entry.filename().string().starts_with('.')) continue;
      std::error_code unknown;
      Add(fs::directory_entry(entry, unknown));
    }
    return {};
  }

  Result<Folder> All() {
    FOGLINE_CHECK(Read(root_));
    while (!below_.empty()) {
      const fs::path next = std::move(below_.back());
      below_.pop_back();
      if (!Read(next)) ++found_.unread["sub-folder that cannot be opened"];
    }
    std::sort(found_.files.begin(), found_.files.end());
    return std::move(found_);
  }

 private:
  void Add(const fs::directory_entry& entry) {
    std::error_code unknown;
    const fs::file_status status = entry.status(unknown);
    const bool recursive = depth_ == Depth::kRecursive, link = entry.is_symlink(unknown);
    const std::string_view kind = KindOf(entry.path());
    if (!fs::exists(status)) {
      ++found_.unread["link that leads nowhere"];
    } else if (fs::is_directory(status)) {
      if (recursive && !link) {
        below_.push_back(entry.path());
      } else {
        ++found_.unread[recursive ? "link to a folder" : "sub-folder"];
      }
    } else if (!fs::is_regular_file(status)) {
      ++found_.unread["other file"];
    } else if (link && kind != kBeside && !CheckLeadsInto(root_, entry.path(), entry.path())) {
      ++found_.unread["link out of the folder"];
    } else if (!kind.empty() && kind != kBeside) {
      ++found_.unread[std::string(kind)];
    } else if (kind.empty()) {
      found_.files.push_back(entry.path());
    }
  }

  const Depth depth_;
  const fs::path root_;
  std::vector<fs::path> below_;
  Folder found_;
};

Result<Folder> List(const fs::path& folder, Depth depth) { return Lister(folder, depth).All(); }

}  // namespace

std::string Folder::Unread() const {
  std::string text;
  for (const auto& [kind, count] : unread) {
    std::string_view name = kind;
    for (const auto& [one, more] : kPlurals) {
      if (kind == one && count > 1) name = more;
    }
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  }
  if (unread.contains("sub-folder")) text += " (--recursive reads sub-folders)";
  return text;
}

Result<Folder> ListFolder(const fs::path& folder, Depth depth) {
  FOGLINE_TRY(Folder found, List(folder, depth));
  if (found.files.empty()) {
    const std::string unread = found.Unread();
    return Fail(ErrorCode::kInvalid, folder.string(),
                "holds no pictures (.jpg, .jpeg, .png, .webp, .heic, .avif){}",
                unread.empty() ? "" : ", only " + unread);
  }
  return found;
}

bool IsPictureName(const fs::path& file) { return KindOf(file).empty(); }

void LogUnread(const fs::path& folder, const Folder& listed) {
  if (listed.unread.empty()) return;
  LogWarning("{}: not read: {}", folder.string(), listed.Unread());
}

Result<std::vector<fs::path>> ListImages(const fs::path& folder, Depth depth) {
  FOGLINE_TRY(Folder found, ListFolder(folder, depth));
  LogUnread(folder, found);
  return std::move(found.files);
}

Result<std::vector<ImageClass>> ListImageClasses(const fs::path& folder, Depth depth) {
  std::vector<ImageClass> classes;
  Folder all;
  FOGLINE_TRY(const auto entries, EntriesOfPictures(folder));
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    if (!IsFolder(entry) || name.starts_with('.')) continue;
    FOGLINE_TRY(Folder found, List(entry, depth));
    for (const auto& [kind, count] : found.unread) all.unread[kind] += count;
    if (!found.files.empty()) classes.push_back({name, std::move(found.files)});
  }
  if (classes.size() < 2) {
    return Fail(ErrorCode::kInvalid, folder.string(),
                "has {} sub-folder{} with pictures; give at least two, one a class", classes.size(),
                classes.size() == 1 ? "" : "s");
  }
  std::sort(classes.begin(), classes.end(),
            [](const ImageClass& a, const ImageClass& b) { return a.label < b.label; });
  LogUnread(folder, all);
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

void LogSkipped(const std::vector<Skipped>& skipped) {
  constexpr size_t kNamedSkipped = 10;
  for (size_t i = 0; i < std::min(kNamedSkipped, skipped.size()); ++i) {
    LogWarning("left out {}: {}", Printable(skipped[i].file.string()),
               Printable(skipped[i].reason));
  }
  if (skipped.size() > kNamedSkipped) {
    LogWarning("left out {} pictures in all", skipped.size());
  }
}

}  // namespace fogline
