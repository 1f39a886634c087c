// How deep a TOML text goes, counted before a parser that recurses sees it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// kInvalid, with `where` and the line, for a text larger than 4 MB, with a key of more than 16
/// parts or with values more than 16 deep in each other. Of our own files none comes near.
Status CheckTomlDepth(std::string_view text, const std::string& where);

}  // namespace fogline
