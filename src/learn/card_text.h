// A model's card as the TOML text that vision/card.h reads.
#pragma once

#include <string>
#include <vector>

#include "vision/card.h"

namespace fogline {

/// Every key that ModelCard holds, `notes` as comment lines at the top.
std::string CardText(const ModelCard& card, const std::vector<std::string>& notes);

}  // namespace fogline
