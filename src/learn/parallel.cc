#include "learn/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace fogline {

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
