#include "edge/latest.h"

#include <utility>

#include "base/process.h"

namespace fogline {

using namespace std::chrono_literals;

LatestSource::LatestSource(std::unique_ptr<Source> source, Nanos every)
    : source_(std::move(source)), every_(every) {}

LatestSource::~LatestSource() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  source_->Interrupt();  // it may wait for a picture that never comes
  if (thread_.joinable()) thread_.join();
}

void LatestSource::Run() {
  Capture capture;
  Nanos next = Clock::Real().Steady();
  for (;;) {
    auto result = source_->Next(capture);
    const bool ended = result ? !*result : result.error().code == ErrorCode::kUnavailable;
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (result_ && *result_ && **result_ && !ended) ++overtaken_;
    // The end does not overtake the last picture.
    if (ended) changed_.wait(lock, [this] { return stopping_ || !result_; });
    result_ = std::move(result);
    std::swap(newest_, capture);
    changed_.notify_all();
    if (ended) return;
    next += every_;
    const Nanos wait = next - Clock::Real().Steady();
    if (changed_.wait_for(lock, std::max(wait, Nanos(0)), [this] { return stopping_; })) return;
  }
}

Result<bool> LatestSource::Next(Capture& out) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  std::unique_lock lock(mutex_);
  while (!result_) {
    if (StopRequested()) return false;
    changed_.wait_for(lock, 100ms);
  }
  std::swap(out, newest_);
  Result<bool> result = *std::exchange(result_, std::nullopt);
  lock.unlock();
  changed_.notify_all();
  return result;
}

}  // namespace fogline
