#include "plan/plan_json.h"

#include <cmath>

#include "base/json.h"
#include "plan/words.h"

namespace fogline {
namespace {

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
  json["metric"] = c.payload.metric ? Json(*c.payload.metric) : Json();
  json["runnable"] = c.runnable();
  json["route"] = ToString(RouteOf(s, c));
  if (c.gate) {
    const PlannedGate& gate = s.gates[*c.gate];
    json["exit"] = {{"at", gate.at},
                    {"threshold", gate.promise.threshold},
                    {"sure_share", gate.promise.sure_share},
                    {"disagreement_bound", gate.promise.disagreement_bound}};
  }
  json["not_runnable"] = c.runnable() ? Json() : Json(c.not_runnable);
  return json;
}

/// Layers on the edge, by index in Model::nodes(), as [first, last] of each run of them.
Json EdgeLayers(const Cut& cut) {
  Json runs = Json::array();
  for (size_t n = 0; n < cut.edge.size(); ++n) {
    if (!cut.edge[n]) continue;
    const size_t first = n;
    while (n + 1 < cut.edge.size() && cut.edge[n + 1]) ++n;
    runs.push_back({first, n});
  }
  return runs;
}

/// All that the times cannot tell from the cheapest, but for the plan itself.
Json TiesJson(const PlanView& view) {
  const Plan& plan = view.plan;
  Json list = Json::array();
  for (const Tie& tie : plan.ties) {
    if (tie.candidate == plan.best) continue;
    const Candidate& c = plan.candidates[tie.candidate];
    const Cut& cut = view.scenario.cuts[c.cut];
    list.push_back({{"cut", CutJson(cut)},
                    {"codec", c.payload.codec},
                    {"name", cut.name},
                    {"alias", cut.alias.empty() ? Json() : Json(cut.alias)},
                    {"objective", Number(c.price.value())},
                    {"difference", (c.price - plan.candidates[plan.best].price).value()},
                    {"above_cheapest", tie.difference.value()},
                    {"uncertainty", tie.uncertainty.value()},
                    {"agreement", c.payload.agreement ? Json(*c.payload.agreement) : Json()},
                    {"cost_per_device_month", c.month.value()},
                    {"cheapest", tie.candidate == plan.optimum()}});
  }
  return list;
}

Json StepJson(const PlanView& view, const PlanStep& p, const char* from, const char* to) {
  const Candidate& c = view.plan.candidates[p.candidate];
  const Cut& cut = view.scenario.cuts[c.cut];
  return {{from, p.from},        {to, p.to},
          {"cut", CutJson(cut)}, {"codec", c.payload.codec},
          {"name", cut.name},    {"alias", cut.alias.empty() ? Json() : Json(cut.alias)}};
}

Json EnvelopeJson(const PlanView& view) {
  Json pieces = Json::array();
  for (const PlanStep& p : view.plan.envelope) {
    Json piece = StepJson(view, p, "from_mbps", "to_mbps");
    // The price is fixed + slope / Mbit/s, or the larger of the two for a pipeline's period.
    const PriceLine& line = view.plan.candidates[p.candidate].over_bandwidth;
    piece["fixed"] = line.fixed.value();
    piece["slope"] = line.slope.value();
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

Json CertificateJson(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Certificate& proof = plan.certificate;
  const bool latency = s.objective.kind == Objective::Kind::kLatency;
  return {{"lower_bound_ms", latency ? Number(proof.lower_bound.value()) : Json()},
          {"value_ms", latency ? Number(proof.value.value()) : Json()},
          {"lower_bound", Number(proof.lower_bound.value())},
          {"value", Number(proof.value.value())},
          {"unit", s.objective.unit()},
          {"method", proof.by_flow ? "min-cut" : "enumeration"},
          {"flow", Number(proof.flow.value())},
          {"flow_equals_cut", proof.flow_equals_cut},
          {"optimum", Number(proof.optimum.value())},
          {"candidates", plan.candidates.size()},
          {"candidates_within", proof.within},
          {"limits", s.limits.Flags()},
          {"only_runnable", plan.only_runnable},
          {"text", ProofText(s, plan)}};
}

/// The Pareto front and, where wanted, all points.
void AddMeasures(const PlanView& view, Json& json) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  json["pareto"] = Json::array();
  for (const size_t i : view.front) {
    json["pareto"].push_back({{"cut", CutJson(s.cuts[plan.candidates[i].cut])},
                              {"codec", plan.candidates[i].payload.codec},
                              {"x", MeasureOf(plan.candidates[i], view.x)},
                              {"y", MeasureOf(plan.candidates[i], view.y)}});
  }
  if (view.scatter) {
    json["scatter"] = Json::array();
    for (const Candidate& c : plan.candidates) {
      json["scatter"].push_back({CutJson(s.cuts[c.cut]), c.payload.codec,
                                 Number(MeasureOf(c, view.x)), Number(MeasureOf(c, view.y)),
                                 c.feasible() && (c.runnable() || !plan.only_runnable)});
    }
  }
}

void AddRivals(const PlanView& view, Json& json) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  if (!view.rivals.empty()) {
    json["rivals"] = Json::array();
    for (const Rival& rival : view.rivals) {
      Json entry = ToJson(s, rival.candidate);
      entry["key"] = rival.key;
      entry["title"] = rival.title;
      json["rivals"].push_back(std::move(entry));
    }
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
}

}  // namespace

PlanView ViewOf(const Scenario& scenario, const Plan& plan, Measure x, Measure y) {
  PlanView view{scenario, plan, plan.BestOfEachCut(), Explain(scenario, plan), x, y, {}, 0, {}};
  view.front = ParetoFront(plan, x, y);
  view.rivals = Rivals(scenario, plan);
  view.scatter = true;
  return view;
}

Json PlanJson(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const auto candidate = [&](size_t i) { return ToJson(s, plan.candidates[i]); };
  Json json{{"best", candidate(plan.best)}, {"candidates", Json::array()}};
  json["best"]["edge_layers"] = EdgeLayers(s.cuts[plan.candidates[plan.best].cut]);
  for (const size_t i : view.shown) json["candidates"].push_back(candidate(i));
  json["envelope"] = EnvelopeJson(view);
  json["nothing_below_mbps"] = plan.nothing_below > 0 ? Json(plan.nothing_below) : Json();
  json["fastest_mbps"] = plan.fastest;
  json["certificate"] = CertificateJson(view);
  json["strict"] = s.strict;
  json["ties"] = TiesJson(view);
  json["uncertainty"] = {{"edge", s.edge_timing.error()},
                         {"cloud", s.cloud_timing.error()},
                         {"source", UncertaintyText(s)},
                         {"text", TiesText(s, plan)}};
  json["beyond"] = plan.beyond ? candidate(*plan.beyond) : Json();
  json["notes"] = NotesOf(s, plan);
  json["plan_ms"] = view.plan_ms;
  json["load_envelope"] = Json::array();
  for (const PlanStep& p : plan.load_envelope) {
    json["load_envelope"].push_back(StepJson(view, p, "from_load", "to_load"));
  }
  json["nothing_above_load"] = plan.nothing_above_load < 1 ? Json(plan.nothing_above_load) : Json();
  AddMeasures(view, json);
  AddRivals(view, json);
  if (plan.two_way) {
    json["two_way"] = {{"value", plan.two_way->value.value()},
                       {"up", plan.two_way->up},
                       {"down", plan.two_way->down}};
  }
  return json;
}

Json ConflictJson(const Scenario& scenario, const Error& error) {
  Plan plan;
  plan.candidates = EnumerateCandidates(scenario);
  Json json{{"best", nullptr},
            {"conflict", {{"limit", error.where}, {"message", error.message}}},
            {"candidates", Json::array()}};
  for (const size_t i : plan.BestOfEachCut()) {
    json["candidates"].push_back(ToJson(scenario, plan.candidates[i]));
  }
  return json;
}

}  // namespace fogline
