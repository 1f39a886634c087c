// The optimiser's own view of a split: tasks that run on either side, wires between them, prices.
// Nothing here knows what a layer, a millisecond or a network is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace fogline {

/// What the objective counts: milliseconds, euro, millijoules or a weighted sum of them. An
/// infinite price forbids.
using Price = Quantity<struct PriceUnit>;

enum class Side : uint8_t { kEdge, kCloud };

/// Something that runs wholly on one side.
struct Task {
  Price edge;   // price of running it on the edge; infinite: it may not
  Price cloud;  // price of running it in the cloud; infinite: it may not
};

/// One tensor: written by one task, read by any number, charged once a direction however many read
/// it on the far side.
struct Wire {
  uint32_t producer = 0;
  std::vector<uint32_t> readers;   // at least one, none equal to the producer
  Price up;                        // edge → cloud; infinite: it may not leave
  Price down = Price::Infinite();  // cloud → edge; infinite on every wire is the one-way problem
};

struct PartitionProblem {
  std::vector<Task> tasks;
  std::vector<Wire> wires;
  Price crossing;  // charged once when any wire crosses, however many do (a link's latency)
};

struct Partition {
  std::vector<Side> sides;       // one a task
  Price value;                   // what `sides` costs, added up from the problem itself
  Price bound;                   // what the maximum flow proves no partition can be below
  bool crosses = false;          // whether any wire is cut
  bool flow_equals_cut = false;  // in the solver's integer ticks, exactly: the certificate
};

/// What a given assignment costs; infinite when it crosses a wire that may not be crossed.
Price PriceOf(const PartitionProblem& problem, std::span<const Side> sides);

/// The cheapest assignment, by one maximum flow (O(V²√E) at worst, near linear on CNNs). Prices are
/// rounded to 2^-58 of their sum, so that the flow is in integers and the proof exact.
/// Of equally cheap plans the one with most on the edge is returned.
/// kInvalid for negative or NaN prices and indices out of range; kUnsupported when every assignment
/// is infinite.
Result<Partition> CheapestPartition(const PartitionProblem& problem);

}  // namespace fogline
