#include "cli/plan_args.h"

#include "plan/precision.h"

namespace fogline::cli {
void AddPlanArgs(Command& command, PlanArgs& args) {
  AddModelArgs(command, args.model);
  const auto add = [&command](const char* name, auto& value, const char* help, const char* type) {
    return command.Add(name, value, help).Type(type);
  };
  add("--edge", args.places.edge,
      "machine at the edge: library name, .toml, or a measured profile's .json", "DEV")
      .Required();
  add("--cloud", args.places.cloud, "machine in the cloud, likewise", "DEV").Required();
  add("--link", args.places.link,
      "library name, with changes as in 4g,up=3Mbps, up=8Mbps,down=30Mbps,rtt=40ms alone, a .toml, "
      "or a recorded trace, with changes too: drive.csv,rtt=40ms",
      "LINK")
      .Required();
  add("--objective", args.request.objective,
      "latency, cost, energy, throughput, or a sum like latency=1,cost=200", "WHAT");
  add("--bundle", args.places.bundle,
      "what `fogline calibrate` found (default: the .bundle beside the model)", "FILE");
  add("--integers", args.integers,
      "this network as `fogline quantize` wrote it: the plan chooses (may be given again)", "FILE");
  add("--codec", args.request.codecs, "allow these codecs only, as in json or f32,f16", "LIST");
  add("--deliver", args.request.deliver, "where results are wanted: cloud (default) or edge",
      "SIDE")
      .OneOf({"cloud", "edge"});
  command.AddFlag("--two-way", args.request.operation.two_way,
                  "also say what sending tensors back down would gain");
  command.AddFlag(
      "--strict", args.request.strict,
      "the cheapest, even when what the times cannot tell from it changes fewer verdicts");
  command.AddFlag("--ideal", args.request.ideal,
                  "recommend also what edge and cloud do not run yet");
  add("--rate", args.request.operation.images_per_second, "images a device and second, for money",
      "N");
  add("--lifetime", args.request.operation.lifetime_months, "months over which a device is paid",
      "MONTHS");
  add("--electricity", args.request.electricity, "euro a kWh", "EURO");
  add("--device-price", args.request.device_price, "euro, instead of the machine's own", "EURO")
      .NotNegative();
  add("--rent", args.request.rent, "euro an hour of the cloud's machine, instead of its own",
      "EURO")
      .NotNegative();
  add("--devices", args.devices, "a fleet of so many: its bill, in whole instances", "N")
      .Within(1, 1e9);
  add("--cloud-load", args.request.operation.cloud_load,
      "share of the cloud's time taken by others", "0..1");
  command.AddFlag("--ignore-credits", args.request.operation.ignore_credits,
                  "bill a burstable instance as if it could run flat out");
  const char* limits = "Limits";
  for (Option option :
       {add("--max-latency", args.request.max_latency, "milliseconds, typical", "MS"),
        add("--max-latency-p95", args.request.max_latency_p95, "milliseconds, 95th percentile",
            "MS"),
        add("--min-agreement", args.request.min_agreement,
            "with the unsplit model (default: codecs below 0.95 are left alone)", "0..1"),
        add("--min-accuracy", args.request.min_accuracy, "top-1 with the labels of calibration",
            "0..1"),
        add("--min-metric", args.request.min_metric, "what `calibrate --metric` measured", "X"),
        add("--max-cost", args.request.max_cost, "euro a device and month", "EURO"),
        add("--max-memory", args.request.max_memory, "megabytes on the edge", "MB"),
        add("--max-data", args.request.max_data, "gigabytes sent a device and month", "GB"),
        add("--max-disagreement", args.request.max_disagreement,
            "sure pictures may leave at the network's early exits, as long as no more than this "
            "share gets another class",
            "0..0.5"),
        add("--not-before", args.request.not_before,
            "nothing before this cut or tensor leaves the edge", "CUT")}) {
    option.Group(limits);
  }
  command
      .AddFlag("--never-send-input", args.request.never_send_input, "the picture stays on the edge")
      .Group(limits);
  command.AddFlag("--explain", args.explain, "say which term decided it against each rival");
  command.AddFlag("--all", args.all, "list every codec of every cut");
  add("--pareto", args.pareto, "two of latency, cost, energy, throughput, bytes, agreement", "X,Y");
  add("--policy-file", args.policy,
      "write what 'fogline edge --mechanism auto' may choose from to this file", "FILE");
  add("--html", args.html, "write a page with the charts to this file", "FILE");
  AddCommon(command, args);
}

Result<std::vector<std::unique_ptr<PlanInput>>> LoadPlanInputs(const PlanArgs& args) {
  // Before the model is loaded: a mistyped name shall not wait for it.
  FOGLINE_CHECK(CheckPlaces(args.places, args.request));
  std::vector<std::unique_ptr<PlanInput>> inputs;
  FOGLINE_TRY(Network whole, ReadNetwork(args.model));
  FOGLINE_TRY(inputs.emplace_back(), MakePlanInput(std::move(whole), args.places, args.request));
  for (const std::string& file : args.integers) {
    ModelArgs model = args.model;
    model.path = file;
    PlanPlaces places = args.places;
    places.bundle.clear();
    FOGLINE_TRY(Network integers, ReadNetwork(model));
    FOGLINE_TRY(const double agreement, AgreementOfIntegers(inputs.front()->network, integers));
    FOGLINE_TRY(inputs.emplace_back(), MakePlanInput(std::move(integers), places, args.request));
    inputs.back()->scenario.network_agreement = agreement;
  }
  return inputs;
}

}  // namespace fogline::cli
