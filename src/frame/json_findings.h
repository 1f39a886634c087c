// Findings of the paper's wire, read back from JSON.
#pragma once

#include <string_view>

#include "base/result.h"
#include "vision/findings.h"

namespace fogline {

/// Reads an object of AppendFindingsJson's members. Of "classes" come findings without label and
/// score, which stand elsewhere. What comes out passes CheckFindings. kUnsupported for an object of
/// other members, which a newer device may have written.
Result<Findings> ParseFindingsJson(std::string_view text);

}  // namespace fogline
