// The page that `fogline eval --html` writes.
#pragma once

#include <string>

#include "learn/evaluate.h"

namespace fogline::cli {

/// Tiles, confusion matrix, threshold curves, calibration and the mistakes as thumbnails. Reads the
/// wrongly judged pictures again; one that has gone since is left out.
std::string EvaluatePage(const std::string& model, const EvaluateReport& report);

}  // namespace fogline::cli
