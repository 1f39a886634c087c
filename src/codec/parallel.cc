#include "codec/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/process.h"

namespace fogline {

Status ParallelFor(size_t count, int threads,
                   const std::function<Status(size_t index, int worker)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  Status result;
  const auto run = [&](int worker) {
    while (!stop) {
      const size_t i = next++;
      if (i >= count) return;
      Status status =
          StopRequested() ? Fail(ErrorCode::kCancelled, "", "stopped on request") : work(i, worker);
      if (!status) {
        const std::lock_guard lock(mutex);
        if (!stop.exchange(true)) result = std::move(status);
      }
    }
  };
  std::vector<std::thread> helpers;
  const int wanted = static_cast<int>(std::min<size_t>(static_cast<size_t>(threads), count));
  for (int worker = 1; worker < wanted; ++worker) helpers.emplace_back(run, worker);
  run(0);
  for (std::thread& helper : helpers) helper.join();
  return result;
}

}  // namespace fogline
