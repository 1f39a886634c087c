#include "cli/lab/promises_view.h"

#include <fmt/format.h>

namespace fogline::cli {

Json StepsToJson(const EarlyExit& exit) {
  Json steps = Json::array();
  for (const GateStep& step : exit.steps) {
    steps.push_back({{"threshold", step.threshold}, {"sure", step.sure}, {"differ", step.differ}});
  }
  return steps;
}

Json PromisesToJson(const EarlyExit& exit, size_t exits) {
  Json promises = Json::array();
  for (const double most : kPromisedShares) {
    Json one{{"max_disagreement", most}};
    const auto promise = PromiseOf(exit, most, exits);
    if (promise) {
      one["threshold"] = promise->threshold;
      one["sure_share"] = promise->sure_share;
      one["disagreement_bound"] = promise->disagreement_bound;
    } else {
      one["why_not"] = promise.error().message;
    }
    promises.push_back(std::move(one));
  }
  return promises;
}

std::string PromiseInWords(const EarlyExit& exit, double most, size_t exits) {
  const auto promise = PromiseOf(exit, most, exits);
  const bool any = promise && promise->sure_share > 0;
  return any ? fmt::format("{:.1f} % leave, sure to {:.4g}", 100 * promise->sure_share,
                           promise->threshold)
             : std::string("–");
}

}  // namespace fogline::cli
