#include "store/keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace fogline {
namespace {

constexpr Nanos kLeastPause = std::chrono::milliseconds(2);

}  // namespace

StoreKeeper::StoreKeeper(Store& store, const Retention& keep, Nanos every)
    : store_(store),
      keep_(keep),
      every_(every),
      thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

void StoreKeeper::Loop(const std::stop_token& stop) {
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable_any time;
  while (!stop.stop_requested()) time.wait_for(lock, stop, Step(), [] { return false; });
}

/// A step of either: of the whole store, and of single devices.
Result<ForgetStep> StoreKeeper::ForgetOrDelete() {
  FOGLINE_TRY(ForgetStep step, store_.Forget(keep_));
  FOGLINE_TRY(const ForgetStep own, quotas_.Step(store_, keep_));
  step.rows += own.rows;
  step.more = step.more || own.more;
  return step;
}

Nanos StoreKeeper::Step() {
  const Nanos start = Clock::Real().Steady();
  const auto step = ForgetOrDelete();
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
