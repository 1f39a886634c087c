// The results as tables for a README or a wiki page.
#pragma once

#include <string>

#include "lab/lab.h"

namespace fogline {

/// One line an experiment and wire, one a capacity, and the forecast's errors under them.
std::string ResultsMarkdown(const LabResult& result);

}  // namespace fogline
