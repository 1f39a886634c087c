// Whole files in and out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace fogline {

/// A file's bytes, mapped read-only: pages are read when touched and shared between processes.
/// Movable.
class MappedFile {
 public:
  /// Fails with the path for what is missing, unreadable or no regular file. An empty file maps to
  /// no bytes.
  static Result<MappedFile> Open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  /// Gives the pages back; they are read again when touched.
  void Release() const;

 private:
  MappedFile(void* data, size_t size) : data_(data), size_(size) {}
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// For those who hand a path to a library that opens whatever it finds: kNotFound for what is
/// missing, kInvalid for a folder, a pipe, a socket or a device, which might never end, or not even
/// begin.
Status CheckRegularFile(const std::filesystem::path& path);

/// The same of a file that nobody but this program writes, which is no link either and not mostly
/// holes.
Status CheckOwnFile(const std::filesystem::path& path);

// These, and MappedFile, refuse by name what CheckRegularFile refuses, and a large file that is
// mostly holes: it claims any size and costs who made it nothing.
Result<std::vector<std::byte>> ReadFile(const std::filesystem::path& path);
Result<std::string> ReadTextFile(const std::filesystem::path& path);
/// Of a file of any size, read piece by piece; another process may write over it meanwhile.
Result<Sha256> HashFile(const std::filesystem::path& path);

/// A file that a folder was seen to hold; kInvalid where it leads out of it by now, so that a link
/// gets nothing read that does not lie there.
Result<std::vector<std::byte>> ReadFileIn(const std::filesystem::path& folder,
                                          const std::filesystem::path& path);

/// Replaces the file at once (a temporary beside it, then a rename), so that nobody sees half of
/// it.
Status WriteFile(const std::filesystem::path& path, std::span<const std::byte> data);
Status WriteFile(const std::filesystem::path& path, std::string_view text);

/// A fresh folder under the system's temporary one, removed with everything in it at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fogline
