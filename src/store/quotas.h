// What one device may hold of a store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace fogline {

/// Deletes the oldest rows of devices that hold more than theirs, step by step: a device that
/// floods a store pushes out its own rows and nobody else's. No index knows the rows of one device
/// in their order: the store is read through from the oldest on, once for all such devices, and
/// from where that came to later. Not thread-safe.
class DeviceQuotas {
 public:
  /// Rows that a step looks at, at most.
  static constexpr size_t kRowsLooked = 2048;

  /// Looks, and deletes a few hundred rows at most. `more`: some device still holds too much.
  Result<ForgetStep> Step(Store& store, const Retention& keep);

 private:
  struct Excess {
    uint64_t rows = 0, bytes = 0;  // too many
  };
  using Devices = std::map<std::string, Excess>;
  static Result<Devices> Beyond(Store& store, const Retention& keep);

  std::map<std::string, uint64_t> passed_;  // of devices served: no row of theirs is up to there
};

}  // namespace fogline
