// What a gate promises for some shares, as JSON and in words, for train and cascade.
#pragma once

#include <array>
#include <string>

#include "base/json.h"
#include "vision/exits.h"

namespace fogline::cli {

/// Of all pictures that may get another class.
inline constexpr std::array kPromisedShares{0.005, 0.01, 0.02, 0.05, 0.1};

/// "steps": what was counted.
Json StepsToJson(const EarlyExit& exit);
/// "promises", of one of so many exits.
Json PromisesToJson(const EarlyExit& exit, size_t exits);
/// "62.1 % leave, sure to 0.9684", or a dash where nothing can be promised.
std::string PromiseInWords(const EarlyExit& exit, double most, size_t exits);

}  // namespace fogline::cli
