// `fogline eval --truth`: how good a detector is.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "learn/evaluate_boxes.h"
#include "report/table.h"

namespace fogline::cli {

/// Evaluates, prints a table or JSON, and writes a page where `html` names a file.
Status RunBoxEval(const BoxEvaluateOptions& options, const std::filesystem::path& html, bool json);

/// Precision by class, those with most objects first.
Table BoxClassTable(const BoxEvaluateReport& report, size_t most);

/// Tiles, classes, and the pictures with most misses and false alarms, boxes drawn over them. Reads
/// those pictures again; one that has gone since is left out.
std::string BoxEvaluatePage(const std::string& model, const BoxEvaluateReport& report);

}  // namespace fogline::cli
