// Which detections somebody asks for by the boxes that were found in them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "vision/findings.h"

namespace fogline {

struct FoundFilter {
  std::vector<std::string> labels = {};  // of boxes, any of; empty: of all
  size_t least = 0;                      // so many such boxes at least; 0: nothing is asked
  float least_score = 0;                 // boxes that are less sure do not count

  bool asks() const { return least > 0; }
  bool Passes(const std::optional<Findings>& findings) const;
};

/// The boxes of findings; none where they are of another kind.
const std::vector<FoundBox>& BoxesOf(const std::optional<Findings>& findings);

}  // namespace fogline
