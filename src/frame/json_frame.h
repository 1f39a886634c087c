// The paper's wire: one JSON text a picture, numbers written out. The baseline that Fogline's
// frames are measured against.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "frame/frame.h"
#include "frame/head.h"

namespace fogline {

/// True for bytes that look like a JSON frame rather than a binary one.
bool IsJsonFrame(std::span<const std::byte> bytes);

/// Replaces `out` by {"header":{…},"data":…}, where an activation payload, which must be coded as
/// JSON, stands as it is, and several stand in a list; a result payload is part of the header.
Status WriteJsonFrame(const Frame& frame, std::vector<std::byte>& out);

/// ReadFrameHead of a JSON frame.
std::optional<FrameHead> ReadJsonFrameHead(std::span<const std::byte> bytes);

/// Reads it back, with the same checks as ParseFrame. The activations' bytes view into `bytes`; a
/// result's bytes, which the header holds as text, are put into `scratch`.
Status ParseJsonFrame(std::span<const std::byte> bytes, Frame& frame,
                      std::vector<std::byte>& scratch);

}  // namespace fogline
