#include "base/paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/descriptor.h"
#include "base/text.h"

namespace fogline {

ErrorCode CodeOfErrno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kExhausted;
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kUnavailable;
  }
}

FileStamp StampOf(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  const auto nanos = [](const timespec& t) {
    return t.tv_sec * int64_t{1'000'000'000} + t.tv_nsec;
  };
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino),
          static_cast<uint64_t>(info.st_size), nanos(info.st_mtim), nanos(info.st_ctim)};
}

bool Exists(const std::filesystem::path& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

bool IsFolder(const std::filesystem::path& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool IsLink(const std::filesystem::path& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

uint64_t BytesOf(const std::filesystem::path& path) { return StampOf(path).bytes; }

Result<std::vector<std::filesystem::path>> EntriesOf(const std::filesystem::path& folder) {
  // std::filesystem's own iterators end the process where they lack memory, whoever would catch it.
  const std::unique_ptr<DIR, int (*)(DIR*)> listed(opendir(folder.c_str()), &closedir);
  std::vector<std::filesystem::path> entries;
  if (listed != nullptr) errno = 0;
  for (const dirent* entry = nullptr;
       listed != nullptr && (entry = readdir(listed.get())) != nullptr; errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") entries.push_back(folder / name);
  }
  if (errno != 0) {
    return Fail(CodeOfErrno(errno), folder.string(), "cannot read the folder: {}",
                std::strerror(errno));
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string NearestBeside(const std::filesystem::path& path) {
  const auto beside = EntriesOf(path.has_parent_path() ? path.parent_path() : ".");
  if (!beside) return {};
  std::vector<std::string> names;
  for (const auto& entry : *beside) names.push_back(entry.filename().string());
  return DidYouMean(path.filename().string(), names);
}

Status MakeFolders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return Fail(CodeOfErrno(error.value()), folder.string(), "cannot make the folder: {}",
              error.message());
}

void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file) (void)fsync(file.get());
}

Status RenameFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return Fail(CodeOfErrno(errno), to.string(), "cannot rename to: {}",
                std::generic_category().message(errno));
  }
  return {};
}

bool RemoveAll(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return !error;
}

std::filesystem::path Absolute(const std::filesystem::path& path) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute;
}

bool SameFile(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error) && !error;
}

Status CheckLeadsInto(const std::filesystem::path& folder, const std::filesystem::path& path,
                      const std::filesystem::path& name) {
  std::error_code error;
  const auto root = std::filesystem::canonical(folder.empty() ? "." : folder, error);
  const auto target = error ? root : std::filesystem::canonical(path, error);
  if (error) {
    return Fail(CodeOfErrno(error.value()), name.string(), "cannot follow: {}", error.message());
  }
  const bool within =
      std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
  if (within) return {};
  return Fail(ErrorCode::kInvalid, name.string(), "leads out of {}: put the file itself there",
              folder.string());
}

std::filesystem::path LinkTarget(const std::filesystem::path& link) {
  std::error_code error;
  auto target = std::filesystem::read_symlink(link, error);
  return error ? std::filesystem::path() : target;
}

}  // namespace fogline
