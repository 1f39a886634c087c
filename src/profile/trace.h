// A recorded uplink: how its rate changed over time, and so how long a transfer took when.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stats.h"
#include "base/units.h"

namespace fogline {

/// Rate over time, repeated from the start when it ends.
class Trace {
 public:
  /// Two formats, told apart by themselves:
  ///  * mahimahi: one whole number a line, the millisecond at which a packet of 1,500 bytes could
  ///    leave; equal numbers are several packets;
  ///  * two numbers a line: seconds since the start, and Mbit/s from then on.
  /// kInvalid names the line that goes back in time, is no number, or a trace that never sends.
  static Result<Trace> Parse(std::string_view text, const std::string& where);

  /// Time until `bytes` handed over at `start` have left.
  Milliseconds TransferTime(Bytes bytes, Milliseconds start) const;
  /// The same for starts spread evenly over the whole trace.
  Summary TransferTimes(Bytes bytes, size_t starts = 2000) const;
  MegabitsPerSecond MeanRate() const;
  Milliseconds duration() const { return Milliseconds(time_ms_.back()); }

 private:
  /// Bytes that could have left by that time since the start, loops included.
  double SentBy(double ms) const;

  // Cumulative: sent_[i] bytes have left at time_ms_[i]; straight in between. Both start at 0.
  std::vector<double> time_ms_{0};
  std::vector<double> sent_{0};
};

}  // namespace fogline
