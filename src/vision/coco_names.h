// What COCO calls its classes: what a detector that tells as many apart was trained on, nearly
// always.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "vision/box_rules.h"

namespace fogline {

/// The names by a network's class numbers: the 80 in a row, or for "ssd" 90 by COCO's own ids less
/// one, of which ten stand for nothing ("class 11"). Empty for any other number of classes.
std::vector<std::string> CocoNames(BoxLayout layout, size_t classes);

}  // namespace fogline
