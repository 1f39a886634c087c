// The parameters of /api/plan: every one with its range, which docs/openapi.yaml repeats.
#include <fmt/format.h>

#include "profile/library.h"
#include "web/planner.h"

namespace fogline {
namespace {

constexpr size_t kMostPrecisions = 4;

/// A number, or nothing when it is not given.
Status Maybe(Parameters& parameters, std::string_view name, double low, double high,
             std::optional<double>& out) {
  if (!parameters.Has(name)) return {};
  FOGLINE_TRY(out, parameters.Number(name, low, high, low));
  return {};
}

Result<std::string> TextOr(Parameters& parameters, std::string_view name, const char* fallback) {
  FOGLINE_TRY(std::string text, parameters.Text(name));
  return text.empty() ? std::string(fallback) : text;
}

/// A name of the library, with what the other parameters change about it.
Result<std::string> ReadLink(Parameters& parameters) {
  FOGLINE_TRY(std::string link, TextOr(parameters, "link", "4g"));
  if (link.find_first_of(",=") != std::string::npos) {
    return Fail(ErrorCode::kUsage, "link",
                "is a name of the library; change it with up, down, rtt, loss and data_price");
  }
  struct Change {
    const char* parameter;
    const char* key;
    double low, high;
  };
  for (const Change& change : {Change{"up", "up", 0.001, 100'000},
                               {"down", "down", 0.001, 100'000},
                               {"rtt", "rtt", 0, 10'000},
                               {"loss", "loss", 0, 0.5},
                               {"data_price", "price", 0, 1000}}) {
    std::optional<double> value;
    FOGLINE_CHECK(Maybe(parameters, change.parameter, change.low, change.high, value));
    if (value) link += fmt::format(",{}={}", change.key, *value);
  }
  return link;
}

}  // namespace

// Without parameters: the paper's board and instance, over a link that it does not name.
Result<PlannerQuestion> PlannerQuestion::Read(Parameters& p) {
  PlannerQuestion q;
  FOGLINE_TRY(q.model, p.Text("model"));
  FOGLINE_TRY(q.integers, p.List("integers"));
  std::erase(q.integers, "");
  if (q.integers.size() > kMostPrecisions) {
    return Fail(ErrorCode::kUsage, "integers", "takes {} networks at most", kMostPrecisions);
  }
  FOGLINE_TRY(q.edge, TextOr(p, "edge", "jetson-nano"));
  FOGLINE_TRY(q.cloud, TextOr(p, "cloud", "t2.micro"));
  FOGLINE_TRY(q.link, ReadLink(p));
  PlanRequest& r = q.request;
  FOGLINE_TRY(r.objective, TextOr(p, "objective", "latency"));
  FOGLINE_TRY(r.codecs, p.Text("codec"));
  FOGLINE_TRY(r.deliver, p.Choice("deliver", {"cloud", "edge"}));
  FOGLINE_TRY(r.operation.two_way, p.Flag("two_way"));
  FOGLINE_TRY(r.strict, p.Flag("strict"));
  FOGLINE_TRY(r.ideal, p.Flag("ideal"));
  FOGLINE_TRY(r.operation.images_per_second,
              p.Number("rate", 1e-4, 1000, r.operation.images_per_second));
  FOGLINE_TRY(r.operation.lifetime_months,
              p.Number("lifetime", 1, 240, r.operation.lifetime_months));
  FOGLINE_TRY(r.operation.cloud_load, p.Number("cloud_load", 0, 0.95, 0));
  FOGLINE_TRY(r.operation.ignore_credits, p.Flag("ignore_credits"));
  FOGLINE_TRY(r.electricity, p.Number("electricity", 0, 10, r.electricity));
  FOGLINE_CHECK(Maybe(p, "device_price", 0, 1e6, r.device_price));
  FOGLINE_CHECK(Maybe(p, "rent", 0, 1000, r.rent));
  FOGLINE_CHECK(Maybe(p, "max_latency", 0.001, 1e6, r.max_latency));
  FOGLINE_CHECK(Maybe(p, "max_latency_p95", 0.001, 1e6, r.max_latency_p95));
  FOGLINE_CHECK(Maybe(p, "min_agreement", 0, 1, r.min_agreement));
  FOGLINE_CHECK(Maybe(p, "min_accuracy", 0, 1, r.min_accuracy));
  FOGLINE_CHECK(Maybe(p, "min_metric", -1e12, 1e12, r.min_metric));
  FOGLINE_CHECK(Maybe(p, "max_cost", 0, 1e6, r.max_cost));
  FOGLINE_CHECK(Maybe(p, "max_memory", 0, 1e6, r.max_memory));
  FOGLINE_CHECK(Maybe(p, "max_data", 0, 1e6, r.max_data));
  FOGLINE_CHECK(Maybe(p, "max_disagreement", 1e-6, 0.5, r.max_disagreement));
  r.cascades = false;  // no file is looked at for a visitor
  FOGLINE_TRY(r.never_send_input, p.Flag("never_send_input"));
  FOGLINE_TRY(r.not_before, p.Text("not_before"));
  FOGLINE_TRY(q.devices, p.Number("devices", 1, 1e7, 100));
  const std::vector<std::string> measures{"latency",    "cost",  "energy",
                                          "throughput", "bytes", "agreement"};
  FOGLINE_TRY(const std::string x, p.Choice("x", measures));
  FOGLINE_TRY(const std::string y,
              p.Choice("y", {"cost", "latency", "energy", "throughput", "bytes", "agreement"}));
  FOGLINE_TRY(q.x, ParseMeasure(x));
  FOGLINE_TRY(q.y, ParseMeasure(y));
  return q;
}

}  // namespace fogline
