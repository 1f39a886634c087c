// Times both halves of every cut on this machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "profile/measured.h"

namespace fogline {

struct MeasureOptions {
  int threads = 1;
  double budget_s = 60;  // for all timed runs together; loading comes on top
  int min_runs = 5;      // of each half, whatever the budget
  int max_runs = 200;
  int cool_down_ms = 0;  // rest before each half, so that a small board does not throttle
  std::string machine;   // name to store; a library name brings power and price along
  /// Told after each cut: how many are done.
  std::function<void(size_t done, const Cut& cut)> progress;
  /// Asked before each cut: true ends it with kCancelled.
  std::function<bool()> stop;
};

/// Runs every cut's prefix on the same pseudo-random input and its suffix on what the prefix gave.
/// The time is shared out evenly over the halves; a half's first two runs warm up and do not count.
/// Each run of a half is followed by one of the whole model, and the half's times are scaled by
/// what the whole took then against its median over everything: drift cancels.
Result<MeasuredProfile> Measure(const Model& model, const std::vector<Cut>& cuts,
                                const MeasureOptions& options, const Clock& clock = Clock::Real());

}  // namespace fogline
