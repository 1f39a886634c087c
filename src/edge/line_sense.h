// What an edge makes out of the line and the cloud's load from what its own frames met.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>

#include "edge/line_fit.h"

namespace fogline {

/// Estimates of what a byte costs, of the delay, and of how much longer than alone the cloud takes,
/// each by several memories side by side: which of them to believe is the owner's question. A pure
/// state machine. Times in milliseconds.
class LineSense {
 public:
  /// In frames. The shortest first.
  static constexpr std::array<double, 4> kMemories{3, 12, 50, 400};
  static constexpr size_t kCount = kMemories.size();

  /// What one frame met.
  struct Met {
    double bytes = 0;
    double network_ms = 0;  // there and back, without the cloud's own time
    std::optional<double>
        stretch;          // the cloud's time over what an idle one takes, where it is told
    double cloud_ms = 0;  // of that idle one: what `stretch` weighs
  };
  /// What that says by itself, without the other frames.
  struct Lesson {
    double network_ms = 0;  // cut where it is beyond belief
    double ms_per_byte = 0;
    /// From 0 to 1: how far the frame's bytes stood out of what its time varies by anyway. A result
    /// of 60 bytes says nothing about rates.
    double weight = 0;
    std::optional<double> stretch;
  };
  Lesson Hear(const Met& met);

  /// Whether any frame has been heard of.
  bool known() const { return heard_ > 0; }
  /// For some frames after times were twice in a row unlike what was expected.
  bool alarmed() const { return alarm_ > 0; }

  const LineFit& fit(size_t memory) const { return fits_[memory]; }
  double stretch(size_t memory) const { return loads_[memory].stretch; }
  /// Frames that speak of the cloud's load, as far as they are remembered.
  double stretch_frames(size_t memory) const { return loads_[memory].frames; }

  /// The least time of late; what a frame's time varies by, whatever its size.
  double least_ms() const { return least_; }
  double jitter_ms() const;

 private:
  /// Of the cloud's time, by one memory.
  struct Load {
    double sum = 0, weight = 0, frames = 0;
    double stretch = 1;
  };

  double Cut(const Met& met, double beyond) const;
  void LookForChange(double bytes, double ms);
  void LearnJitter(double bytes, double ms, double weight);
  double Weight(double bytes, double ms_per_byte) const;
  double Quantum() const { return 1 + 0.05 * least_; }

  std::array<LineFit, kCount> fits_{LineFit(kMemories[0]), LineFit(kMemories[1]),
                                    LineFit(kMemories[2]), LineFit(kMemories[3])};
  std::array<Load, kCount> loads_;
  std::deque<double> late_;  // times, for least_
  double least_ = 0;
  double heard_ = 0;
  double variance_ = 4;  // of a time about the line, by weight
  double jitter_ = 0;    // variance of what does not grow with bytes
  int odd_ = 0;          // times in a row beyond (> 0) or below what was expected
  int alarm_ = 0;
  double since_change_ = 1e9;  // frames
};

}  // namespace fogline
