// Pictures that a command left out, told to people and programs.
#pragma once

#include <vector>

#include "base/json.h"
#include "vision/folder.h"

namespace fogline::cli {

Json SkippedToJson(const std::vector<Skipped>& skipped);

}  // namespace fogline::cli
