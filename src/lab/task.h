// One bar that is measured, and the file that keeps it for a later run of the same suite.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "graph/model.h"
#include "lab/bar.h"

namespace fogline {

struct LabTask {
  Bar bar;
  std::filesystem::path file;
  std::string fingerprint;
  double seconds = 0;  // as forecast
  bool done = false;
};

/// Everything that a bar's figures depend on and that can be known; a run is only taken from an
/// earlier one where all of it is the same.
std::string Fingerprint(const Suite& suite, const Bar& bar, const Model& model, int repeats,
                        int pictures);

/// True when an earlier run left this bar, and, unless `quick`, a fair one.
bool ReadTask(LabTask& task, bool quick);

/// Keeps the bar with the edge's own report.
Status WriteTask(const LabTask& task, const std::string& report);

}  // namespace fogline
