#include "edge/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/file.h"
#include "base/log.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kLeastSegment = 64 << 10, kMostSegment = 16 << 20;
constexpr size_t kMostMarks = 64 << 10;  // bytes of marks kept for a disk that takes nothing
constexpr Nanos kSayAgain = 10s, kMostRest = 1min;

std::string ErrnoText() { return std::generic_category().message(errno); }

/// A segment is a 64th of what the spool may take: so much is dropped at once when it is full.
uint32_t SegmentBytes(uint64_t most) {
  return static_cast<uint32_t>(std::clamp(most / 64, kLeastSegment, kMostSegment));
}

tl::unexpected<Error> Unusable(const std::filesystem::path& path, const char* doing) {
  return Fail(ErrorCode::kInvalid, "--spool " + path.string(), "cannot {}: {}", doing, ErrnoText());
}

}  // namespace

/// A descriptor and its end.
class Spool::File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

  /// All or nothing. kUnavailable when it cannot be read now, kInvalid when the file ends before.
  Status ReadAt(SpoolDisk& disk, uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
      const ssize_t n = disk.ReadAt(fd_, out, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Fail(ErrorCode::kUnavailable, "", "cannot be read: {}", ErrnoText());
      if (n == 0) return Fail(ErrorCode::kInvalid, "", "ends too early");
      offset += static_cast<uint64_t>(n);
      out = out.subspan(static_cast<size_t>(n));
    }
    return {};
  }

 private:
  int fd_;
};

Spool::Spool(const SpoolOptions& options)
    : options_(options), segment_bytes_(SegmentBytes(options.limit_bytes)) {}

Result<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options, const std::string& device) {
  if (options.limit_bytes < SpoolOptions::kLeastBytes) {
    return Fail(ErrorCode::kUsage, "--spool-limit", "is less than {} bytes",
                SpoolOptions::kLeastBytes);
  }
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) {
    return Fail(ErrorCode::kInvalid, "--spool " + options.folder.string(), "cannot be made: {}",
                error.message());
  }
  auto spool = std::unique_ptr<Spool>(new Spool(options));
  FOGLINE_CHECK(spool->Lock(device));
  FOGLINE_CHECK(spool->Recover());
  spool->syncer_ = std::thread([s = spool.get()] { s->SyncLoop(); });
  return spool;
}

/// One process a folder, and one device: its frames go to its own topic.
Status Spool::Lock(const std::string& device) {
  const auto path = options_.folder / "device";
  folder_ =
      std::make_unique<File>(open(options_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  lock_ = std::make_unique<File>(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!folder_->ok() || !lock_->ok()) return Unusable(options_.folder, "open it");
  if (flock(lock_->fd(), LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kConflict, "--spool " + options_.folder.string(),
                "another edge uses it; give each its own folder");
  }
  FOGLINE_TRY(const std::string owner, ReadTextFile(path));
  if (owner.empty()) {
    if (pwrite(lock_->fd(), device.data(), device.size(), 0) !=
            static_cast<ssize_t>(device.size()) ||
        fsync(lock_->fd()) != 0) {
      const auto failed = Unusable(options_.folder, "write the device's name");
      (void)!ftruncate(lock_->fd(), 0);
      return failed;
    }
  } else if (owner != device) {
    return Fail(ErrorCode::kConflict, "--spool " + options_.folder.string(),
                "holds the frames of device '{}'; give '{}' a folder of its own", owner, device);
  }
  return {};
}

std::filesystem::path Spool::PathOf(uint64_t segment) const {
  return options_.folder / fmt::format("{:016x}.spool", segment);
}

/// Reads a segment of an earlier run: where its frames lie, and which are done, here and elsewhere.
/// False when it cannot be read now.
bool Spool::Scan(Segments::iterator segment, std::vector<uint32_t>& frames, Marks& marks) {
  const auto& [id, s] = *segment;
  const File file(options_.disk->Open(PathOf(id), O_RDONLY));
  std::vector<std::byte> bytes(s.size);
  const Status read = file.ok() ? file.ReadAt(*options_.disk, 0, bytes)
                                : Fail(ErrorCode::kUnavailable, "", "{}", ErrnoText());
  if (!read) {
    Rest(segment, read.error().message);
    return false;
  }
  size_t at = 0;
  while (const auto item = NextSpoolItem(bytes, at)) {
    counts_.damaged_bytes += item->offset - at;
    at = item->end;
    if (item->is_frame) {
      frames.push_back(static_cast<uint32_t>(item->offset));
    } else {
      marks[item->mark.segment].push_back(item->mark.offset);
    }
  }
  counts_.damaged_bytes += bytes.size() - at;
  return true;
}

/// The frames of a segment that was just scanned, less those that are done, wait.
void Spool::Count(Segments::iterator segment, const std::vector<uint32_t>& frames) {
  auto& [id, s] = *segment;
  for (const uint32_t offset : frames) {
    if (!std::binary_search(s.done.begin(), s.done.end(), offset)) ++s.waiting;
  }
  counts_.waiting += s.waiting;
  counts_.recovered += s.waiting;
  if (s.waiting == 0) return;
  // The process that wrote it may have died before its sync.
  s.unsynced = std::make_shared<File>(options_.disk->Open(PathOf(id), O_RDONLY));
  if (young_.empty()) young_.push_back({{}, Clock::Real().Steady()});
}

Status Spool::Recover() {
  std::error_code error;
  std::filesystem::directory_iterator entry(options_.folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".spool") continue;
    const std::string name = entry->path().stem().string();
    uint64_t id = 0;
    const char* const stop = name.data() + name.size();
    if (std::from_chars(name.data(), stop, id, 16).ptr != stop || id == 0) continue;
    std::error_code unknown;
    const uint64_t size = std::filesystem::file_size(PathOf(id), unknown);
    if (unknown) continue;  // no file, or gone meanwhile
    segments_[id].size = static_cast<uint32_t>(size);
    counts_.bytes += size;
    next_ = std::max(next_, id + 1);
  }
  if (error) {
    return Fail(ErrorCode::kInvalid, "--spool " + options_.folder.string(), "cannot be read: {}",
                error.message());
  }
  std::map<uint64_t, std::vector<uint32_t>> frames;
  Marks marks;
  for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
    segment->second.unread = !Scan(segment, frames[segment->first], marks);
    unread_ += segment->second.unread ? 1 : 0;
  }
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto next = std::next(segment);
    segment->second.done = std::move(marks[segment->first]);
    std::ranges::sort(segment->second.done);
    Count(segment, frames[segment->first]);
    Retire(segment);
    segment = next;
  }
  if (counts_.damaged_bytes > 0) {
    LogWarning("--spool {}: {} bytes were torn or damaged; what they held is lost",
               options_.folder.string(), counts_.damaged_bytes);
  }
  if (counts_.recovered > 0) {
    LogInfo("--spool {}: {} frames of earlier runs are sent first", options_.folder.string(),
            counts_.recovered);
  }
  return {};
}

Spool::~Spool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (syncer_.joinable()) syncer_.join();
  // With nothing left to send, nothing is left behind; else the last file holds marks.
  active_file_ = nullptr;
  const auto active = segments_.find(std::exchange(active_, 0));
  if (active != segments_.end() && segments_.size() == 1) Retire(active);
}

/// Removes a segment whose frames are all done. The mutex is held, or nobody else knows us yet.
void Spool::Retire(Segments::iterator segment) {
  const auto& [id, s] = *segment;
  if (!s.idle() || id == active_) return;
  if (reading_ == id) {
    reading_ = 0;
    reading_file_ = nullptr;
  }
  std::error_code ignored;  // a file that stays is read again by the next run: repeats, no loss
  std::filesystem::remove(PathOf(id), ignored);
  counts_.bytes -= s.size;
  segments_.erase(segment);
}

/// The next frame begins a new file. Without the descriptor a file that is removed gives its room
/// back at once.
void Spool::Seal() {
  active_ = 0;
  active_file_ = nullptr;
}

Status Spool::Roll() {
  const uint64_t id = next_;
  const auto path = PathOf(id);
  auto file = std::make_shared<File>(options_.disk->Open(path, O_RDWR | O_CREAT | O_EXCL));
  if (!file->ok()) return Fail(ErrorCode::kExhausted, path.string(), "{}", ErrnoText());
  ++next_;
  const uint64_t old = std::exchange(active_, id);
  active_file_ = std::move(file);
  segments_[id];
  new_file_ = true;
  // A disk that is smaller than the limit is what will be full.
  const uint64_t room = counts_.bytes + options_.disk->Free(options_.folder);
  segment_bytes_ = SegmentBytes(std::min(options_.limit_bytes, room));
  if (old != 0) Retire(segments_.find(old));
  return {};
}

/// Gives up the oldest segment of which nothing is under way; where there is none, the one that
/// grows: its frames under way go on from memory. Never one that was not read yet.
bool Spool::DropOldest() {
  auto oldest = std::find_if(segments_.begin(), segments_.end(), [&](const auto& s) {
    return s.first != active_ && s.second.under_way == 0 && !s.second.unread;
  });
  if (oldest == segments_.end()) oldest = segments_.find(active_);
  if (oldest == segments_.end() || oldest->second.size == 0) return false;
  if (oldest->first == active_) Seal();
  Segment& s = oldest->second;
  counts_.dropped += s.waiting + s.aside;
  counts_.waiting -= std::exchange(s.waiting, 0);
  counts_.aside -= std::exchange(s.aside, 0);
  counts_.under_way -= std::exchange(s.under_way, 0);
  Retire(oldest);
  const Nanos now = Clock::Real().Steady();
  if (dropped_said_ == Nanos(0) || now - dropped_said_ > kSayAgain) {
    LogError("--spool {}: full; {} of the oldest frames are dropped so far",
             options_.folder.string(), counts_.dropped);
    dropped_said_ = now;
  }
  return true;
}

/// At the end of the active segment, all or nothing.
Status Spool::Write(std::span<const std::byte> data) {
  Segment& segment = segments_.at(active_);
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = options_.disk->WriteAt(active_file_->fd(), data.subspan(done),
                                             static_cast<off_t>(segment.size + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const auto failed =
          Fail(ErrorCode::kExhausted, PathOf(active_).string(), "cannot write: {}", ErrnoText());
      // What stays of a half is passed over by whoever reads.
      (void)!ftruncate(active_file_->fd(), segment.size);
      return failed;
    }
    done += static_cast<size_t>(n);
  }
  segment.size += static_cast<uint32_t>(data.size());
  counts_.bytes += data.size();
  return {};
}

Status Spool::Append(const SpoolFrame& frame, std::span<const std::byte> bytes, bool under_way,
                     SpoolPlace& place) {
  const std::lock_guard lock(mutex_);
  const uint64_t need = kSpoolFrameBytes + bytes.size();
  if (need > options_.limit_bytes / 4) {
    return Fail(ErrorCode::kUnsupported, "--spool-limit", "a frame of {} bytes is too much for {}",
                bytes.size(), options_.limit_bytes);
  }
  const bool may_drop = options_.when_full == WhenFull::kOldest;
  while (counts_.bytes + marks_.size() + need > options_.limit_bytes) {
    if (may_drop && DropOldest()) continue;
    return Fail(ErrorCode::kExhausted, "--spool " + options_.folder.string(),
                "holds {} bytes, its limit is {}", counts_.bytes, options_.limit_bytes);
  }
  for (;;) {
    Status written;
    if (active_ == 0 || segments_.at(active_).size + marks_.size() + need > segment_bytes_) {
      written = Roll();
    }
    if (written) {
      write_ = marks_;
      WriteSpoolFrame(frame, bytes, write_);
      written = Write(write_);
    }
    if (written) break;
    if (marks_.size() > kMostMarks) marks_.clear();  // they cost repeats, no frame
    if (!may_drop || !DropOldest()) return written;
  }
  marks_.clear();
  Segment& segment = segments_.at(active_);
  place = {active_, static_cast<uint32_t>(segment.size - need)};
  if (under_way) {
    ++segment.under_way;
    ++counts_.under_way;
    segment.next = segment.size;
  } else {
    ++segment.waiting;
    ++counts_.waiting;
  }
  segment.unsynced = active_file_;
  young_.push_back({place, Clock::Real().Steady()});
  return {};
}

/// The next whole item of a segment at or after `offset`; its views last until the next call.
/// kUnavailable when the file cannot be read now, kInvalid when it was read and holds none.
Result<SpoolItem> Spool::ReadAt(Segments::const_iterator segment, uint32_t offset) {
  const uint64_t id = segment->first;
  const Segment& s = segment->second;
  if (reading_ != id) {
    reading_file_ = std::make_unique<File>(options_.disk->Open(PathOf(id), O_RDONLY));
    reading_ = reading_file_->ok() ? id : 0;
    if (reading_ == 0) {
      const auto code = errno == ENOENT ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
      return Fail(code, PathOf(id).string(), "cannot be opened: {}", ErrnoText());
    }
  }
  const auto read = [&](size_t length) -> Status {
    read_.resize(length);
    Status done = reading_file_->ReadAt(*options_.disk, offset, read_);
    if (!done) {
      done.error().where = PathOf(id).string();
      reading_ = 0;  // opened again next time: the file may have been put back
    }
    return done;
  };
  if (offset + kSpoolHeaderBytes > s.size) {
    return Fail(ErrorCode::kInvalid, PathOf(id).string(), "ends too early");
  }
  FOGLINE_CHECK(read(kSpoolHeaderBytes));
  size_t length = ClaimedSpoolItem(read_);
  for (const bool all : {false, true}) {
    if (all || length == 0 || offset + length > s.size) length = s.size - offset;
    FOGLINE_CHECK(read(length));
    if (auto item = NextSpoolItem(read_, 0)) {
      item->offset += offset;
      item->end += offset;
      return *item;
    }
  }
  return Fail(ErrorCode::kInvalid, PathOf(id).string(), "is damaged");
}

/// A segment that cannot be read now is left alone for a while. Said once until it can.
void Spool::Rest(Segments::iterator segment, const std::string& why) {
  Segment& s = segment->second;
  if (s.rest == Nanos(0)) {
    LogError("{}: {}; what it holds stays and is tried again", PathOf(segment->first).string(),
             why);
  }
  s.rest = s.rest == Nanos(0) ? options_.rest : std::min(2 * s.rest, kMostRest);
  s.rests_until = Clock::Real().Steady() + s.rest;
}

/// What waits in a segment that could not be read when the spool was opened. False when it still
/// cannot be.
bool Spool::ReadLate(Segments::iterator segment) {
  std::vector<uint32_t> frames;
  Marks marks;
  if (!Scan(segment, frames, marks)) return false;
  Segment& s = segment->second;
  s.unread = false;
  --unread_;
  s.rest = Nanos(0);
  auto& own = marks[segment->first];
  s.done.insert(s.done.end(), own.begin(), own.end());
  std::ranges::sort(s.done);
  Count(segment, frames);
  return true;
}

/// The next frame that waits in one segment, whose file is removed when none does any more.
bool Spool::TakeFrom(Segments::iterator segment, SpoolFrame& out) {
  if (segment->second.unread && !ReadLate(segment)) return false;
  Segment& s = segment->second;
  while (s.waiting > 0) {
    const auto item = ReadAt(segment, s.next);
    if (!item && item.error().code == ErrorCode::kUnavailable) {
      Rest(segment, item.error().message);
      return false;
    }
    s.rest = Nanos(0);
    if (!item) {
      // It was whole when it was written: the disk has lost it since.
      LogError("{}: {} frames are lost", item.error().ToString(), s.waiting);
      counts_.dropped += s.waiting;
      counts_.waiting -= std::exchange(s.waiting, 0);
      if (segment->first == active_) Seal();
      break;
    }
    s.next = static_cast<uint32_t>(item->end);
    const auto offset = static_cast<uint32_t>(item->offset);
    if (!item->is_frame || std::binary_search(s.done.begin(), s.done.end(), offset)) continue;
    Fill(*item, segment->first, out);
    --s.waiting;
    --counts_.waiting;
    ++s.under_way;
    ++counts_.under_way;
    return true;
  }
  Retire(segment);
  return false;
}

void Spool::Fill(const SpoolItem& item, uint64_t segment, SpoolFrame& out) {
  std::vector<std::byte> keep = std::move(out.bytes);
  out = item.frame;
  out.bytes = std::move(keep);
  out.bytes.assign(item.bytes.begin(), item.bytes.end());
  out.place = {segment, static_cast<uint32_t>(item.offset)};
}

bool Spool::Take(SpoolFrame& out) {
  const std::lock_guard lock(mutex_);
  if (counts_.waiting == 0 && unread_ == 0) return false;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto next = std::next(segment);
    const Segment& s = segment->second;
    const bool rests = s.rest > Nanos(0) && Clock::Real().Steady() < s.rests_until;
    if ((s.waiting > 0 || s.unread) && !rests && TakeFrom(segment, out)) return true;
    segment = next;
  }
  return false;
}

bool Spool::SetAside(SpoolPlace place) {
  const std::lock_guard lock(mutex_);
  const auto segment = segments_.find(place.segment);
  if (segment == segments_.end() || segment->second.under_way == 0) return false;
  --segment->second.under_way;
  --counts_.under_way;
  ++segment->second.aside;
  ++counts_.aside;
  return true;
}

Status Spool::TakeBack(SpoolPlace place, SpoolFrame& out) {
  const std::lock_guard lock(mutex_);
  const auto segment = segments_.find(place.segment);
  if (segment == segments_.end() || segment->second.aside == 0) {
    return Fail(ErrorCode::kNotFound, PathOf(place.segment).string(), "is gone");
  }
  auto item = ReadAt(segment, place.offset);
  if (item && (!item->is_frame || item->offset != place.offset)) {
    item = Fail(ErrorCode::kInvalid, PathOf(place.segment).string(), "is damaged");
  }
  if (!item && item.error().code == ErrorCode::kUnavailable) return Forward(std::move(item));
  --segment->second.aside;
  --counts_.aside;
  if (!item) {
    LogError("{}: a frame is lost", item.error().ToString());
    ++counts_.dropped;
    Retire(segment);
    return Fail(ErrorCode::kNotFound, PathOf(place.segment).string(), "is gone");
  }
  Fill(*item, place.segment, out);
  ++segment->second.under_way;
  ++counts_.under_way;
  return {};
}

bool Spool::Holds(SpoolPlace place) const {
  const std::lock_guard lock(mutex_);
  return segments_.contains(place.segment);
}

void Spool::Done(SpoolPlace place) {
  const std::lock_guard lock(mutex_);
  const auto segment = segments_.find(place.segment);
  if (segment == segments_.end() || segment->second.under_way == 0) return;
  --segment->second.under_way;
  --counts_.under_way;
  const auto young =
      std::find_if(young_.begin(), young_.end(), [&](const Young& y) { return y.place == place; });
  if (young != young_.end()) young_.erase(young);
  const size_t before = segments_.size();
  Retire(segment);
  if (segments_.size() < before) return;  // the whole file is gone: no mark is needed
  if (marks_.size() < kMostMarks) WriteSpoolMark(place, marks_);
}

/// Marks that no new frame has taken along. The mutex is held.
void Spool::FlushMarks() {
  if (marks_.empty() || (active_ == 0 && !Roll())) return;
  if (Write(marks_)) marks_.clear();
}

void Spool::SyncLoop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, options_.sync_after, [this] { return stopping_; });
    FlushMarks();
    const Nanos now = Clock::Real().Steady();
    const bool due = !young_.empty() && now >= young_.front().since + options_.sync_after;
    if (due || stopping_) Sync(lock);
    if (stopping_) return;
  }
}

/// Makes the disk keep every frame that is not done. The mutex is not held meanwhile.
void Spool::Sync(std::unique_lock<std::mutex>& lock) {
  young_.clear();
  std::vector<std::shared_ptr<File>> files;
  for (auto& [id, segment] : segments_) {
    if (segment.unsynced && !segment.idle()) {
      files.push_back(std::move(segment.unsynced));
    }
    segment.unsynced = nullptr;
  }
  if (files.empty()) return;
  ++counts_.syncs;
  const bool folder = std::exchange(new_file_, false);
  lock.unlock();
  bool failed = false;
  for (const auto& file : files) failed |= fdatasync(file->fd()) != 0;
  if (folder) failed |= fsync(folder_->fd()) != 0;
  const std::string why = failed ? ErrnoText() : std::string();
  lock.lock();
  if (failed && !said_sync_) {
    said_sync_ = true;
    LogError("--spool {}: the disk does not keep frames ({}): a power loss would cost them",
             options_.folder.string(), why);
  }
}

SpoolCounts Spool::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace fogline
