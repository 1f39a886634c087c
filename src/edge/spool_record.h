// What the files of a spool hold, one item after the other: frames, and marks of those that are
// done. docs/reliability.md describes every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "frame/frame.h"

namespace fogline {

/// Where a frame lies in a spool. Segment 0 is nowhere: the frame is in memory alone.
struct SpoolPlace {
  uint64_t segment = 0;
  uint32_t offset = 0;
  bool operator==(const SpoolPlace&) const = default;
};

/// A frame as it was written for the wire, and what its device must still know of it.
struct SpoolFrame {
  uint64_t run = 0, sequence = 0;
  Nanos started{0};   // when work on the picture began; of use only within the run
  EdgeStages stages;  // as they stand in the frame
  std::vector<std::byte> bytes;
  SpoolPlace place;
};

/// Every item begins with its kind, a CRC-32 of all that follows the checksum, and its length.
inline constexpr size_t kSpoolHeaderBytes = 12;
/// What a frame takes beyond its own bytes.
inline constexpr size_t kSpoolFrameBytes = kSpoolHeaderBytes + 44;

/// Appends an item to `out`.
void WriteSpoolFrame(const SpoolFrame& frame, std::span<const std::byte> bytes,
                     std::vector<std::byte>& out);
void WriteSpoolMark(SpoolPlace done, std::vector<std::byte>& out);

/// One item of a segment, viewed.
struct SpoolItem {
  size_t offset = 0, end = 0;
  bool is_frame = false;
  SpoolFrame frame;                  // without its bytes
  std::span<const std::byte> bytes;  // of the frame
  SpoolPlace mark;                   // where the frame that is done lies
};

/// The first whole item at or after `at`; what is torn or fails its checksum is passed over.
/// Nothing at the end.
std::optional<SpoolItem> NextSpoolItem(std::span<const std::byte> segment, size_t at);

/// The length of the item whose first kSpoolHeaderBytes these are, as it claims; 0 when they begin
/// none.
size_t ClaimedSpoolItem(std::span<const std::byte> header);

}  // namespace fogline
