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
  std::filesystem::path html, policy;
  std::string pareto = "latency,cost";
  PlanRequest request;
  double devices = 0;  // of a fleet; 0: not asked
  bool explain = false, all = false;
};

void AddPlanArgs(Command& command, PlanArgs& args);

Result<std::unique_ptr<PlanInput>> LoadPlanInput(const PlanArgs& args);

}  // namespace fogline::cli
