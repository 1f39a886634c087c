#include "edge/spool_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"

namespace fogline {
namespace {

/// A file is 16 MB, or one frame, which no broker takes beyond 256 MB.
constexpr uint64_t kMostSegmentFile = uint64_t{1} << 29;

std::string ErrnoText() { return std::generic_category().message(errno); }

tl::unexpected<Error> Unusable(const std::filesystem::path& path, const char* doing) {
  return Fail(ErrorCode::kInvalid, "--spool " + path.string(), "cannot {}: {}", doing, ErrnoText());
}

/// Makes a folder and those above it, and has the disk keep each by its name in the one above: a
/// power loss must not take the folder with all that was synced in it.
std::error_code MakeKeptFolder(const std::filesystem::path& folder) {
  std::error_code error, unknown;
  auto made = std::filesystem::absolute(folder, error).lexically_normal();
  if (!made.has_filename()) made = made.parent_path();
  auto above = made;
  while (above.has_relative_path() && !std::filesystem::exists(above, unknown)) {
    above = above.parent_path();
  }
  if (!error) std::filesystem::create_directories(folder, error);
  for (; !error && made != above; made = made.parent_path()) SyncFolder(made.parent_path());
  return error;
}

}  // namespace

Status SpoolFile::ReadAt(SpoolDisk& disk, uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = disk.ReadAt(fd(), out, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kUnavailable, "", "cannot be read: {}", ErrnoText());
    if (n == 0) return Fail(ErrorCode::kInvalid, "", "ends too early");
    offset += static_cast<uint64_t>(n);
    out = out.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status SpoolFile::WriteAt(SpoolDisk& disk, uint64_t end, std::span<const std::byte> data) const {
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = disk.WriteAt(fd(), data.subspan(done), static_cast<off_t>(end + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const auto failed = Fail(ErrorCode::kExhausted, "", "cannot write: {}", ErrnoText());
      // What stays of a half is passed over by whoever reads.
      (void)!ftruncate(fd(), static_cast<off_t>(end));
      return failed;
    }
    done += static_cast<size_t>(n);
  }
  return {};
}

Result<std::unique_ptr<SpoolFolder>> SpoolFolder::Open(const std::filesystem::path& folder,
                                                       const std::string& device, SpoolDisk& disk) {
  if (const std::error_code error = MakeKeptFolder(folder)) {
    return Fail(ErrorCode::kInvalid, "--spool " + folder.string(), "cannot be made: {}",
                error.message());
  }
  auto opened = std::unique_ptr<SpoolFolder>(new SpoolFolder(folder, disk));
  FOGLINE_CHECK(opened->Lock(device));
  return opened;
}

/// One process a folder, and one device: its frames go to its own topic.
Status SpoolFolder::Lock(const std::string& device) {
  const auto path = path_ / "device";
  if (IsLink(path)) {
    return Fail(ErrorCode::kInvalid, "--spool " + path.string(), "is a link, not a spool's file");
  }
  folder_ = std::make_unique<SpoolFile>(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  lock_ = std::make_unique<SpoolFile>(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!folder_->ok() || !lock_->ok()) return Unusable(path_, "open it");
  if (flock(lock_->fd(), LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kConflict, "--spool " + path_.string(),
                "another edge uses it; give each its own folder");
  }
  FOGLINE_TRY(const std::string owner, ReadTextFile(path));
  if (owner.empty()) {
    if (pwrite(lock_->fd(), device.data(), device.size(), 0) !=
            static_cast<ssize_t>(device.size()) ||
        fsync(lock_->fd()) != 0) {
      const auto failed = Unusable(path_, "write the device's name");
      (void)!ftruncate(lock_->fd(), 0);
      return failed;
    }
  } else if (owner != device) {
    return Fail(ErrorCode::kConflict, "--spool " + path_.string(),
                "holds the frames of device '{}'; give '{}' a folder of its own", owner, device);
  }
  return {};
}

std::filesystem::path SpoolFolder::PathOf(uint64_t segment) const {
  return path_ / fmt::format("{:016x}.spool", segment);
}

Result<SpoolFolder::Listing> SpoolFolder::List() const {
  Listing listing;
  const auto entries = EntriesOf(path_);
  if (!entries) {
    return Fail(ErrorCode::kInvalid, "--spool " + path_.string(), "{}", entries.error().message);
  }
  for (const std::filesystem::path& entry : *entries) {
    if (entry.extension() != ".spool") continue;
    const std::string name = entry.stem().string();
    uint64_t id = 0;
    const char* const stop = name.data() + name.size();
    if (std::from_chars(name.data(), stop, id, 16).ptr != stop || id == 0) continue;
    listing.last = std::max(listing.last, id);
    const auto path = PathOf(id);
    const Status own = CheckOwnFile(path);
    const uint64_t size = BytesOf(path);
    if (!own && own.error().code == ErrorCode::kNotFound) continue;
    if (!own && own.error().code == ErrorCode::kInvalid) {
      LogError("{}; it is left alone", own.error().ToString());
    } else if (size > kMostSegmentFile) {
      LogError("{}: has {} bytes, which no spool's file has; it is left alone", path.string(),
               size);
    } else {
      listing.sizes[id] = size;
    }
  }
  return listing;
}

Result<ScannedSegment> SpoolFolder::Scan(uint64_t segment, uint64_t size) const {
  const SpoolFile file(disk_.Open(PathOf(segment), O_RDONLY));
  if (!file.ok()) return Fail(ErrorCode::kUnavailable, "", "{}", ErrnoText());
  std::vector<std::byte> bytes(size);
  FOGLINE_CHECK(file.ReadAt(disk_, 0, bytes));
  ScannedSegment scanned;
  size_t at = 0;
  while (const auto item = NextSpoolItem(bytes, at)) {
    scanned.damaged_bytes += item->offset - at;
    at = item->end;
    if (item->is_frame) {
      scanned.frames.push_back(static_cast<uint32_t>(item->offset));
    } else {
      scanned.marks[item->mark.segment].push_back(item->mark.offset);
    }
  }
  scanned.damaged_bytes += bytes.size() - at;
  return scanned;
}

Result<SpoolItem> SpoolFolder::ReadItem(uint64_t segment, uint64_t size, uint32_t offset) {
  const auto failure = [&](ErrorCode code, const std::string& what) {
    return Fail(code, PathOf(segment).string(), "{}", what);
  };
  if (reading_ != segment) {
    reading_file_ = std::make_unique<SpoolFile>(disk_.Open(PathOf(segment), O_RDONLY));
    reading_ = reading_file_->ok() ? segment : 0;
    if (reading_ == 0) {
      const auto code = errno == ENOENT ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
      return failure(code, "cannot be opened: " + ErrnoText());
    }
  }
  const auto read = [&](size_t length) -> Status {
    read_.resize(length);
    Status done = reading_file_->ReadAt(disk_, offset, read_);
    if (!done) {
      done.error().where = PathOf(segment).string();
      reading_ = 0;  // opened again next time: the file may have been put back
    }
    return done;
  };
  if (offset + kSpoolHeaderBytes > size) {
    return failure(ErrorCode::kInvalid, "ends too early");
  }
  FOGLINE_CHECK(read(kSpoolHeaderBytes));
  size_t length = ClaimedSpoolItem(read_);
  for (const bool all : {false, true}) {
    if (all || length == 0 || offset + length > size) length = size - offset;
    FOGLINE_CHECK(read(length));
    if (auto item = NextSpoolItem(read_, 0)) {
      item->offset += offset;
      item->end += offset;
      return *item;
    }
  }
  return failure(ErrorCode::kInvalid, "is damaged");
}

Result<std::shared_ptr<SpoolFile>> SpoolFolder::Create(uint64_t segment) const {
  const auto path = PathOf(segment);
  auto file = std::make_shared<SpoolFile>(disk_.Open(path, O_RDWR | O_CREAT | O_EXCL));
  if (!file->ok()) return Fail(ErrorCode::kExhausted, path.string(), "{}", ErrnoText());
  return file;
}

std::shared_ptr<SpoolFile> SpoolFolder::Find(uint64_t segment) const {
  return std::make_shared<SpoolFile>(disk_.Open(PathOf(segment), O_RDONLY));
}

void SpoolFolder::Remove(uint64_t segment) {
  if (reading_ == segment) {
    reading_ = 0;
    reading_file_ = nullptr;
  }
  std::error_code ignored;
  std::filesystem::remove(PathOf(segment), ignored);
}

bool SpoolFolder::Sync() const { return fsync(folder_->fd()) == 0; }

}  // namespace fogline
