// What a HEIC or AVIF says of its sizes before anything of it is decoded.
#pragma once

#include <cstddef>
#include <span>

#include "vision/coded_size.h"

namespace fogline {

/// The largest size that a coded picture in the file claims in its own header (HEVC's sequence
/// parameter sets, AV1's sequence headers), wherever the container has configurations and coded
/// data; 0 × 0 where there is none that can be made sense of. Decoders reserve what that header
/// says; the container's claim, which libheif holds against its limit, need not be the same. Any
/// bytes may come.
CodedSize LargestHeifClaim(std::span<const std::byte> file);

}  // namespace fogline
