#include "cloud/kept_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

}  // namespace

Status MakeKeptFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (!error) return {};
  return Fail(ErrorCode::kUnavailable, folder.string(), "cannot be made: {}", error.message());
}

Result<KeptFolder> KeptFolder::Open(fs::path folder, uint64_t limit_bytes, std::string flag) {
  FOGLINE_CHECK(MakeKeptFolder(folder));
  KeptFolder kept(std::move(folder), limit_bytes, std::move(flag));
  std::error_code error;
  for (fs::recursive_directory_iterator it(kept.folder_, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unknown;  // somebody may take it away meanwhile
    const auto size = it->is_regular_file(unknown) ? it->file_size(unknown) : 0;
    if (!unknown) kept.bytes_ += size;
  }
  if (!error) return kept;
  return Fail(ErrorCode::kUnavailable, kept.folder_.string(), "cannot be listed: {}",
              error.message());
}

Status KeptFolder::Write(const fs::path& path, std::span<const std::byte> bytes) {
  FOGLINE_CHECK(MakeKeptFolder(path.parent_path()));
  std::error_code missing;
  const auto before = fs::file_size(path, missing);
  const uint64_t others = bytes_ - std::min<uint64_t>(bytes_, missing ? 0 : before);
  if (others + bytes.size() > limit_bytes_) {
    return Fail(ErrorCode::kExhausted, folder_.string(),
                "is full ({}, {}): what comes now is left out and counted",
                HumanBytes(static_cast<double>(limit_bytes_)), flag_);
  }
  FOGLINE_CHECK(WriteFile(path, bytes));
  bytes_ = others + bytes.size();
  return {};
}

}  // namespace fogline
