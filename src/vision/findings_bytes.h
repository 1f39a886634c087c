// Findings as bytes, the same on the wire and in stores. docs/wire_format.md describes every byte.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "vision/findings.h"

namespace fogline {

/// What any findings that CheckFindings lets pass take at most.
inline constexpr size_t kMaxFindingsBytes = 128 << 10;

/// Appends to `out`. The findings must pass CheckFindings. Boxes keep 16 bits of each coordinate.
void WriteFindings(const Findings& findings, std::vector<std::byte>& out);

/// Reads all of `bytes`, which may be anybody's: what comes out passes CheckFindings. kUnsupported
/// for a kind that this build does not know.
Result<Findings> ParseFindings(std::span<const std::byte> bytes);

}  // namespace fogline
