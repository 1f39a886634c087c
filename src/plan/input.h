// A plan's question with all that it is asked of, loaded.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "codec/bundle.h"
#include "plan/request.h"
#include "plan/scenario.h"
#include "vision/network.h"

namespace fogline {

/// Where a plan is for. Errors blame the flags of `fogline plan`.
struct PlanPlaces {
  std::string edge, cloud;       // as LoadSide takes them
  std::string link;              // as FindLink does
  std::filesystem::path bundle;  // empty: the one beside the model, if there is one
};

/// A model, what was calibrated on it, and the scenario over both; kept together since the scenario
/// points into them.
struct PlanInput {
  Network network;
  std::optional<Bundle> bundle;
  Scenario scenario;
};

/// Whether there are such machines and links, and such an objective: what can be said without a
/// model.
Status CheckPlaces(const PlanPlaces& places, const PlanRequest& request);

/// The scenario that is asked about; the log says which times are not known.
Result<std::unique_ptr<PlanInput>> MakePlanInput(Network network, const PlanPlaces& places,
                                                 const PlanRequest& request);

}  // namespace fogline
