// What a card says of a mask and of numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fogline {

/// How a network writes into its output which class each pixel is.
struct MaskRules {
  bool guessed = false;               // that it is a mask: from the shapes, not said by the card
  std::optional<bool> channels_last;  // none: as the shape and the picture have it
  std::optional<bool> logits;         // of one channel; none: by the graph
  double least_score = 0.5;           // from which on a pixel of one channel is of class 1

  bool operator==(const MaskRules&) const = default;
};

/// Units of the numbers that an output holds: none, one for all, or one each.
using NumberUnits = std::vector<std::string>;

}  // namespace fogline
