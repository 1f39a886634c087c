#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
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
  {
    std::vector<std::jthread> helpers;
    const int wanted = static_cast<int>(std::min<size_t>(static_cast<size_t>(threads), count));
    for (int worker = 1; worker < wanted; ++worker) helpers.emplace_back(run, worker);
    run(0);
  }
  return result;
}

void ParallelFor(size_t count, int threads, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& done) {
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const size_t workers = std::min(count, threads > 0 ? static_cast<size_t>(threads) : cores);
  std::mutex mutex;
  std::condition_variable finished;
  std::vector<size_t> ready;
  size_t next = 0;
  {
    std::vector<std::jthread> pool;
    for (size_t w = 0; w < workers; ++w) {
      pool.emplace_back([&] {
        std::unique_lock lock(mutex);
        while (next < count) {
          const size_t i = next++;
          lock.unlock();
          work(i);
          lock.lock();
          ready.push_back(i);
          finished.notify_one();
        }
      });
    }
    for (size_t told = 0; told < count;) {
      std::vector<size_t> now;
      {
        std::unique_lock lock(mutex);
        finished.wait(lock, [&] { return !ready.empty(); });
        now.swap(ready);
      }
      for (const size_t i : now) {
        if (done) done(i);
      }
      told += now.size();
    }
  }
}

}  // namespace fogline
