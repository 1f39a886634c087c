// The report of a suite: the paper's figures redrawn from what was measured, forecasts beside them.
#pragma once

#include <string>

#include "lab/lab.h"

namespace fogline {

/// A self-contained page.
std::string LabPage(const LabResult& result);

}  // namespace fogline
