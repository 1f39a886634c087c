// What inspect shows: the layers and cuts as tables, and as a page with the paper's figures 4
// and 5.
#pragma once

#include <string>
#include <vector>

#include "graph/cut.h"
#include "graph/model.h"
#include "report/table.h"

namespace fogline {

Table LayerTable(const Model& model);
/// On a terminal with the edge's share of the work, and a bar of it; null: for a page.
Table CutTable(const Model& model, const std::vector<Cut>& cuts, const TextStyle* terminal);

/// A self-contained page: activation bytes over depth with the cuts as vertical lines, MAdds of
/// both sides for each cut, and the tables.
std::string InspectPage(const std::string& title, const Model& model, const std::vector<Cut>& cuts);

}  // namespace fogline
