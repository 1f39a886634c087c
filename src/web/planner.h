// Answers the planner's page: the same plans as `fogline plan`, for models of a folder and machines
// of the library.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "plan/pareto.h"
#include "plan/request.h"
#include "web/model_shelf.h"
#include "web/parameters.h"

namespace fogline {

/// What /api/plan is asked.
struct PlannerQuestion {
  std::string model;  // empty: the first one
  /// Names of the same network in integers, to be weighed against it.
  std::vector<std::string> integers;
  std::string edge,
      cloud;         // of the library, or a measured profile of the models' folder: "pi.json"
  std::string link;  // a name of the library, with changes: "4g,up=3,rtt=80"
  PlanRequest request;
  double devices = 100;
  Measure x = Measure::kLatency, y = Measure::kCost;

  /// kUsage for what is out of range. Every limit stands in docs/openapi.yaml.
  static Result<PlannerQuestion> Read(Parameters& parameters);
};

/// Looks at no file but those of the folder. Not thread-safe. Answers are JSON texts.
class Planner {
 public:
  /// An empty path: no models, so no plans.
  explicit Planner(std::filesystem::path models);

  /// Networks that are remembered.
  size_t networks() const { return known_.size(); }
  /// The models' names, and those of measured profiles beside them.
  std::string Models();
  /// Devices, clouds and links of the library.
  static const std::string& Machines();
  /// Layers and cuts of a model; kUnavailable while it is being read.
  Result<std::string> Network(const std::string& model);
  /// The plan; when limits cannot be met, what stands in the way.
  Result<std::string> Plan(const PlannerQuestion& question);

  ModelShelf& shelf() { return shelf_; }

 private:
  struct Known {
    std::shared_ptr<const ShelfModel> model;
    std::map<std::string, PlanSide> sides;  // by machine of the library
  };
  /// A network with the scenario over it, which points into it.
  struct Asked {
    std::shared_ptr<const ShelfModel> shelf;
    Scenario scenario;
  };
  Result<Known*> Find(const std::string& model);
  Result<PlanSide> SideOf(Known& known, const std::string& machine, const std::string& flag);
  Result<Asked> Prepare(const std::string& model, const PlannerQuestion& question);
  /// The network asked about, then those in integers.
  Result<std::vector<Asked>> PrepareAll(const PlannerQuestion& question);

  ModelShelf shelf_;
  std::map<std::string, Known> known_;
};

}  // namespace fogline
