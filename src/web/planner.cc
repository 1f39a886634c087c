#include "web/planner.h"

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cost/fleet_cost.h"
#include "graph/graph_json.h"
#include "plan/plan_json.h"
#include "plan/precision.h"
#include "profile/library.h"
#include "profile/link_json.h"

namespace fogline {
namespace {

constexpr size_t kMostNetworks = 16;

Json MachineJson(const Machine& m) {
  Json json{{"name", m.name},
            {"title", m.title.empty() ? m.name : m.title},
            {"memory_gb", m.memory_gb},
            {"engine", m.compute.engine},
            {"threads", m.compute.threads},
            {"source", m.compute.source}};
  if (m.fit) json["left_out_error"] = m.fit->left_out_median;
  if (m.power) {
    json["power"] = {{"idle_w", m.power->idle.value()},
                     {"busy_w", m.power->busy.value()},
                     {"source", m.power->source}};
  }
  if (m.purchase) {
    json["price"] = {{"euro", m.purchase->value()}, {"source", m.purchase_source}};
  }
  if (m.rent) {
    json["rent"] = {{"euro_per_hour", m.rent->price.value()},
                    {"vcpus", m.rent->vcpus},
                    {"baseline", m.rent->baseline},
                    {"source", m.rent->source}};
  }
  return json;
}

Json NetworkJson(const ShelfModel& shelf, const std::vector<std::string>& integers) {
  const Model& model = shelf.network.model;
  const auto port = [](const Port& p) {
    return Json{{"name", p.name}, {"shape", p.shape.ToString()}};
  };
  Json json{{"name", shelf.name},
            {"description", shelf.network.card.description},
            {"contract", shelf.network.contract.ToString()},
            {"hash", ToHex(model.hash())},
            {"madds", model.madds()},
            {"params", model.params()},
            {"weight_bytes", model.weight_bytes()},
            {"calibrated_images", shelf.bundle ? Json(shelf.bundle->images()) : Json()},
            {"exits", shelf.network.card.exits.size()},
            {"integers", integers}};
  for (const Port& p : model.inputs()) json["inputs"].push_back(port(p));
  for (const Port& p : model.outputs()) json["outputs"].push_back(port(p));
  json.update(GraphJson(model, shelf.cuts));
  return json;
}

}  // namespace

Planner::Planner(std::filesystem::path models) : shelf_(std::move(models)) {}

std::string Planner::Models() {
  Json json{{"models", Json::array()}};
  for (const std::string& name : shelf_.Names()) json["models"].push_back({{"name", name}});
  json["profiles"] = shelf_.Profiles();
  return Dump(json) + "\n";
}

const std::string& Planner::Machines() {
  static const std::string text = [] {
    Json json{{"devices", Json::array()}, {"clouds", Json::array()}, {"links", Json::array()}};
    for (const char* folder : {"devices", "clouds"}) {
      for (const std::string& name : LibraryNames(folder)) {
        if (const auto m = FindLibraryMachine(name, "")) json[folder].push_back(MachineJson(*m));
      }
    }
    for (const std::string& name : LibraryNames("links")) {
      if (const auto link = FindLibraryLink(name, "")) json["links"].push_back(LinkJson(*link));
    }
    return Dump(json) + "\n";
  }();
  return text;
}

Result<Planner::Known*> Planner::Find(const std::string& wanted) {
  std::string name = wanted;
  if (name.empty()) {
    const auto names = shelf_.Names();
    if (names.empty()) {
      return Fail(ErrorCode::kNotFound, "model",
                  "this server was given no models (--models) to plan for");
    }
    name = names.front();
  }
  FOGLINE_TRY(auto model, shelf_.Find(name));
  if (known_.size() >= kMostNetworks && !known_.contains(name)) known_.clear();
  Known& known = known_[name];
  if (known.model != model) known = {std::move(model), {}};
  return &known;
}

Result<PlanSide> Planner::SideOf(Known& known, const std::string& machine,
                                 const std::string& flag) {
  const Model& model = known.model->network.model;
  if (machine.ends_with(".json")) {
    FOGLINE_TRY(const auto path, shelf_.FindProfile(machine, flag));
    auto side = LoadSide(model, path.string(), flag);
    if (side) return side;
    // Where it lies is the operator's business, not the visitor's.
    LogWarning("planner: {}", Printable(side.error().ToString()));
    return Fail(ErrorCode::kNotFound, flag,
                "'{}' holds no times of this network; the server's log says why", machine);
  }
  if (const auto it = known.sides.find(machine); it != known.sides.end()) return it->second;
  FOGLINE_TRY(PlanSide side, LibrarySide(model, machine, flag));
  return known.sides.emplace(machine, std::move(side)).first->second;
}

Result<std::string> Planner::Network(const std::string& model) {
  FOGLINE_TRY(Known * known, Find(model));
  const ShelfModel& shelf = *known->model;
  return Dump(NetworkJson(shelf, shelf_.IntegersOf(shelf.network.model.hash()))) + "\n";
}

Result<Planner::Asked> Planner::Prepare(const std::string& model, const PlannerQuestion& question) {
  FOGLINE_TRY(Known * known, Find(model));
  FOGLINE_TRY(PlanSide edge, SideOf(*known, question.edge, "--edge"));
  FOGLINE_TRY(PlanSide cloud, SideOf(*known, question.cloud, "--cloud"));
  FOGLINE_TRY(LinkProfile link, FindLibraryLink(question.link, "--link"));
  Asked asked{known->model, {}};
  const ShelfModel& shelf = *asked.shelf;
  FOGLINE_TRY(asked.scenario, MakeScenario(question.request, shelf.network, shelf.cuts,
                                           shelf.bundle ? &*shelf.bundle : nullptr, std::move(edge),
                                           std::move(cloud), std::move(link)));
  return asked;
}

Result<std::vector<Planner::Asked>> Planner::PrepareAll(const PlannerQuestion& question) {
  std::vector<Asked> all;
  FOGLINE_TRY(all.emplace_back(), Prepare(question.model, question));
  if (question.integers.empty()) return all;
  const auto known = shelf_.IntegersOf(all.front().shelf->network.model.hash());
  for (const std::string& name : question.integers) {
    if (std::ranges::find(known, name) == known.end()) {
      return Fail(ErrorCode::kNotFound, "integers", "'{}' is not this network in integers{}", name,
                  DidYouMean(name, known));
    }
    FOGLINE_TRY(all.emplace_back(), Prepare(name, question));
    FOGLINE_TRY(all.back().scenario.network_agreement,
                AgreementOfIntegers(all.front().shelf->network, all.back().shelf->network));
  }
  return all;
}

Result<std::string> Planner::Plan(const PlannerQuestion& question) {
  FOGLINE_TRY(auto all, PrepareAll(question));
  const Nanos start = Clock::Real().Steady();
  std::vector<Precision> precisions;
  precisions.reserve(all.size());
  for (Asked& one : all) {
    precisions.push_back({one.shelf->name + ".onnx", &one.scenario, MakePlan(one.scenario)});
  }
  const double plan_ms = Millis(Clock::Real().Steady() - start);
  const auto chosen = ChoosePrecision(precisions);
  if (!chosen) {
    if (chosen.error().code != ErrorCode::kConflict) return tl::unexpected<Error>(chosen.error());
    return Dump(ConflictJson(all.front().scenario, chosen.error())) + "\n";
  }
  PlanView view = ViewOf(all[*chosen].scenario, *precisions[*chosen].plan, question.x, question.y);
  view.plan_ms = plan_ms;
  Json json = PlanJson(view);
  if (all.size() > 1) json["precision"] = PrecisionJson(precisions, *chosen);
  json["fleet"] = FleetJson(view, question.devices);
  return Dump(json) + "\n";
}

}  // namespace fogline
