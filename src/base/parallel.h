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

/// Calls `work(i)` once for every i below `count`, on up to `threads` threads (0: one a core), in
/// no particular order; `done(i)`, where given, is called on the calling thread after each. What
/// `work` writes must belong to its i alone: then the result does not depend on the threads.
void ParallelFor(size_t count, int threads, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& done = {});

}  // namespace fogline
