// Findings as members of a JSON object: for the API, and for the paper's wire.
#pragma once

#include <string>

#include "vision/findings.h"

namespace fogline {

/// Appends members without braces or a leading comma; nothing for one class alone:
///
///     "classes":[{"label","score"}]   the likeliest, best first
///     "boxes":[{"label","score","x","y","w","h"}],"boxes_cut_off":N   parts of the picture
///     "shares":[{"label","share"}]    "numbers":[{"name","value"}]    "raw":[{"name","shape":[…]}]
///
/// Numbers are unrounded; "boxes_cut_off" is there where some were.
void AppendFindingsJson(std::string& out, const Findings& findings);

}  // namespace fogline
