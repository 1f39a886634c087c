// Loops over threads.
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace fogline {

/// Calls `work(i, worker)` for every i below `count` on up to `threads` threads; `worker` below
/// `threads` tells them apart, so that each may own what is not shared. Stops at the first failure,
/// which it returns, and when the user asked to stop (kCancelled).
Status ParallelFor(size_t count, int threads,
                   const std::function<Status(size_t index, int worker)>& work);

}  // namespace fogline
