// Files that a cloud keeps beside its store, in folders that are its owner's alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/result.h"

namespace fogline {

/// Makes a folder, which then is nobody else's to read; one that is there stays as it is.
Status MakeKeptFolder(const std::filesystem::path& folder);

/// A folder of such files with a limit on what they take together. Not thread-safe.
class KeptFolder {
 public:
  /// Makes the folder and counts what lies there. `flag` is named where it is full.
  static Result<KeptFolder> Open(std::filesystem::path folder, uint64_t limit_bytes,
                                 std::string flag);

  /// Writes a file below the folder, whole or not at all, in place of one of that name.
  /// kExhausted where there is no room.
  Status Write(const std::filesystem::path& path, std::span<const std::byte> bytes);

  const std::filesystem::path& path() const { return folder_; }

 private:
  KeptFolder(std::filesystem::path folder, uint64_t limit_bytes, std::string flag)
      : folder_(std::move(folder)), limit_bytes_(limit_bytes), flag_(std::move(flag)) {}

  std::filesystem::path folder_;
  uint64_t limit_bytes_, bytes_ = 0;
  std::string flag_;
};

}  // namespace fogline
