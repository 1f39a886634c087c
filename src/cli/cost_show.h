// What `fogline cost` shows, in its three forms.
#pragma once

#include <string>

#include "cost/fleet_json.h"
#include "cost/paper_tables.h"
#include "report/table.h"

namespace fogline::cli {

std::string PaperText(const PaperTables& tables, const TextStyle& style);
std::string PaperJson(const PaperTables& tables);
/// A page with the tables and figure 10.
std::string PaperPage(const PaperTables& tables, const PaperConstants& constants);

std::string FleetText(const FleetView& view, const TextStyle& style);
/// A page with figure 10's scatter for this fleet.
std::string FleetPage(const FleetView& view);

}  // namespace fogline::cli
