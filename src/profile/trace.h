// A recorded uplink: how its rate changed over time, and so how long a transfer took when.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/stats.h"
#include "base/units.h"
#include "profile/csv_trace.h"

namespace fogline {

/// Rate over time, repeated from the start when it ends.
class Trace {
 public:
  /// Three formats, told apart by themselves:
  ///  * mahimahi: one whole number a line, the millisecond at which a packet of 1,500 bytes could
  ///    leave; equal numbers are several packets;
  ///  * two numbers a line: seconds since the start, and Mbit/s from then on;
  ///  * columns under a header row (csv_trace.h).
  /// kInvalid names the line that goes back in time, is no number, the columns that do not say what
  /// they are, or a trace that never sends.
  static Result<Trace> Parse(std::string_view text, const std::string& where,
                             const TraceColumns& columns = {});

  /// Time until `bytes` handed over at `start` have left.
  Milliseconds TransferTime(Bytes bytes, Milliseconds start) const;
  /// The same for starts spread evenly over the whole trace. p95 is what 95 of 100 of them keep to.
  Summary TransferTimes(Bytes bytes) const;
  /// The other way round: the most bytes of which 95 of 100 transfers end within `limit`.
  Bytes MostWithin(Milliseconds limit) const;
  MegabitsPerSecond MeanRate() const;
  /// Which columns were taken for what; empty where there was no choice.
  const std::string& taken() const { return taken_; }
  Milliseconds duration() const { return Milliseconds(time_ms_.back()); }

 private:
  void AddPackets(const std::vector<std::pair<double, double>>& packets);
  void AddRates(const std::vector<std::pair<double, double>>& rates);
  /// Bytes that could have left by that time since the start, loops included.
  double SentBy(double ms) const;
  Milliseconds StartOf(size_t i) const;

  // Cumulative: sent_[i] bytes have left at time_ms_[i]; straight in between. Both start at 0.
  std::vector<double> time_ms_{0};
  std::vector<double> sent_{0};
  std::string taken_;
};

}  // namespace fogline
