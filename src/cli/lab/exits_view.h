// What early exits promise, as JSON and as a table, for train.
#pragma once

#include "base/json.h"
#include "learn/fit_exits.h"

namespace fogline::cli {

/// "exits", with how they were fitted, what was counted and what that promises for some shares.
Json ExitsToJson(const FitExitsReport& report);

/// The same in words.
void PrintExits(const FitExitsReport& report);

}  // namespace fogline::cli
