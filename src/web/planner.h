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
  std::string edge, cloud;
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

  /// The models' names.
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
    std::map<std::string, PlanSide> sides;  // by machine
  };
  Result<Known*> Find(const std::string& model);
  static Result<PlanSide> SideOf(Known& known, const std::string& machine, const std::string& flag);

  ModelShelf shelf_;
  std::map<std::string, Known> known_;
};

}  // namespace fogline
