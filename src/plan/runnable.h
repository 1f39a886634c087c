// What `fogline edge` and `fogline cloud` run today, of all that can be planned.
#pragma once

#include <string>

#include "graph/cut.h"
#include "graph/model.h"
#include "plan/partition.h"
#include "plan/payload.h"

namespace fogline {

/// Why edge and cloud cannot run this cut with this codec as it stands, in words that end a
/// sentence; empty when they can.
std::string WhyNotRunnable(const Model& model, const Cut& cut, const PayloadOption& payload,
                           Side deliver);

}  // namespace fogline
