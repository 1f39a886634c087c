#include "cli/plan_args.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/codec.h"
#include "profile/library.h"
#include "profile/measured.h"

namespace fogline::cli {
namespace {

/// One side: a machine of the library, a machine's .toml, or a profile measured by `fogline
/// profile`.
Status LoadSide(const Model& model, const std::string& name, const std::string& flag,
                Machine& machine, Timing& timing) {
  if (!name.ends_with(".json")) {
    FOGLINE_TRY(machine, FindMachine(name, flag));
    timing = PredictTiming(model, machine);
    return {};
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(name));
  FOGLINE_TRY(const MeasuredProfile profile, MeasuredProfile::Parse(text, name));
  FOGLINE_TRY(timing, TimingOf(model, profile, name));
  // Power and price come from the library when the machine is one of it.
  if (auto known = FindMachine(profile.machine, flag)) {
    machine = *std::move(known);
  } else {
    machine.name = profile.machine;
    machine.title = profile.cpu;
  }
  machine.where = name;
  machine.compute.threads = profile.threads;
  machine.compute.source = timing.source;
  return {};
}

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

Status CheckBundle(const Bundle& bundle, const Model& model, const std::string& path) {
  if (bundle.model_hash() == model.hash()) return {};
  return Fail(ErrorCode::kConflict, path, "was calibrated on model {}, not on {} ({})",
              ToHex(bundle.model_hash()).substr(0, 16), ToHex(model.hash()).substr(0, 16),
              model.where());
}

Result<Limits> MakeLimits(const PlanArgs& args, const Model& model) {
  Limits limits;
  if (args.max_latency && args.max_latency_p95) {
    return Fail(ErrorCode::kUsage, "--max-latency", "and --max-latency-p95 exclude each other");
  }
  if (args.max_latency) limits.latency = Milliseconds(*args.max_latency);
  if (args.max_latency_p95) {
    limits.latency = Milliseconds(*args.max_latency_p95);
    limits.latency_at_p95 = true;
  }
  limits.agreement = args.min_agreement;
  limits.accuracy = args.min_accuracy;
  if (args.max_cost) limits.month = Euro(*args.max_cost);
  if (args.max_memory) limits.memory = Bytes(*args.max_memory * 1e6);
  if (args.max_data) limits.uplink_month = Bytes(*args.max_data * 1e9);
  limits.never_send_input = args.never_send_input;
  if (!args.not_before.empty()) {
    FOGLINE_TRY(const Cut cut, FindCut(model, args.not_before));
    limits.keep_on_edge = cut.edge;
  }
  return limits;
}

}  // namespace

void AddPlanArgs(CLI::App& command, PlanArgs& args) {
  AddModelArgs(command, args.model);
  const auto add = [&command](const char* name, auto& value, const char* help, const char* type) {
    return command.add_option(name, value, help)->type_name(type);
  };
  add("--edge", args.edge,
      "machine at the edge: library name, .toml, or a measured profile's .json", "DEV")
      ->required();
  add("--cloud", args.cloud, "machine in the cloud, likewise", "DEV")->required();
  add("--link", args.link,
      "library name, up=8Mbps,down=30Mbps,rtt=40ms, a .toml, or a recorded trace", "LINK")
      ->required();
  add("--objective", args.objective,
      "latency, cost, energy, throughput, or a sum like latency=1,cost=200", "WHAT");
  add("--bundle", args.bundle,
      "what `fogline calibrate` found (default: the .bundle beside the model)", "FILE");
  add("--codec", args.codecs, "allow these codecs only, as in json or f32,f16", "LIST");
  add("--deliver", args.deliver, "where results are wanted: cloud (default) or edge", "SIDE")
      ->check(CLI::IsMember({"cloud", "edge"}));
  command.add_flag("--two-way", args.operation.two_way,
                   "also say what sending tensors back down would gain");
  add("--rate", args.operation.images_per_second, "images a device and second, for money", "N");
  add("--lifetime", args.operation.lifetime_months, "months over which a device is paid", "MONTHS");
  add("--electricity", args.electricity, "euro a kWh", "EURO");
  add("--cloud-load", args.operation.cloud_load, "share of the cloud's time taken by others",
      "0..1");
  command.add_flag("--ignore-credits", args.operation.ignore_credits,
                   "bill a burstable instance as if it could run flat out");
  const char* limits = "Limits";
  for (CLI::Option* option :
       {add("--max-latency", args.max_latency, "milliseconds, typical", "MS"),
        add("--max-latency-p95", args.max_latency_p95, "milliseconds, 95th percentile", "MS"),
        add("--min-agreement", args.min_agreement, "top-1 with the unsplit model", "0..1"),
        add("--min-accuracy", args.min_accuracy, "top-1 with the labels of calibration", "0..1"),
        add("--max-cost", args.max_cost, "euro a device and month", "EURO"),
        add("--max-memory", args.max_memory, "megabytes on the edge", "MB"),
        add("--max-data", args.max_data, "gigabytes sent a device and month", "GB"),
        add("--not-before", args.not_before, "nothing before this cut or tensor leaves the edge",
            "CUT")}) {
    option->group(limits);
  }
  command.add_flag("--never-send-input", args.never_send_input, "the picture stays on the edge")
      ->group(limits);
  command.add_flag("--explain", args.explain, "say which term decided it against each rival");
  command.add_flag("--all", args.all, "list every codec of every cut");
  add("--pareto", args.pareto, "two of latency, cost, energy, throughput, bytes, agreement", "X,Y");
  add("--html", args.html, "write a page with the charts to this file", "FILE");
  AddCommon(command, args);
}

Result<std::unique_ptr<PlanInput>> LoadPlanInput(const PlanArgs& args) {
  FOGLINE_TRY(const Objective objective, ParseObjective(args.objective));
  FOGLINE_TRY(std::vector<std::string> codecs, SplitCodecs(args.codecs));
  FOGLINE_TRY(LinkProfile link, FindLink(args.link, "--link"));
  for (const auto& [name, flag] : {std::pair(args.edge, "--edge"), {args.cloud, "--cloud"}}) {
    // Before the model is loaded: a mistyped name shall not wait for it.
    if (!name.ends_with(".json")) FOGLINE_CHECK(FindMachine(name, flag).map([](const auto&) {}));
  }
  FOGLINE_TRY(Model model, LoadModel(args.model));
  auto input = std::make_unique<PlanInput>(PlanInput{std::move(model), {}, {}});
  Scenario& s = input->scenario;
  s.model = &input->model;
  FOGLINE_TRY(s.cuts, ListCuts(input->model));
  FOGLINE_CHECK(LoadSide(input->model, args.edge, "--edge", s.edge, s.edge_timing));
  FOGLINE_CHECK(LoadSide(input->model, args.cloud, "--cloud", s.cloud, s.cloud_timing));
  s.link = std::move(link);
  // A bundle beside the model is taken without being asked for, if it is this model's.
  std::filesystem::path beside = args.model.path;
  beside.replace_extension(".bundle");
  if (args.bundle.empty() && std::filesystem::exists(beside)) {
    auto found = Bundle::Load(beside);
    if (found && CheckBundle(*found, input->model, beside.string())) {
      input->bundle = *std::move(found);
      s.bundle = &*input->bundle;
    } else {
      LogWarning("{}: left alone, it is no bundle of this model", beside.string());
    }
  }
  if (!args.bundle.empty()) {
    FOGLINE_TRY(input->bundle, Bundle::Load(args.bundle));
    FOGLINE_CHECK(CheckBundle(*input->bundle, input->model, args.bundle.string()));
    s.bundle = &*input->bundle;
  }
  s.codecs = std::move(codecs);
  s.objective = objective;
  s.operation = args.operation;
  s.operation.electricity = EuroPerKilowattHour(args.electricity);
  s.operation.deliver = args.deliver == "edge" ? Side::kEdge : Side::kCloud;
  FOGLINE_TRY(s.limits, MakeLimits(args, input->model));
  return input;
}

}  // namespace fogline::cli
