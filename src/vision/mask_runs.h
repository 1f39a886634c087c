// A small mask's cells as runs of equal ones: on the wire, in stores and in JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fogline {

/// Calls `each(cell, length)` for one run after the other, none longer than `longest`.
template <typename Each>
void ForRuns(std::span<const uint8_t> cells, size_t longest, Each each) {
  for (size_t i = 0; i < cells.size();) {
    size_t end = i + 1;
    while (end < cells.size() && end - i < longest && cells[end] == cells[i]) ++end;
    each(cells[i], end - i);
    i = end;
  }
}

}  // namespace fogline
