// The files of a spool: one folder, held by one process, with segments numbered as they were made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "edge/spool_disk.h"
#include "edge/spool_record.h"

namespace fogline {

/// An open file, read and written in whole pieces.
class SpoolFile {
 public:
  explicit SpoolFile(int fd) : file_(fd) {}
  int fd() const { return file_.get(); }
  bool ok() const { return static_cast<bool>(file_); }

  /// All or nothing. kUnavailable when it cannot be read now, kInvalid when the file ends before.
  Status ReadAt(SpoolDisk& disk, uint64_t offset, std::span<std::byte> out) const;
  /// At `end`, the file's end, all or nothing: kExhausted, and nothing of it counts.
  Status WriteAt(SpoolDisk& disk, uint64_t end, std::span<const std::byte> data) const;

 private:
  Descriptor file_;
};

/// What a whole segment holds.
struct ScannedSegment {
  std::vector<uint32_t> frames;                     // offsets, ascending
  std::map<uint64_t, std::vector<uint32_t>> marks;  // offsets of frames that are done, by segment
  uint64_t damaged_bytes = 0;                       // torn, or not what they were
};

/// Knows paths, descriptors and bytes; what the frames in them are good for is the spool's affair.
/// Not thread-safe.
class SpoolFolder {
 public:
  /// Makes the folder where it is missing, and holds it until the end. kConflict when another
  /// process has it open, or when it holds the frames of another device.
  static Result<std::unique_ptr<SpoolFolder>> Open(const std::filesystem::path& folder,
                                                   const std::string& device, SpoolDisk& disk);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path PathOf(uint64_t segment) const;
  /// The segments there. What has a segment's name and is none that a spool wrote (a link, a giant)
  /// is left alone, which the log says.
  struct Listing {
    std::map<uint64_t, uint64_t> sizes;  // in bytes, by number
    uint64_t last = 0;                   // the highest number that has a file, or was left alone
  };
  Result<Listing> List() const;

  /// Reads a segment from front to end. kUnavailable when it cannot be read now.
  Result<ScannedSegment> Scan(uint64_t segment, uint64_t size) const;
  /// The first whole item at or after `offset`; its views last until the next call. kUnavailable
  /// when the file cannot be read now, kInvalid when it was read and holds none.
  Result<SpoolItem> ReadItem(uint64_t segment, uint64_t size, uint32_t offset);

  /// A new, empty segment. kExhausted when the disk does not give it.
  Result<std::shared_ptr<SpoolFile>> Create(uint64_t segment) const;
  /// One that is there, to be synced; not ok() where it cannot be opened.
  std::shared_ptr<SpoolFile> Find(uint64_t segment) const;
  /// Without a word where that fails: a file that stays is read again by the next run, which costs
  /// repeats and no frame.
  void Remove(uint64_t segment);
  /// Makes the disk keep which files there are. False and errno where it does not.
  bool Sync() const;
  /// Bytes that the disk still has; 0 where nobody knows.
  uint64_t Free() const { return disk_.Free(path_); }

 private:
  SpoolFolder(std::filesystem::path path, SpoolDisk& disk) : path_(std::move(path)), disk_(disk) {}
  Status Lock(const std::string& device);

  const std::filesystem::path path_;
  SpoolDisk& disk_;
  std::unique_ptr<SpoolFile> lock_, folder_;
  uint64_t reading_ = 0;  // the segment that was read last, 0 for none
  std::unique_ptr<SpoolFile> reading_file_;
  std::vector<std::byte> read_;
};

}  // namespace fogline
