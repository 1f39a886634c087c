// JSON whose writer may be hostile.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// A value whose objects are sorted by key: however many there are, one is found at once.
using SortedJson = nlohmann::json;

/// Errors: kInvalid with `where`. Who asks includes nlohmann-json by way of base/json.h.
Result<SortedJson> ParseSortedJson(std::string_view text, const std::string& where);

}  // namespace fogline
