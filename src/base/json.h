// JSON, read and written in one place: nlohmann-json's parser and printer are compiled there once.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// A value whose objects keep the order in which they were written. Looking for a key goes through
/// them all: what comes from a network is bounded before it is read.
using Json = nlohmann::ordered_json;

/// Errors: kInvalid with `where`, and the place in the text.
Result<Json> ParseJson(std::string_view text, const std::string& where);

/// On one line, or with `indent` spaces a level. Invalid UTF-8 becomes U+FFFD.
std::string Dump(const Json& json, int indent = -1);

}  // namespace fogline
