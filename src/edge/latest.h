// Only ever the newest picture.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "edge/source.h"

namespace fogline {

/// Takes pictures from another source as they come and keeps the last one: what was overtaken
/// before anybody asked is forgotten and counted. One thread asks.
class LatestSource final : public Source {
 public:
  /// `every`: the time between two pictures of a source that has no pace of its own (a folder).
  LatestSource(std::unique_ptr<Source> source, Nanos every);
  ~LatestSource() override;

  /// Waits for a picture that was not given yet.
  Result<bool> Next(Capture& out) override;
  std::optional<SourceState> state() const override { return source_->state(); }
  uint64_t overtaken() const { return overtaken_; }
  bool paced() const { return every_ > Nanos(0); }

 private:
  void Run(const std::stop_token& stop);

  std::unique_ptr<Source> source_;
  const Nanos every_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Under the mutex: what came last, if it was not given yet.
  std::optional<Result<bool>> result_;
  Capture newest_;
  std::atomic<uint64_t> overtaken_{0};
  std::jthread thread_;
};

}  // namespace fogline
