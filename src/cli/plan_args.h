// What `fogline plan` is asked, and the scenario that it becomes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/model_args.h"
#include "plan/input.h"

namespace fogline::cli {

struct PlanArgs : Common {
  ModelArgs model;
  PlanPlaces places;
  std::vector<std::string> integers;  // files of the same network
  std::filesystem::path html, policy;
  std::string pareto = "latency,cost";
  PlanRequest request;
  double devices = 0;  // of a fleet; 0: not asked
  bool explain = false, all = false;
};

void AddPlanArgs(Command& command, PlanArgs& args);

/// Of the network, and of each of args.integers, in this order, under the same conditions: each has
/// its own bundle beside it, and its own times in measured profiles.
Result<std::vector<std::unique_ptr<PlanInput>>> LoadPlanInputs(const PlanArgs& args);

}  // namespace fogline::cli
