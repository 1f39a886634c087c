#include "edge/latest.h"

#include <utility>

#include "base/process.h"

namespace fogline {

using namespace std::chrono_literals;

LatestSource::LatestSource(std::unique_ptr<Source> source, Nanos every)
    : source_(std::move(source)), every_(every) {}

LatestSource::~LatestSource() {
  thread_.request_stop();
  source_->Interrupt();  // it may wait for a picture that never comes
}

void LatestSource::Run(const std::stop_token& stop) {
  Capture capture;
  Nanos next = Clock::Real().Steady();
  for (;;) {
    auto result = source_->Next(capture);
    const bool ended = result ? !*result : result.error().code == ErrorCode::kUnavailable;
    std::unique_lock lock(mutex_);
    if (stop.stop_requested()) return;
    if (result_ && *result_ && **result_ && !ended) ++overtaken_;
    // The end does not overtake the last picture.
    if (ended) changed_.wait(lock, stop, [this] { return !result_; });
    result_ = std::move(result);
    std::swap(newest_, capture);
    changed_.notify_all();
    if (ended) return;
    next += every_;
    const Nanos wait = next - Clock::Real().Steady();
    changed_.wait_for(lock, stop, std::max(wait, Nanos(0)), [] { return false; });
    if (stop.stop_requested()) return;
  }
}

Result<bool> LatestSource::Next(Capture& out) {
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
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
