// Pictures that a command left out, told to people and programs.
#pragma once

#include <vector>

#include "base/json.h"
#include "vision/folder.h"

namespace fogline::cli {

Json SkippedToJson(const std::vector<Skipped>& skipped);

/// Names the pictures that could not be read, the first ten of them, and counts them.
void LogSkipped(const std::vector<Skipped>& skipped);

}  // namespace fogline::cli
