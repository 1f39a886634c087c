#include "cli/lab/exits_view.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/lab/promises_view.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

std::string NameOf(const FittedExit& fitted) {
  return fitted.alias.empty() ? fitted.exit.at : fitted.alias;
}

}  // namespace

Json ExitsToJson(const FitExitsReport& report) {
  Json exits = Json::array();
  for (const FittedExit& fitted : report.exits) {
    exits.push_back({{"at", fitted.exit.at},
                     {"name", NameOf(fitted)},
                     {"work", fitted.work},
                     {"lambda", fitted.lambda},
                     {"temperature", fitted.temperature},
                     {"cv_agreement", fitted.agreement},
                     {"steps", StepsToJson(fitted.exit)},
                     {"promises", PromisesToJson(fitted.exit, report.exits.size())}});
  }
  return {{"exits", std::move(exits)},
          {"exit_pictures_fitted", report.fitted},
          {"exit_pictures_measured", report.measured},
          {"exit_warnings", report.warnings},
          {"model", report.model.string()},
          {"card", report.card.string()},
          {"model_bytes", report.model_bytes}};
}

void PrintExits(const FitExitsReport& report) {
  fmt::print("early exits: heads fitted on {} pictures, promises measured on {} others\n\n",
             report.fitted, report.measured);
  std::vector<Table::Column> columns{{"may differ", true}};
  for (const FittedExit& fitted : report.exits) {
    columns.push_back(
        {fmt::format("{} ({:.0f} % of the work)", Printable(NameOf(fitted)), 100 * fitted.work)});
  }
  Table table(std::move(columns));
  for (const double most : kPromisedShares) {
    std::vector<Cell> row{fmt::format("{:g} %", 100 * most)};
    for (const FittedExit& fitted : report.exits) {
      row.emplace_back(PromiseInWords(fitted.exit, most, report.exits.size()));
    }
    table.Add(std::move(row));
  }
  fmt::print("{}\n", table.ToText(StdoutStyle()));
  const auto none = PromiseOf(report.exits.front().exit, kPromisedShares[0], report.exits.size());
  if (!none) fmt::print("{}\n", none.error().ToString());
  fmt::print("{} and {} written\n", report.model.string(), report.card.filename().string());
}

}  // namespace fogline::cli
