// The network as a graph that can be looked through, for a page.
#pragma once

#include <string>
#include <vector>

#include "graph/cut.h"

namespace fogline {

/// What draws `model` with its listed cuts where it is put into a page (web/src/report_network.ts,
/// carried inside the binary); without scripts a sentence that there is a table. At most once a
/// page.
std::string NetworkDrawing(const Model& model, const std::vector<Cut>& cuts);

}  // namespace fogline
