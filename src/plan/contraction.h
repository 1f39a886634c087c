// Shrinks a partition problem before the flow: merges tasks that some cheapest plan keeps together.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/partition.h"

namespace fogline {

/// A smaller problem with the same optimum, and where each task of the larger one went.
struct Contraction {
  PartitionProblem problem;
  std::vector<uint32_t> group;  // task of the original → task of `problem`
};

/// Merges along wires that only one task reads and that may not come back down, by two rules that
/// keep an optimal plan (the rest of the plan held still):
///  * sending all that v reads is no dearer than sending what it writes, its own running included:
///    then cutting between v and its reader never beats cutting before v;
///  * r reads one wire only, and sending all that r writes is no dearer than sending that wire, r's
///    own running included: then cutting before r never beats cutting after it.
/// Inside an expanded block of a CNN this removes every cut but the narrow ones.
Contraction Contract(const PartitionProblem& problem);

}  // namespace fogline
