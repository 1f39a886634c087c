#include "edge/spool.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/log.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kLeastSegment = 64 << 10, kMostSegment = 16 << 20;
constexpr size_t kMostMarks = 64 << 10;  // bytes of marks kept for a disk that takes nothing
constexpr Nanos kSayAgain = 10s;

/// A segment is a 64th of what the spool may take: so much is dropped at once when it is full.
uint32_t SegmentBytes(uint64_t most) {
  return static_cast<uint32_t>(std::clamp(most / 64, kLeastSegment, kMostSegment));
}

}  // namespace

Spool::Spool(const SpoolOptions& options)
    : options_(options), segment_bytes_(SegmentBytes(options.limit_bytes)) {}

Result<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options, const std::string& device) {
  if (options.limit_bytes < SpoolOptions::kLeastBytes) {
    return Fail(ErrorCode::kUsage, "--spool-limit", "is less than {} bytes",
                SpoolOptions::kLeastBytes);
  }
  auto spool = std::unique_ptr<Spool>(new Spool(options));
  FOGLINE_TRY(spool->folder_, SpoolFolder::Open(options.folder, device, *options.disk));
  FOGLINE_CHECK(spool->Recover());
  spool->syncer_ =
      std::jthread([s = spool.get()](const std::stop_token& stop) { s->SyncLoop(stop); });
  return spool;
}

Spool::~Spool() {
  syncer_ = {};  // once it has synced the last frames
  // With nothing left to send, nothing is left behind; else the last file holds marks.
  active_file_ = nullptr;
  const auto active = segments_.find(std::exchange(active_, 0));
  if (active != segments_.end() && segments_.size() == 1) Retire(active);
}

/// Removes a segment whose frames are all done. The mutex is held, or the spool is not open yet.
void Spool::Retire(Segments::iterator segment) {
  const auto& [id, s] = *segment;
  if (!s.idle() || id == active_) return;
  folder_->Remove(id);
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
  FOGLINE_TRY(auto file, folder_->Create(id));
  ++next_;
  const uint64_t old = std::exchange(active_, id);
  active_file_ = std::move(file);
  segments_[id];
  new_file_ = true;
  // A disk that is smaller than the limit is what will be full.
  const uint64_t room = counts_.bytes + folder_->Free();
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
  Status written = active_file_->WriteAt(*options_.disk, segment.size, data);
  if (!written) {
    written.error().where = folder_->PathOf(active_).string();
    return written;
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

/// The next frame that waits in one segment, whose file is removed when none does any more.
bool Spool::TakeFrom(Segments::iterator segment, SpoolFrame& out) {
  if (segment->second.unread && !ReadLate(segment)) return false;
  Segment& s = segment->second;
  while (s.waiting > 0) {
    const auto item = folder_->ReadItem(segment->first, s.size, s.next);
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
    return Fail(ErrorCode::kNotFound, folder_->PathOf(place.segment).string(), "is gone");
  }
  auto item = folder_->ReadItem(place.segment, segment->second.size, place.offset);
  if (item && (!item->is_frame || item->offset != place.offset)) {
    item = Fail(ErrorCode::kInvalid, folder_->PathOf(place.segment).string(), "is damaged");
  }
  if (!item && item.error().code == ErrorCode::kUnavailable) return Forward(std::move(item));
  --segment->second.aside;
  --counts_.aside;
  if (!item) {
    LogError("{}: a frame is lost", item.error().ToString());
    ++counts_.dropped;
    Retire(segment);
    return Fail(ErrorCode::kNotFound, folder_->PathOf(place.segment).string(), "is gone");
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

void Spool::SyncLoop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    stops_.wait_for(lock, stop, options_.sync_after, [] { return false; });
    FlushMarks();
    const Nanos now = Clock::Real().Steady();
    const bool due = !young_.empty() && now >= young_.front().since + options_.sync_after;
    if (due || stop.stop_requested()) Sync(lock);
    if (stop.stop_requested()) return;
  }
}

/// Makes the disk keep every frame that is not done. The mutex is not held meanwhile.
void Spool::Sync(std::unique_lock<std::mutex>& lock) {
  young_.clear();
  std::vector<std::shared_ptr<SpoolFile>> files;
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
  if (folder) failed |= !folder_->Sync();
  const std::string why = failed ? std::generic_category().message(errno) : std::string();
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
