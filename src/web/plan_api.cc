// The planner's part of the API.
#include "base/clock.h"
#include "web/site.h"

namespace fogline {
namespace {

/// A model that is being read is no fault of anybody's: come back.
Result<HttpResponse> Answered(Result<std::string> text) {
  HttpResponse response;
  if (text) {
    response.body = *std::move(text);
    return response;
  }
  if (text.error().code != ErrorCode::kUnavailable) return Forward(std::move(text));
  response = ErrorResponse(503, text.error().ToString());
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

Result<HttpResponse> Site::Models(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  return Answered(planner_.Models());
}

Result<HttpResponse> Site::Machines(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  return Answered(Planner::Machines());
}

Result<HttpResponse> Site::Network(const HttpRequest&, Parameters& parameters) {
  FOGLINE_TRY(const std::string model, parameters.Text("model"));
  FOGLINE_CHECK(parameters.Finish());
  return Answered(planner_.Network(model));
}

Result<HttpResponse> Site::Plan(const HttpRequest&, Parameters& parameters) {
  const Nanos start = Clock::Real().Steady();
  FOGLINE_TRY(const PlannerQuestion question, PlannerQuestion::Read(parameters));
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(HttpResponse response, Answered(planner_.Plan(question)));
  response.headers.emplace_back(
      "Server-Timing", fmt::format("plan;dur={:.3f}", Millis(Clock::Real().Steady() - start)));
  return response;
}

}  // namespace fogline
