// The steps from a float network to one in integers: what each does, and how it is left out.
#pragma once

namespace fogline::quantize {

/// How a tensor's range is chosen; see ChooseRange.
enum class RangeRule { kAll, kPercentile, kSquares, kEntropy };

struct RoundingOptions {
  /// Two weights that meet in one 16-bit sum of x86's older multiply-add (vpmaddubsw) may together
  /// reach 128 at most: 255 · 128 is the most that such a sum holds. Without, only weights by
  /// themselves are bounded, as every other kernel has it.
  bool pairs = true;
  /// Each weight's error is made up for by those that come after it (Frantar et al., "GPTQ", 2023);
  /// else each is rounded by itself.
  bool learned = true;
  /// The mean error of a channel goes into its bias (Nagel et al., "Data-free quantization", 2019).
  bool shift = true;
  /// Scales of least square error, weighted by how much each input varies; else the largest weight.
  bool scales = true;
};

/// What each step does, so that each can be left out and measured.
struct Steps {
  RangeRule ranges = RangeRule::kSquares;
  RoundingOptions rounding;
};

}  // namespace fogline::quantize
