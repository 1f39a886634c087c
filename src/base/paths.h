// What the file system says of a path, as values: std::filesystem's functions throw when the disk
// fails, which would end a thread. tests/house keeps them out of the other rooms.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

/// What an errno means: only a path that can never be a file is invalid; what the system lacks or
/// denies now may pass.
ErrorCode CodeOfErrno(int number);

/// What tells one state of a file from another without reading it. All zero where there is none.
struct FileStamp {
  uint64_t device = 0, inode = 0, bytes = 0;
  int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp StampOf(const std::filesystem::path& path);

/// Links are followed. False, too, where it cannot be known.
bool Exists(const std::filesystem::path& path);
bool IsFolder(const std::filesystem::path& path);
/// The path itself, not what it leads to.
bool IsLink(const std::filesystem::path& path);
/// 0 where there is no such file.
uint64_t BytesOf(const std::filesystem::path& path);

/// What a folder holds, sorted, without "." and "..".
Result<std::vector<std::filesystem::path>> EntriesOf(const std::filesystem::path& folder);
/// Of a path that is not there: " (did you mean 'a.onnx'?)" where something beside it is called
/// nearly so, else nothing.
std::string NearestBeside(const std::filesystem::path& path);
/// The folder and those above it, where they are missing.
Status MakeFolders(const std::filesystem::path& folder);
/// Has the disk keep the names in a folder, as far as it can be opened: the rest is the system's.
void SyncFolder(const std::filesystem::path& folder);
/// Gives `from` the name `to`, in place of what had it.
Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to);
/// A file, or a folder with all it holds; what is not there is as good as removed. False when
/// something of it stays.
bool RemoveAll(const std::filesystem::path& path);
/// Against the working directory; the path itself when that has none.
std::filesystem::path Absolute(const std::filesystem::path& path);
/// Whether both name one existing file.
bool SameFile(const std::filesystem::path& a, const std::filesystem::path& b);
/// kInvalid, in the words of `name`, where `path` leads to what lies neither in `folder` nor below
/// it once all links are followed.
Status CheckLeadsInto(const std::filesystem::path& folder, const std::filesystem::path& path,
                      const std::filesystem::path& name);
/// Where a symbolic link points to; empty for what is none.
std::filesystem::path LinkTarget(const std::filesystem::path& link);

}  // namespace fogline
