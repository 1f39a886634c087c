#include "cli/lab/exits_view.h"

#include <fmt/format.h>

#include "base/text.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

constexpr double kShares[] = {0.005, 0.01, 0.02, 0.05, 0.1};

std::string NameOf(const FittedExit& fitted) {
  return fitted.alias.empty() ? fitted.exit.at : fitted.alias;
}

}  // namespace

Json ExitsToJson(const FitExitsReport& report) {
  Json exits = Json::array();
  for (const FittedExit& fitted : report.exits) {
    Json steps = Json::array(), promises = Json::array();
    for (const GateStep& step : fitted.exit.steps) {
      steps.push_back(
          {{"threshold", step.threshold}, {"sure", step.sure}, {"differ", step.differ}});
    }
    for (const double most : kShares) {
      Json one{{"max_disagreement", most}};
      const auto promise = PromiseOf(fitted.exit, most, report.exits.size());
      if (promise) {
        one["threshold"] = promise->threshold;
        one["sure_share"] = promise->sure_share;
        one["disagreement_bound"] = promise->disagreement_bound;
      } else {
        one["why_not"] = promise.error().message;
      }
      promises.push_back(std::move(one));
    }
    exits.push_back({{"at", fitted.exit.at},
                     {"name", NameOf(fitted)},
                     {"work", fitted.work},
                     {"lambda", fitted.lambda},
                     {"temperature", fitted.temperature},
                     {"cv_agreement", fitted.agreement},
                     {"steps", std::move(steps)},
                     {"promises", std::move(promises)}});
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
  for (const double most : kShares) {
    std::vector<Cell> row{fmt::format("{:g} %", 100 * most)};
    for (const FittedExit& fitted : report.exits) {
      const auto promise = PromiseOf(fitted.exit, most, report.exits.size());
      const bool any = promise && promise->sure_share > 0;
      row.emplace_back(any ? fmt::format("{:.1f} % leave, sure to {:.4g}",
                                         100 * promise->sure_share, promise->threshold)
                           : std::string("–"));
    }
    table.Add(std::move(row));
  }
  fmt::print("{}\n", table.ToText(StdoutStyle()));
  const auto none = PromiseOf(report.exits.front().exit, kShares[0], report.exits.size());
  if (!none) fmt::print("{}\n", none.error().ToString());
  fmt::print("{} and {} written\n", report.model.string(), report.card.filename().string());
}

}  // namespace fogline::cli
