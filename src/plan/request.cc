#include "plan/request.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "codec/codec.h"
#include "profile/library.h"
#include "profile/measured.h"
#include "vision/cascade.h"
#include "vision/exit_cut.h"

namespace fogline {
namespace {

Result<std::vector<std::string>> SplitCodecs(const std::string& list) {
  std::vector<std::string> codecs;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    FOGLINE_TRY(const CodecName name, ParseCodec(list.substr(at, comma - at)));
    codecs.push_back(ToString(name));
    at = comma + 1;
  }
  return codecs;
}

Result<Limits> MakeLimits(const PlanRequest& request, const Model& model) {
  Limits limits;
  if (request.max_latency && request.max_latency_p95) {
    return Fail(ErrorCode::kUsage, "--max-latency", "and --max-latency-p95 exclude each other");
  }
  if (request.max_latency) limits.latency = Milliseconds(*request.max_latency);
  if (request.max_latency_p95) {
    limits.latency = Milliseconds(*request.max_latency_p95);
    limits.latency_at_p95 = true;
  }
  limits.agreement = request.min_agreement;
  limits.accuracy = request.min_accuracy;
  limits.metric = request.min_metric;
  if (request.max_cost) limits.month = Euro(*request.max_cost);
  if (request.max_memory) limits.memory = Bytes(*request.max_memory * 1e6);
  if (request.max_data) limits.uplink_month = Bytes(*request.max_data * 1e9);
  limits.never_send_input = request.never_send_input;
  if (!request.not_before.empty()) {
    FOGLINE_TRY(const Cut cut, FindCut(model, request.not_before));
    limits.keep_on_edge = cut.edge;
  }
  return limits;
}

/// What the little network of a cascade takes on an edge.
Result<PlannedGate::Little> LittleOn(const Machine& edge, const Cascade& cascade,
                                     const Network& big) {
  FOGLINE_TRY(const Network network, LoadLittle(cascade, big));
  FOGLINE_TRY(const Cut whole, FindCut(network.model, NameOf(MechanismKind::kEdgeOnly)));
  PlannedGate::Little little;
  for (const Milliseconds layer : PredictTiming(network.model, edge).layers) little.time += layer;
  little.memory = Bytes(static_cast<double>(whole.edge_weight_bytes));
  return little;
}

/// Those of the network's exits, and of its cascade, that can promise what is asked.
Result<std::vector<PlannedGate>> GatesOf(const Network& network, const Machine& edge,
                                         const PlanRequest& request) {
  const double most = *request.max_disagreement;
  const auto& exits = network.card.exits;
  const std::string flag = fmt::format("--max-disagreement {}", most);
  std::optional<Cascade> cascade;
  if (request.cascades) {
    FOGLINE_TRY(cascade, FindCascade(network));
  }
  if (!cascade) FOGLINE_CHECK(CheckHasExits(network, flag));
  const size_t count = exits.size() + (cascade ? 1 : 0);
  std::vector<PlannedGate> gates;
  std::optional<Error> why;
  for (const EarlyExit& exit : exits) {
    const auto promise = PromiseOf(exit, most, count);
    if (!promise) {
      why = promise.error();
      continue;
    }
    FOGLINE_TRY(Cut cut, CutOfExit(network, exit));
    gates.push_back({NameOfExit(network.model, cut), std::move(cut), *promise});
  }
  if (cascade) {
    if (const auto promise = PromiseOf(cascade->gate, most, count); promise) {
      FOGLINE_TRY(const PlannedGate::Little little, LittleOn(edge, *cascade, network));
      gates.push_back({cascade->gate.at, {}, *promise, little});
    } else {
      why = promise.error();
    }
  }
  if (gates.empty()) return tl::unexpected<Error>(*std::move(why));
  return gates;
}

}  // namespace

Result<PlanSide> LibrarySide(const Model& model, const std::string& name, const std::string& flag) {
  FOGLINE_TRY(Machine machine, FindLibraryMachine(name, flag));
  Timing timing = PredictTiming(model, machine);
  return PlanSide{std::move(machine), std::move(timing)};
}

Result<PlanSide> LoadSide(const Model& model, const std::string& name, const std::string& flag) {
  PlanSide side;
  if (!name.ends_with(".json")) {
    FOGLINE_TRY(side.machine, FindMachine(name, flag));
    side.timing = PredictTiming(model, side.machine);
    return side;
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(name));
  FOGLINE_TRY(const MeasuredProfile profile, MeasuredProfile::ParseOf(model, text, name));
  FOGLINE_TRY(side.timing, TimingOf(model, profile, name));
  // Times scaled to another machine are nobody's own.
  if (profile.scaled_from.empty()) side.processor = profile.cpu;
  // Power and price come from the library when the machine is one of it.
  if (auto known = FindMachine(profile.machine, flag)) {
    side.machine = *std::move(known);
  } else {
    side.machine.name = profile.machine;
    side.machine.title = profile.cpu;
  }
  side.machine.where = name;
  side.machine.compute.threads = profile.threads;
  side.machine.compute.source = side.timing.source;
  return side;
}

Result<Bundle> LoadBundleOf(const Model& model, const std::filesystem::path& path) {
  FOGLINE_TRY(Bundle bundle, Bundle::Load(path));
  if (bundle.model_hash() == model.hash()) return bundle;
  return Fail(ErrorCode::kConflict, path.string(), "was calibrated on model {}, not on {} ({})",
              ToHex(bundle.model_hash()).substr(0, 16), ToHex(model.hash()).substr(0, 16),
              model.where());
}

std::optional<Bundle> BundleBeside(const Model& model, const std::filesystem::path& model_path) {
  std::filesystem::path beside = model_path;
  beside.replace_extension(".bundle");
  if (!Exists(beside)) return std::nullopt;
  if (auto found = LoadBundleOf(model, beside)) return *std::move(found);
  LogWarning("{}: left alone, it is no bundle of this model", beside.string());
  return std::nullopt;
}

Result<Scenario> MakeScenario(const PlanRequest& request, const Network& network,
                              std::vector<Cut> cuts, const Bundle* bundle, PlanSide edge,
                              PlanSide cloud, LinkProfile link) {
  Scenario s;
  s.model = &network.model;
  s.contract = network.contract;
  s.cuts = std::move(cuts);
  s.edge = std::move(edge.machine);
  s.edge_processor = std::move(edge.processor);
  s.edge_timing = std::move(edge.timing);
  s.cloud = std::move(cloud.machine);
  s.cloud_timing = std::move(cloud.timing);
  s.link = std::move(link);
  s.bundle = bundle;
  FOGLINE_TRY(s.codecs, SplitCodecs(request.codecs));
  FOGLINE_TRY(s.objective, ParseObjective(request.objective));
  s.operation = request.operation;
  s.operation.electricity = EuroPerKilowattHour(request.electricity);
  if (request.deliver != "cloud" && request.deliver != "edge") {
    return Fail(ErrorCode::kUsage, "--deliver", "must be cloud or edge");
  }
  s.operation.deliver = request.deliver == "edge" ? Side::kEdge : Side::kCloud;
  FOGLINE_TRY(s.limits, MakeLimits(request, network.model));
  if (request.max_disagreement) {
    FOGLINE_TRY(s.gates, GatesOf(network, s.edge, request));
  }
  s.strict = request.strict;
  s.ideal = request.ideal;
  if (request.device_price) {
    s.edge.purchase = Euro(*request.device_price);
    s.edge.purchase_source = "as asked for";
  }
  if (request.rent) {
    // Of a burstable machine the surplus keeps its own price; one without a rent has one vCPU a
    // thread.
    Rent& rent = s.cloud.rent ? *s.cloud.rent : s.cloud.rent.emplace();
    if (rent.source.empty()) rent.vcpus = s.cloud.compute.threads;
    rent.price = EuroPerHour(*request.rent);
    rent.source = "as asked for";
  }
  return s;
}

}  // namespace fogline
