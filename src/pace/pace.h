// How long a machine of the library takes for the steps of one cut and codec: what a faster machine
// waits for when it stands in for it.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/bundle.h"
#include "graph/cut.h"
#include "profile/machine.h"
#include "vision/network.h"

namespace fogline {

struct StepTimes {
  Milliseconds prefix, encode, decode, suffix;
};

/// By the same rules as a plan: layers by the machine's fit, codecs by their speed on one thread
/// and the machine's relative speed. A codec that the cut cannot be sent with takes no time.
/// `bundle` may be null.
StepTimes PaceOf(const Machine& machine, const Network& network, const Cut& cut,
                 const std::string& codec, const Bundle* bundle);

/// Sleeps until `step` has lasted as long as it should, of which `done_us` have passed; what it
/// lasted in the end, in microseconds.
uint32_t HoldTo(Milliseconds step, uint32_t done_us);

}  // namespace fogline
