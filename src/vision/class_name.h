// Which of a model's classes somebody means who writes its name.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "vision/card.h"

namespace fogline {

/// The class that the card labels so: exactly, or else in any case.
std::optional<int> ClassLabelled(std::string_view name, const ModelCard& card);

/// "17" or "class 17", below `classes`: for a model without labels.
std::optional<int> ClassNumbered(std::string_view name, size_t classes);

}  // namespace fogline
