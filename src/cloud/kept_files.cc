#include "cloud/kept_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

/// Of all that lies in a folder and in those below it; somebody may take it away meanwhile.
Result<uint64_t> BytesBelow(const fs::path& folder) {
  FOGLINE_TRY(const auto entries, EntriesOf(folder));
  uint64_t bytes = 0;
  for (const fs::path& entry : entries) {
    if (IsLink(entry)) continue;
    if (!IsFolder(entry)) {
      bytes += BytesOf(entry);
    } else if (const auto below = BytesBelow(entry)) {
      bytes += *below;
    }
  }
  return bytes;
}

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
  FOGLINE_TRY(kept.bytes_, BytesBelow(kept.folder_));
  return kept;
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
