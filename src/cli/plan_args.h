// What `fogline plan` is asked, and the scenario that it becomes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/model_args.h"
#include "codec/bundle.h"
#include "plan/request.h"

namespace fogline::cli {

struct PlanArgs : Common {
  ModelArgs model;
  std::string edge, cloud, link;
  std::filesystem::path bundle, html, policy;
  std::string pareto = "latency,cost";
  PlanRequest request;
  double devices = 0;  // of a fleet; 0: not asked
  bool explain = false, all = false;
};

void AddPlanArgs(Command& command, PlanArgs& args);

/// A model, what was calibrated on it, and the scenario over both; kept together since the scenario
/// points into them.
struct PlanInput {
  Network network;
  std::optional<Bundle> bundle;
  Scenario scenario;
};
Result<std::unique_ptr<PlanInput>> LoadPlanInput(const PlanArgs& args);

}  // namespace fogline::cli
