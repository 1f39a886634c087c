// A slower board, stood up on this machine.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "edge/mechanism.h"

namespace fogline {

/// The same mechanism, whose prefix and encoding run for real and then wait until `machine` (of the
/// library, or a .toml) would be done with them. Reading and resizing stay as fast as they are
/// here.
Result<std::unique_ptr<Mechanism>> PaceMechanism(std::unique_ptr<Mechanism> mechanism,
                                                 const Network& network,
                                                 const MechanismOptions& options,
                                                 const std::string& machine);

}  // namespace fogline
