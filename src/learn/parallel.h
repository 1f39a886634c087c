// Independent pieces of work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace fogline {

/// Calls `work(i)` once for every i below `count`, on up to `threads` threads (0: one a core), in
/// no particular order; `done(i)`, where given, is called on the calling thread after each. What
/// `work` writes must belong to its i alone: then the result does not depend on the threads.
void ParallelFor(size_t count, int threads, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& done = {});

}  // namespace fogline
