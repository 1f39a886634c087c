// Keeps a store within its limits.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "store/quotas.h"
#include "store/store.h"

namespace fogline {

/// Forgets what a store may no longer keep, step by step from a thread of its own: as long as there
/// is too much, Puts have the store for half the time; otherwise it looks once in `every`. Several
/// processes may keep one store. Ends with this object.
class StoreKeeper {
 public:
  /// The store must outlive it.
  StoreKeeper(Store& store, const Retention& keep, Nanos every = std::chrono::seconds(1));
  StoreKeeper(const StoreKeeper&) = delete;
  StoreKeeper& operator=(const StoreKeeper&) = delete;

  /// Rows forgotten, and steps that failed, so far.
  uint64_t rows() const { return rows_; }
  uint64_t failures() const { return failures_; }

 private:
  void Loop(const std::stop_token& stop);
  /// How long to wait before the next one.
  Nanos Step();
  Result<ForgetStep> ForgetOrDelete();

  Store& store_;
  const Retention keep_;
  const Nanos every_;
  std::atomic<uint64_t> rows_{0}, failures_{0};
  bool failing_ = false;
  DeviceQuotas quotas_;
  std::jthread thread_;
};

}  // namespace fogline
