// How long what a frame says of each thing that it carries is: here for plans, which price frames
// that nobody has made yet; written by frame/ as docs/wire_format.md has it.
#pragma once

#include <cstddef>

namespace fogline {

/// Bytes before the data of a payload with so many dimensions: role, codec, parameter, type, rank
/// and length, the dimensions, and the tensor's name where it has one: what crosses at a cut has
/// (the picture, too), a result has not.
constexpr size_t PayloadHeaderBytes(size_t rank, bool named) {
  return 5 + 4 + 4 * rank + (named ? 4 : 0);
}

}  // namespace fogline
