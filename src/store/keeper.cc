#include "store/keeper.h"

#include <algorithm>

#include "base/log.h"

namespace fogline {
namespace {

constexpr Nanos kLeastPause = std::chrono::milliseconds(2);

}  // namespace

StoreKeeper::StoreKeeper(Store& store, const Retention& keep, Nanos every)
    : store_(store), keep_(keep), every_(every), thread_([this] { Loop(); }) {}

StoreKeeper::~StoreKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void StoreKeeper::Loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const Nanos pause = Step();
    lock.lock();
    wake_.wait_for(lock, pause, [this] { return stopping_; });
  }
}

Nanos StoreKeeper::Step() {
  const Nanos start = Clock::Real().Steady();
  const auto step = store_.Forget(keep_);
  if (!step) {
    ++failures_;
    if (!failing_) LogWarning("cannot forget: {}", step.error().ToString());  // once a spell
  } else {
    rows_ += step->rows;
  }
  failing_ = !step;
  if (!step || !step->more) return every_;
  return std::max(kLeastPause, Clock::Real().Steady() - start);
}

}  // namespace fogline
