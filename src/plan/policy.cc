#include "plan/policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "base/json.h"

namespace fogline {
namespace {

constexpr double kSlowestMbps = 0.01, kFastestMbps = 1000;
constexpr int kUplinks = 41;  // at which candidates are compared, a constant factor apart
constexpr double kStretches[] = {1, 1.5, 2, 4, 8, 16};
constexpr double kNear = 0.02;
constexpr size_t kEnough = 8;  // routes: each holds layers in a device's memory
constexpr double kMost = 1e9;  // of any figure: more is none

/// Of a candidate, without the load and the link that the plan was made for.
struct Terms {
  size_t candidate = 0;
  double edge_ms = 0, bytes = 0, cloud_ms = 0;
  bool alone = false;  // nothing runs in the cloud
};

Terms PriceTermsOf(const Scenario& s, const Plan& plan, size_t i) {
  const Candidate& c = plan.candidates[i];
  const double idle = 1 - s.operation.cloud_load;
  const double up = c.up > Bytes(0) ? (c.up + kMessageOverhead).value() : 0;
  return {i, (c.latency.edge + c.latency.encode).value(), up,
          (c.latency.decode + c.latency.cloud).value() * idle, s.cuts[c.cut].is_edge_only()};
}

/// Candidates over a grid of uplinks and loads.
class Cover {
 public:
  Cover(const Scenario& scenario, std::vector<Terms> terms)
      : delay_ms_(scenario.link.rtt.value()), terms_(std::move(terms)) {
    for (int i = 0; i < kUplinks; ++i) {
      const double mbps = kSlowestMbps * std::pow(kFastestMbps / kSlowestMbps,
                                                  static_cast<double>(i) / (kUplinks - 1));
      for (const double stretch : kStretches) points_.push_back({MsPerByteAt(mbps), stretch, 0});
    }
    for (Point& p : points_) {
      p.best = std::numeric_limits<double>::infinity();
      for (const Terms& t : terms_) p.best = std::min(p.best, Cost(t, p));
    }
  }

  /// The one that all together make the most of; taken one after the other until they do.
  std::vector<size_t> Choose() const {
    std::vector<double> have(points_.size(), std::numeric_limits<double>::infinity());
    std::vector<size_t> chosen;
    const auto take = [&](size_t t) {
      chosen.push_back(t);
      for (size_t p = 0; p < points_.size(); ++p) {
        have[p] = std::min(have[p], Cost(terms_[t], points_[p]));
      }
    };
    const auto alone = std::ranges::find(terms_, true, &Terms::alone);
    if (alone != terms_.end()) take(static_cast<size_t>(alone - terms_.begin()));
    while (chosen.size() < kEnough && Worst(have) > kNear) take(Best(have));
    return chosen;
  }

 private:
  struct Point {
    double ms_per_byte, stretch, best;
  };

  double Cost(const Terms& t, const Point& p) const {
    return t.edge_ms + t.bytes * p.ms_per_byte + t.cloud_ms * p.stretch + delay_ms_ + 1;
  }
  double Worst(const std::vector<double>& have) const {
    double worst = 0;
    for (size_t p = 0; p < points_.size(); ++p) {
      worst = std::max(worst, have[p] / points_[p].best - 1);
    }
    return worst;
  }
  /// Of the sum over the grid of what is lost against the best, each point's at most all of it.
  size_t Best(const std::vector<double>& have) const {
    size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t t = 0; t < terms_.size(); ++t) {
      double lost = 0;
      for (size_t p = 0; p < points_.size(); ++p) {
        const double cost = std::min(have[p], Cost(terms_[t], points_[p]));
        lost += std::min(1.0, std::max(0.0, cost / points_[p].best - 1 - kNear));
      }
      if (lost >= least) continue;
      least = lost;
      best = t;
    }
    return best;
  }

  const double delay_ms_;
  const std::vector<Terms> terms_;
  std::vector<Point> points_;
};

/// A figure of an object, or why it is none.
Result<double> FigureOf(const Json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) {
    return Fail(ErrorCode::kInvalid, where, "a route without the number '{}'", key);
  }
  const double value = it->get<double>();
  if (!(value >= 0 && value <= kMost)) {
    return Fail(ErrorCode::kInvalid, where, "'{}' is {}, which no route has", key, value);
  }
  return value;
}

Result<std::string> TextOf(const Json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) {
    return Fail(ErrorCode::kInvalid, where, "has no text '{}'", key);
  }
  return it->get<std::string>();
}

Result<PolicyRoute> RouteFrom(const Json& object, const std::string& where) {
  if (!object.is_object()) return Fail(ErrorCode::kInvalid, where, "a route is no object");
  PolicyRoute out;
  FOGLINE_TRY(const std::string text, TextOf(object, "route", where));
  auto route = ParseRoute(text);
  if (!route) return Fail(ErrorCode::kInvalid, where, "{}", route.error().ToString());
  out.route = *std::move(route);
  FOGLINE_TRY(out.edge_ms, FigureOf(object, "edge_ms", where));
  FOGLINE_TRY(out.bytes, FigureOf(object, "bytes", where));
  FOGLINE_TRY(out.cloud_ms, FigureOf(object, "cloud_ms", where));
  FOGLINE_TRY(out.sure_share, FigureOf(object, "sure_share", where));
  if (out.bytes <= 0 || out.sure_share > 1) {
    return Fail(ErrorCode::kInvalid, where, "the prices of {} are none", text);
  }
  const auto limit = [&](const char* key, std::optional<double>& value) -> Status {
    const auto it = object.find(key);
    if (it == object.end() || it->is_null()) return {};
    FOGLINE_TRY(value, FigureOf(object, key, where));
    return {};
  };
  FOGLINE_CHECK(limit("least_mbps", out.least_mbps));
  FOGLINE_CHECK(limit("most_load", out.most_load));
  return out;
}

Status CheckHash(const std::string& hex, const char* key, const std::string& where) {
  const bool digits = hex.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digits && hex.size() == 2 * Sha256().size()) return {};
  return Fail(ErrorCode::kInvalid, where, "'{}' is no SHA-256 in hexadecimal digits", key);
}

}  // namespace

std::string Policy::ToJson() const {
  Json list = Json::array();
  const auto number = [](const std::optional<double>& v) { return v ? Json(*v) : Json(); };
  for (const PolicyRoute& r : routes) {
    list.push_back({{"route", ToString(r.route)},
                    {"edge_ms", r.edge_ms},
                    {"bytes", r.bytes},
                    {"cloud_ms", r.cloud_ms},
                    {"sure_share", r.sure_share},
                    {"least_mbps", number(r.least_mbps)},
                    {"most_load", number(r.most_load)}});
  }
  const Json json{{"fogline_policy", kVersion},
                  {"device", device},
                  {"processor", processor},
                  {"model", model},
                  {"bundle", bundle.empty() ? Json() : Json(bundle)},
                  {"routes", std::move(list)}};
  return Dump(json, 2) + "\n";
}

Result<Policy> Policy::Parse(std::string_view text, const std::string& where) {
  FOGLINE_TRY(const Json json, ParseJson(text, where));
  if (!json.is_object() || !json.contains("fogline_policy") ||
      !json["fogline_policy"].is_number_integer()) {
    return Fail(ErrorCode::kInvalid, where,
                "is no policy: 'fogline plan --policy-file' writes one");
  }
  if (const auto version = json["fogline_policy"].get<int64_t>(); version != kVersion) {
    return Fail(ErrorCode::kUnsupported, where, "is of version {}, this build reads {}", version,
                kVersion);
  }
  Policy policy;
  FOGLINE_TRY(policy.device, TextOf(json, "device", where));
  FOGLINE_TRY(policy.processor, TextOf(json, "processor", where));
  FOGLINE_TRY(policy.model, TextOf(json, "model", where));
  FOGLINE_CHECK(CheckHash(policy.model, "model", where));
  if (json.contains("bundle") && !json["bundle"].is_null()) {
    FOGLINE_TRY(policy.bundle, TextOf(json, "bundle", where));
    FOGLINE_CHECK(CheckHash(policy.bundle, "bundle", where));
  }
  const auto routes = json.find("routes");
  if (routes == json.end() || !routes->is_array() || routes->empty()) {
    return Fail(ErrorCode::kInvalid, where, "has no routes to choose from");
  }
  if (routes->size() > kMostRoutes) {
    return Fail(ErrorCode::kInvalid, where, "has {} routes, an edge takes {}", routes->size(),
                kMostRoutes);
  }
  for (const Json& route : *routes) {
    FOGLINE_TRY(policy.routes.emplace_back(), RouteFrom(route, where));
  }
  return policy;
}

Result<Policy> PolicyOf(const Scenario& scenario, const Plan& plan) {
  const char* const flag = "--policy-file";
  if (scenario.objective.kind != Objective::Kind::kLatency) {
    return Fail(ErrorCode::kUsage, flag, "goes with --objective latency: steering weighs time");
  }
  std::vector<Terms> terms;
  for (size_t i = 0; i < plan.candidates.size(); ++i) {
    const Candidate& c = plan.candidates[i];
    if (!c.runnable() || c.most_x < 0 || c.most_stretch < 0) continue;
    terms.push_back(PriceTermsOf(scenario, plan, i));
    // Results that stay on the edge are no news of the line.
    if (terms.back().bytes <= 0) terms.pop_back();
  }
  if (terms.empty()) {
    return Fail(ErrorCode::kConflict, flag,
                "nothing that edge and cloud run, and that tells of the line, keeps to the limits");
  }
  Policy policy;
  policy.device = scenario.edge.name;
  policy.processor = scenario.edge_processor;
  policy.model = ToHex(scenario.model->hash());
  if (scenario.bundle != nullptr) policy.bundle = ToHex(scenario.bundle->hash());
  for (const size_t t : Cover(scenario, terms).Choose()) {
    const Terms& price = terms[t];
    const Candidate& c = plan.candidates[price.candidate];
    PolicyRoute route{RouteOf(scenario, c), price.edge_ms, price.bytes, price.cloud_ms, 0, {}, {}};
    if (c.gate) route.sure_share = scenario.gates[*c.gate].promise.sure_share;
    if (std::isfinite(c.most_x)) route.least_mbps = 1 / std::max(c.most_x, 1 / kMost);
    if (std::isfinite(c.most_stretch)) route.most_load = 1 - 1 / std::max(c.most_stretch, 1.0);
    policy.routes.push_back(std::move(route));
  }
  std::ranges::sort(policy.routes, {}, &PolicyRoute::edge_ms);
  return policy;
}

}  // namespace fogline
