// What the first bytes of a frame say, without reading the rest of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fogline {

/// The names in a frame's header.
struct FrameHead {
  uint64_t run = 0, sequence = 0;
  uint64_t model = 0, cut = 0, bundle = 0;
};

/// From the beginning of a frame, binary or JSON; nothing where none begins. Only the beginning is
/// looked at and nothing is checked: good for answering a frame that is not read, and for telling
/// the frames of one network from another's.
std::optional<FrameHead> ReadFrameHead(std::span<const std::byte> bytes);

}  // namespace fogline
