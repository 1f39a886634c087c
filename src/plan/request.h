// What a plan is asked for, in words: the command line and the planner's page fill in the same
// struct and get the same scenario.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/scenario.h"
#include "vision/network.h"

namespace fogline {

/// Names and figures as `fogline plan` takes them; errors blame its flags.
struct PlanRequest {
  std::string objective = "latency";
  std::string codecs;             // "json" or "f32,f16"; empty: all that apply but JSON
  std::string deliver = "cloud";  // or "edge"
  std::string not_before;         // a cut or tensor
  std::optional<double> max_latency, max_latency_p95, min_agreement, min_accuracy, min_metric,
      max_cost, max_memory, max_data;
  /// Sure pictures may leave at the network's exits, as long as no more than this share gets
  /// another class; nothing: none does.
  std::optional<double> max_disagreement;
  bool cascades = true;  // or at its cascade, which is read from the files beside it
  bool never_send_input = false;
  bool strict = false;  // Scenario::strict and ideal
  bool ideal = false;
  Operation operation;  // but for `electricity` and `deliver`, which stand here in words
  double electricity = 0.20;
  std::optional<double> device_price;  // euro, instead of the machine's own
  std::optional<double> rent;          // euro an hour of the cloud's machine, likewise
};

/// A machine and how long it takes for a model.
struct PlanSide {
  Machine machine;
  Timing timing;
  std::string processor = {};  // of a measured profile, as its machine's kernel names it
};

/// A machine of the library, a machine's .toml, or a profile measured by `fogline profile` (.json).
Result<PlanSide> LoadSide(const Model& model, const std::string& name, const std::string& flag);
/// The library alone: no file is looked at.
Result<PlanSide> LibrarySide(const Model& model, const std::string& name, const std::string& flag);

/// The bundle at `path` if it is this model's. kConflict when it belongs to another.
Result<Bundle> LoadBundleOf(const Model& model, const std::filesystem::path& path);
/// The .bundle beside the model's file; none when there is no such file, or when it is no bundle of
/// this model (the log says so).
std::optional<Bundle> BundleBeside(const Model& model, const std::filesystem::path& model_path);

/// Puts a scenario together. It points to the network's model and the bundle (null: none), which
/// must outlive it. kUsage names the flag at fault.
Result<Scenario> MakeScenario(const PlanRequest& request, const Network& network,
                              std::vector<Cut> cuts, const Bundle* bundle, PlanSide edge,
                              PlanSide cloud, LinkProfile link);

}  // namespace fogline
