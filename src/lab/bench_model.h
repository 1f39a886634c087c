// A suite's model made ready: a folder of its own with the card of the wanted size and a
// calibration.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "lab/suite.h"

namespace fogline {

/// Puts the model, its card (with the suite's input size) and a calibration into `folder`; the path
/// of the ONNX file there. The calibration that stands beside the model is taken where it is for
/// this size; otherwise one is made of the suite's pictures for these cuts, which takes a minute.
/// What is there already is left alone.
Result<std::filesystem::path> PrepareModel(const Suite& suite, const SuiteModel& model,
                                           const std::vector<std::string>& cuts,
                                           const std::filesystem::path& folder,
                                           const std::filesystem::path& log);

/// What `fogline profile` says of this machine, or of so many cores of it; the file, which is left
/// alone where it is there already. `budget_s` of timed runs.
Result<std::filesystem::path> ProfileMachine(const SuiteMachine& machine,
                                             const std::filesystem::path& model,
                                             const std::filesystem::path& file, double budget_s,
                                             const std::filesystem::path& log);

}  // namespace fogline
