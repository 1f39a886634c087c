// Shrinking a picture row by row while it is decoded, so that it never lies in memory whole.
#pragma once

#include <cstdint>
#include <vector>

#include "vision/image.h"

namespace fogline {

/// By what whole number a width × height picture is shrunk so that its short side stays at or above
/// `at_least`; 1 where nobody said how small it may be (0).
int WholeStep(int width, int height, int at_least);

/// The step of a picture that is decoded as it is up to kMaxPixels and never whole beyond.
int StepOf(int width, int height, int at_least);

/// Takes the rows of a width × height RGB picture from the top, and leaves in `out` the means of
/// squares of step × step pixels; those at the right and lower edge may be smaller.
class Shrinker {
 public:
  Shrinker(int width, int height, int step, Image& out);
  void Row(const uint8_t* rgb);

 private:
  void Flush(int rows);

  const size_t width_, step_;
  const int height_;
  int row_ = 0;
  Image& out_;
  std::vector<uint32_t> sums_;  // of the pixels of one row of squares, by channel
};

}  // namespace fogline
