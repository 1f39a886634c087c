#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/plan_show.h"

namespace fogline::cli {
namespace {

using Json = nlohmann::ordered_json;

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json CutJson(const Cut& cut) { return cut.index < 0 ? Json(cut.name) : Json(cut.index); }

Json ToJson(const Scenario& s, const Candidate& c) {
  const Cut& cut = s.cuts[c.cut];
  Json tensors = Json::array();
  for (const Port& port : cut.tensors) tensors.push_back(port.name);
  Json json{{"cut", CutJson(cut)},
            {"tensors", std::move(tensors)},
            {"codec", c.payload.codec},
            {"bytes", c.payload.bytes.value()},
            {"agreement", c.payload.agreement ? Json(*c.payload.agreement) : Json()},
            {"latency_ms",
             {{"edge", c.latency.edge.value()},
              {"encode", c.latency.encode.value()},
              {"uplink", c.latency.uplink.value()},
              {"decode", c.latency.decode.value()},
              {"cloud", c.latency.cloud.value()},
              {"downlink", c.latency.downlink.value()},
              {"total", c.latency.total().value()}}},
            {"cost_per_device_month", c.month.value()},
            {"energy_mj", c.energy.value()},
            {"name", cut.name},
            {"alias", cut.alias.empty() ? Json() : Json(cut.alias)},
            {"accuracy", c.payload.accuracy ? Json(*c.payload.accuracy) : Json()},
            {"bytes_estimated", c.payload.estimate},
            {"latency_p95_ms", c.latency_p95.value()},
            {"period_ms", c.period.value()},
            {"edge_memory_bytes", c.memory.value()},
            {"objective", Number(c.price.value())}};
  if (c.uplink) {
    json["uplink_trace_ms"] = {
        {"p50", c.uplink->p50}, {"p95", c.uplink->p95}, {"p99", c.uplink->p99}};
  }
  Json broken = Json::array();
  for (const Violation& v : c.violations) broken.push_back(v.limit);
  json["violates"] = std::move(broken);
  return json;
}

}  // namespace

std::string PlanJson(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const auto candidate = [&](size_t i) { return ToJson(s, plan.candidates[i]); };
  const auto step = [&](const PlanStep& p, const char* from, const char* to) {
    const Candidate& c = plan.candidates[p.candidate];
    return Json{{from, p.from},
                {to, p.to},
                {"cut", CutJson(s.cuts[c.cut])},
                {"codec", c.payload.codec},
                {"name", s.cuts[c.cut].name}};
  };
  Json json{{"best", candidate(plan.best)}, {"candidates", Json::array()}};
  for (const size_t i : view.shown) json["candidates"].push_back(candidate(i));
  json["envelope"] = Json::array();
  for (const PlanStep& p : plan.envelope)
    json["envelope"].push_back(step(p, "from_mbps", "to_mbps"));
  const Certificate& proof = plan.certificate;
  const bool latency = s.objective.kind == Objective::Kind::kLatency;
  json["certificate"] = {{"lower_bound_ms", latency ? Number(proof.lower_bound.value()) : Json()},
                         {"value_ms", latency ? Number(proof.value.value()) : Json()},
                         {"lower_bound", Number(proof.lower_bound.value())},
                         {"value", Number(proof.value.value())},
                         {"unit", s.objective.unit()},
                         {"method", proof.by_flow ? "min-cut" : "enumeration"},
                         {"flow", Number(proof.flow.value())},
                         {"flow_equals_cut", proof.flow_equals_cut}};
  json["plan_ms"] = view.plan_ms;
  json["load_envelope"] = Json::array();
  for (const PlanStep& p : plan.load_envelope) {
    json["load_envelope"].push_back(step(p, "from_load", "to_load"));
  }
  json["pareto"] = Json::array();
  for (const size_t i : view.front) {
    json["pareto"].push_back({{"cut", CutJson(s.cuts[plan.candidates[i].cut])},
                              {"codec", plan.candidates[i].payload.codec},
                              {"x", MeasureOf(plan.candidates[i], view.x)},
                              {"y", MeasureOf(plan.candidates[i], view.y)}});
  }
  if (!view.explanations.empty()) {
    json["explanations"] = Json::array();
    for (const Explanation& e : view.explanations) {
      Json terms = Json::object();
      for (const TermDifference& t : e.terms) terms[t.term] = t.amount;
      const Candidate& c = plan.candidates[e.rival];
      json["explanations"].push_back({{"cut", CutJson(s.cuts[c.cut])},
                                      {"codec", c.payload.codec},
                                      {"difference", std::move(terms)},
                                      {"text", e.sentence}});
    }
  }
  if (plan.two_way) {
    json["two_way"] = {{"value", plan.two_way->value.value()},
                       {"up", plan.two_way->up},
                       {"down", plan.two_way->down}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fogline::cli
