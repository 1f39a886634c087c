// What `fogline plan` is asked, and the scenario that it becomes.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/model_args.h"
#include "codec/bundle.h"
#include "plan/scenario.h"

namespace fogline::cli {

struct PlanArgs : Common {
  ModelArgs model;
  std::string edge, cloud, link;
  std::string objective = "latency";
  std::filesystem::path bundle, html;
  std::string codecs;
  std::string deliver = "cloud";
  std::string pareto = "latency,cost";
  std::string not_before;
  std::optional<double> max_latency, max_latency_p95, min_agreement, min_accuracy, max_cost,
      max_memory, max_data;
  Operation operation;
  double electricity = 0.20;
  bool never_send_input = false, explain = false, all = false;
};

void AddPlanArgs(CLI::App& command, PlanArgs& args);

/// A model, what was calibrated on it, and the scenario over both; kept together since the scenario
/// points into them.
struct PlanInput {
  Model model;
  std::optional<Bundle> bundle;
  Scenario scenario;
};
Result<std::unique_ptr<PlanInput>> LoadPlanInput(const PlanArgs& args);

}  // namespace fogline::cli
