#include "edge/line_fit.h"

#include <algorithm>

namespace fogline {

void LineFit::Add(double bytes, double ms, double weight) {
  Fade(keep_);
  w_ += weight;
  wb_ += weight * bytes;
  wbb_ += weight * bytes * bytes;
  wt_ += weight * ms;
  wbt_ += weight * ms * bytes;
}

void LineFit::Fade(double keep) {
  for (double* sum : {&w_, &wb_, &wbb_, &wt_, &wbt_}) *sum *= keep;
}

void LineFit::Fit(const Belief& belief, double variance, double least_delay) {
  // The belief is one more frame, of no bytes.
  const double weight = variance / std::max(belief.variance, 1e-9);
  const double w = w_ + weight, wt = wt_ + weight * belief.delay_ms;
  const double determinant = w * wbb_ - wb_ * wb_;
  if (!(determinant > 1e-12 * w * wbb_)) {
    delay_ = belief.delay_ms;
    delay_variance_ = slope_variance_ = kUnknown;
    return;
  }
  slope_ = (w * wbt_ - wb_ * wt) / determinant;
  delay_ = (wt - slope_ * wb_) / w;
  if (slope_ < 0) {
    slope_ = 0;
    delay_ = wt / w;
  } else if (delay_ < least_delay) {
    delay_ = least_delay;
    slope_ = std::max(0.0, (wbt_ - delay_ * wb_) / wbb_);
  }
  slope_variance_ = variance * w / determinant;
  delay_variance_ = variance * wbb_ / determinant;
}

}  // namespace fogline
