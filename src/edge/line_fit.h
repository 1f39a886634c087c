// A delay and a rate, from frames of different sizes and the times that they took.
#pragma once

namespace fogline {

/// A straight line through network times over bytes: a delay that every frame meets, and so much
/// for each byte. Weighted least squares, in which older frames fade. Times in milliseconds.
class LineFit {
 public:
  /// What is so many frames old counts 1/e of what is new.
  explicit LineFit(double memory) : keep_(1 - 1 / memory) {}

  void Add(double bytes, double ms, double weight);
  /// All that was seen counts for so much less: the line has changed.
  void Fade(double keep);

  /// What is believed of the delay by itself, since frames of one size do not tell it from what
  /// their bytes cost.
  struct Belief {
    double delay_ms = 0;
    double variance = 0;
  };
  /// The line, given that belief, the variance of one frame's time at weight 1, and a delay that no
  /// line is below.
  void Fit(const Belief& belief, double variance, double least_delay);

  double delay_ms() const { return delay_; }
  double ms_per_byte() const { return slope_; }
  /// Of the estimates.
  double delay_variance() const { return delay_variance_; }
  double slope_variance() const { return slope_variance_; }
  double At(double bytes) const { return delay_ + slope_ * bytes; }
  /// Mean time of what was added, each frame by its weight; 0 for none.
  double mean_ms() const { return w_ > 0 ? wt_ / w_ : 0; }

 private:
  static constexpr double kUnknown = 1e9;  // a variance

  double keep_;
  double w_ = 0, wb_ = 0, wbb_ = 0, wt_ = 0, wbt_ = 0;  // sums over w, w·bytes, …, w·bytes·ms
  double delay_ = 0, slope_ = 0;
  double delay_variance_ = kUnknown, slope_variance_ = kUnknown;
};

}  // namespace fogline
