#include "edge/dead_letters.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>
#include <system_error>

#include "base/descriptor.h"
#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "frame/head.h"

namespace fogline {
namespace {

constexpr const char *kFrame = ".frame", *kReason = ".json";

/// A new file that the disk keeps, or none.
Status WriteNew(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const auto failed = [&](const char* doing) {
    return Fail(ErrorCode::kExhausted, path.string(), "cannot {}: {}", doing,
                std::generic_category().message(errno));
  };
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return failed("create");
  Status written;
  while (written && !bytes.empty()) {
    const ssize_t n = write(file.get(), bytes.data(), bytes.size());
    if (n > 0) bytes = bytes.subspan(static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) written = failed("write");
  }
  if (written && fdatasync(file.get()) != 0) written = failed("sync");
  if (!written) unlink(path.c_str());
  return written;
}

std::string ReasonText(const DeadLetter& letter, std::span<const std::byte> frame) {
  Json reason{{"device", letter.device},
              {"run", fmt::format("{:016x}", letter.run)},
              {"sequence", letter.sequence},
              {"bytes", frame.size()},
              {"refused_by", letter.refused_by},
              {"reason", letter.reason},
              {"at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))}};
  if (const auto head = ReadFrameHead(frame)) {
    // As the file's SHA-256 begins, in the order in which it is written.
    const auto hex = [](uint64_t id) { return fmt::format("{:016x}", __builtin_bswap64(id)); };
    reason["model"] = hex(head->model);
    reason["cut"] = fmt::format("{:016x}", head->cut);
    if (head->bundle != 0) reason["bundle"] = hex(head->bundle);
  }
  return Dump(reason, 2) + "\n";
}

}  // namespace

std::filesystem::path DeadLetters::PathOf(uint64_t id, const char* extension) const {
  return folder_ / (fmt::format("{:016x}", id) + extension);
}

Result<std::unique_ptr<DeadLetters>> DeadLetters::Open(const std::filesystem::path& folder,
                                                       uint64_t limit_bytes) {
  auto letters = std::unique_ptr<DeadLetters>(new DeadLetters(folder, limit_bytes));
  FOGLINE_CHECK(letters->Recover());
  return letters;
}

Status DeadLetters::Recover() {
  std::error_code error;
  if (!std::filesystem::exists(folder_, error) && !error) return {};
  FOGLINE_TRY(const auto entries, EntriesOf(folder_));
  for (const std::filesystem::path& entry : entries) {
    const auto extension = entry.extension();
    if (extension != kFrame && extension != kReason) continue;
    const std::string name = entry.stem().string();
    uint64_t id = 0;
    const char* const stop = name.data() + name.size();
    if (std::from_chars(name.data(), stop, id, 16).ptr != stop || id == 0) continue;
    std::error_code unknown;
    const uint64_t size = std::filesystem::file_size(entry, unknown);
    if (unknown) continue;
    if (extension == kFrame) ++counts_.letters;
    sizes_[id] += size;
    counts_.bytes += size;
    next_ = std::max(next_, id + 1);
  }
  while (counts_.bytes > limit_bytes_ && !sizes_.empty()) DropOldest();
  return {};
}

Status DeadLetters::Bury(const DeadLetter& letter, std::span<const std::byte> frame) {
  const std::string reason = ReasonText(letter, frame);
  const uint64_t size = frame.size() + reason.size();
  while (counts_.bytes + size > limit_bytes_ && !sizes_.empty()) DropOldest();
  if (size > limit_bytes_) {
    ++counts_.dropped;
    LogError("{}: a frame of {} bytes is beyond its limit of {} and is given up", folder_.string(),
             frame.size(), limit_bytes_);
    return {};
  }
  std::error_code error;
  if (std::filesystem::create_directory(folder_, error)) SyncFolder(folder_.parent_path());
  if (error) {
    return Fail(ErrorCode::kExhausted, folder_.string(), "cannot be made: {}", error.message());
  }
  const uint64_t id = next_++;
  FOGLINE_CHECK(WriteNew(PathOf(id, kFrame), frame));
  const auto text = std::as_bytes(std::span(reason));
  if (Status written = WriteNew(PathOf(id, kReason), text); !written) {
    std::filesystem::remove(PathOf(id, kFrame), error);
    return written;
  }
  SyncFolder(folder_);
  sizes_[id] = size;
  counts_.bytes += size;
  ++counts_.letters;
  ++counts_.buried;
  return {};
}

void DeadLetters::DropOldest() {
  const auto [id, size] = *sizes_.begin();
  std::error_code error;
  if (std::filesystem::remove(PathOf(id, kFrame), error)) {
    --counts_.letters;
    if (counts_.dropped++ == 0) {
      LogError("{}: full; the oldest refused frames are given up", folder_.string());
    }
  }
  std::filesystem::remove(PathOf(id, kReason), error);
  counts_.bytes -= size;
  sizes_.erase(sizes_.begin());
}

}  // namespace fogline
