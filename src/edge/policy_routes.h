// The routes of a policy, opened on a device.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "edge/route_pool.h"
#include "edge/route_request.h"
#include "edge/steering.h"

namespace fogline {

/// Opens what a policy lets choose from; each way's number is that in the pool. `file`: the policy,
/// or empty for the .policy beside the model. `pace`: the machine that this one is as slow as, or
/// empty. A route that does not open here is left out, with a warning. kNotFound without a file;
/// kConflict for the policy of another device or model, or of another calibration than the one that
/// the device would use, and where no route is left.
Result<std::vector<PolicyWay>> OpenPolicy(std::filesystem::path file, const std::string& pace,
                                          const RouteRequest& request, RoutePool& pool);

}  // namespace fogline
