#include "fogline/plan.h"

#include "api/bridge.h"
#include "api/model_impl.h"
#include "base/clock.h"
#include "base/json.h"
#include "pages/plan_page.h"
#include "plan/input.h"
#include "plan/plan_json.h"
#include "plan/policy.h"
#include "plan/words.h"
#include "profile/library.h"
#include "profile/measure.h"

namespace fogline {
namespace v1 {

struct PlanImpl {
  std::unique_ptr<PlanInput> input;
  fogline::Plan plan;
  double plan_ms = 0;
};

}  // namespace v1

namespace {

fogline::PlanRequest Inside(const v1::PlanRequest& from) {
  fogline::PlanRequest to;
  to.objective = from.objective;
  to.codecs = from.codecs;
  to.deliver = from.deliver;
  to.not_before = from.not_before;
  to.max_latency = from.max_latency_ms;
  to.max_latency_p95 = from.max_latency_p95_ms;
  to.min_agreement = from.min_agreement;
  to.min_accuracy = from.min_accuracy;
  to.max_cost = from.max_cost;
  to.max_memory = from.max_memory_mb;
  to.max_data = from.max_data_gb;
  to.max_disagreement = from.max_disagreement;
  to.never_send_input = from.never_send_input;
  to.strict = from.strict;
  if (from.images_per_second) to.operation.images_per_second = *from.images_per_second;
  to.operation.cloud_load = from.cloud_load;
  to.electricity = from.electricity;
  return to;
}

v1::Candidate Outside(const Scenario& scenario, const Candidate& c) {
  const Cut& cut = scenario.cuts[c.cut];
  v1::Candidate out;
  out.cut = cut.index;
  out.cut_name = cut.name;
  out.alias = cut.alias;
  out.mechanism = static_cast<v1::Mechanism>(cut.mechanism());
  out.codec = c.payload.codec;
  out.route = ToString(RouteOf(scenario, c));
  out.edge_ms = c.latency.edge.value();
  out.encode_ms = c.latency.encode.value();
  out.uplink_ms = c.latency.uplink.value();
  out.decode_ms = c.latency.decode.value();
  out.cloud_ms = c.latency.cloud.value();
  out.downlink_ms = c.latency.downlink.value();
  out.latency_ms = c.latency.total().value();
  out.latency_p95_ms = c.latency_p95.value();
  out.bytes = c.payload.bytes.value();
  out.energy_mj = c.energy.value();
  out.euro_month = c.month.value();
  out.edge_memory_bytes = c.memory.value();
  out.objective = c.price.value();
  out.agreement = c.payload.agreement;
  out.runnable = c.runnable();
  for (const Violation& v : c.violations) out.violates.push_back(v.limit);
  return out;
}

Result<v1::Plan> PlanFor(const Network& network, const v1::PlanRequest& request) {
  const PlanPlaces places{request.edge, request.cloud, request.link, request.bundle};
  const fogline::PlanRequest inside = Inside(request);
  FOGLINE_CHECK(CheckPlaces(places, inside));
  FOGLINE_TRY(auto input, MakePlanInput(network, places, inside));
  const Nanos start = Clock::Real().Steady();
  FOGLINE_TRY(Plan plan, MakePlan(input->scenario));
  const double ms = Millis(Clock::Real().Steady() - start);
  return v1::Plan(
      std::make_shared<v1::PlanImpl>(v1::PlanImpl{std::move(input), std::move(plan), ms}));
}

PlanView View(const v1::PlanImpl& impl) {
  PlanView view =
      ViewOf(impl.input->scenario, impl.plan, fogline::Measure::kLatency, fogline::Measure::kCost);
  view.scatter = false;
  view.plan_ms = impl.plan_ms;
  return view;
}

Result<v1::Profile> ProfileOf(const Network& network, const v1::ProfileOptions& wanted) {
  const Model& model = network.model;
  FOGLINE_TRY(const std::vector<Cut> cuts, ListCuts(model));
  MeasureOptions options;
  if (wanted.threads < 1) return Fail(ErrorCode::kUsage, "threads", "must be at least 1");
  if (!(wanted.seconds > 0)) return Fail(ErrorCode::kUsage, "seconds", "must be above zero");
  if (!wanted.machine.empty()) {
    FOGLINE_CHECK(FindMachine(wanted.machine, "machine").map([](const auto&) {}));
  }
  options.threads = wanted.threads;
  options.budget_s = wanted.seconds;
  options.machine = wanted.machine;
  bool stop = false;
  if (wanted.progress) {
    options.progress = [&](size_t done, const Cut&) {
      stop = !wanted.progress(static_cast<double>(done) / static_cast<double>(cuts.size()));
    };
    options.stop = [&] { return stop; };
  }
  FOGLINE_TRY(MeasuredProfile measured, Measure(model, cuts, options));
  measured.batch = network.contract.picture.batch;
  v1::Profile profile{measured.machine,
                      measured.whole.p50.value(),
                      measured.whole.p95.value(),
                      {},
                      measured.ToJson()};
  const auto ms = [](const std::optional<MeasuredHalf>& half, Milliseconds MeasuredHalf::*what) {
    return half ? ((*half).*what).value() : 0;
  };
  for (const MeasuredCut& cut : measured.cuts) {
    profile.cuts.push_back({cut.name, ms(cut.prefix, &MeasuredHalf::p50),
                            ms(cut.prefix, &MeasuredHalf::p95), ms(cut.suffix, &MeasuredHalf::p50),
                            ms(cut.suffix, &MeasuredHalf::p95)});
  }
  return profile;
}

}  // namespace

namespace v1 {

Candidate Plan::best() const {
  return Outside(impl_->input->scenario, impl_->plan.candidates[impl_->plan.best]);
}

std::vector<Candidate> Plan::candidates() const {
  std::vector<Candidate> all;
  for (const fogline::Candidate& c : impl_->plan.candidates) {
    all.push_back(Outside(impl_->input->scenario, c));
  }
  return all;
}

std::vector<PlanStep> Plan::envelope() const {
  std::vector<PlanStep> steps;
  for (const fogline::PlanStep& s : impl_->plan.envelope) {
    steps.push_back({s.from, s.to, s.candidate});
  }
  return steps;
}

double Plan::lower_bound() const { return impl_->plan.certificate.lower_bound.value(); }
std::string Plan::proof() const { return ProofText(impl_->input->scenario, impl_->plan); }
std::string Plan::Json() const { return Dump(PlanJson(View(*impl_))); }

Result<std::string> Plan::Policy() const {
  return Outside(PolicyOf(impl_->input->scenario, impl_->plan).map([](const auto& policy) {
    return policy.ToJson();
  }));
}

std::string Plan::Html() const {
  return PlanPage(View(*impl_), impl_->input->network.path.filename().string());
}

Result<Plan> MakePlan(const Model& model, const PlanRequest& request) {
  return Outside(PlanFor(model.impl().network, request));
}

std::vector<std::string> Machines() {
  std::vector<std::string> names = LibraryNames("devices");
  for (std::string& name : LibraryNames("clouds")) names.push_back(std::move(name));
  return names;
}

std::vector<std::string> Links() { return LibraryNames("links"); }

Result<Profile> MeasureProfile(const Model& model, const ProfileOptions& options) {
  return Outside(ProfileOf(model.impl().network, options));
}

}  // namespace v1
}  // namespace fogline
