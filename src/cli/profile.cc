#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/model_args.h"
#include "graph/cut.h"
#include "profile/library.h"
#include "profile/measure.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct ProfileArgs : Common {
  ModelArgs model;
  std::vector<std::string> integers;  // files of the same network
  std::filesystem::path out, scale;
  std::string board, to;
  MeasureOptions measure;
  ProviderFlags provider;
};

std::string Ms(const std::optional<MeasuredHalf>& half) {
  return half ? fmt::format("{:.3f}", half->p50.value()) : "";
}

std::string Spread(const std::optional<MeasuredHalf>& half) {
  return half ? fmt::format("+{:.0f}%", half->spread * 100) : "";
}

void Print(const MeasuredProfile& profile) {
  Table table({{"cut", false, true},
               {"prefix ms", true},
               {"p95", true},
               {"suffix ms", true},
               {"p95", true},
               {"sum against whole", true}});
  for (const MeasuredCut& cut : profile.cuts) {
    const double whole = profile.whole.p50.value();
    const Milliseconds sum = (cut.prefix ? cut.prefix->p50 : Milliseconds(0)) +
                             (cut.suffix ? cut.suffix->p50 : Milliseconds(0));
    table.Add({cut.name, Ms(cut.prefix), Spread(cut.prefix), Ms(cut.suffix), Spread(cut.suffix),
               whole > 0 ? fmt::format("{:+.1f}%", (sum.value() / whole - 1) * 100) : ""});
  }
  fmt::print("{}", table.ToText(StdoutStyle()));
  fmt::print(
      "\n{}: the whole of {} takes {:.3f} ms ({:.3f} at p95) on {} with {} thread{}; halves add up "
      "to it within {:.1f}% on average.\n",
      profile.machine, profile.model_name, profile.whole.p50.value(), profile.whole.p95.value(),
      profile.provider, profile.threads, profile.threads == 1 ? "" : "s", profile.residual * 100);
}

Result<MeasuredProfile> Scaled(const ProfileArgs& args, const Model& model,
                               const std::vector<Cut>& cuts) {
  if (args.to.empty()) {
    return Fail(ErrorCode::kUsage, "--scale", "needs --to with a machine of the library");
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(args.scale));
  FOGLINE_TRY(const MeasuredProfile measured,
              MeasuredProfile::ParseOf(model, text, args.scale.string()));
  FOGLINE_TRY(const Machine target, FindMachine(args.to, "--to"));
  // Refuses a profile of another model before anything is made of it.
  FOGLINE_CHECK(TimingOf(model, measured, args.scale.string()).map([](const Timing&) {}));
  return ScaleTo(model, cuts, measured, target);
}

Result<MeasuredProfile> MeasureHere(ProfileArgs& args, const Network& network,
                                    const std::vector<Cut>& cuts) {
  if (args.measure.threads < 1) return Fail(ErrorCode::kUsage, "--threads", "must be at least 1");
  if (args.measure.budget_s <= 0) return Fail(ErrorCode::kUsage, "--budget", "must be above zero");
  if (args.measure.cool_down_ms < 0) {
    return Fail(ErrorCode::kUsage, "--cool-down", "cannot be negative");
  }
  if (!args.board.empty())
    FOGLINE_CHECK(FindMachine(args.board, "--board").map([](const auto&) {}));
  args.measure.machine = args.board;
  Progress progress("measuring cuts", cuts.size());
  args.measure.progress = [&progress](size_t, const Cut& cut) { progress.Advance(1, cut.name); };
  args.measure.stop = [] { return StopRequested(); };
  FOGLINE_TRY(MeasuredProfile profile, Measure(network.model, cuts, args.measure));
  profile.batch = network.contract.picture.batch;
  return profile;
}

Result<MeasuredProfile> MakeProfile(ProfileArgs& args, const ModelArgs& of) {
  FOGLINE_TRY(const Network network, ReadNetwork(of));
  const Model& model = network.model;
  FOGLINE_TRY(const std::vector<Cut> cuts, ListCuts(model));
  FOGLINE_TRY(MeasuredProfile profile,
              args.scale.empty() ? MeasureHere(args, network, cuts) : Scaled(args, model, cuts));
  constexpr double kTrusted = 0.08;
  if (profile.residual > kTrusted && profile.scaled_from.empty()) {
    LogWarning(
        "halves differ from the whole by {:.0f}% on average: was this machine busy? Measure "
        "again when it is idle, or with a larger --budget",
        profile.residual * 100);
  }
  return profile;
}

Status RunProfile(ProfileArgs& args) {
  FOGLINE_CHECK(Use(args.provider));
  std::vector<MeasuredProfile> profiles;
  FOGLINE_TRY(profiles.emplace_back(), MakeProfile(args, args.model));
  for (const std::string& file : args.integers) {
    ModelArgs model = args.model;
    model.path = file;
    FOGLINE_TRY(profiles.emplace_back(), MakeProfile(args, model));
  }
  const std::string json = MeasuredProfile::ToJson(profiles);
  FOGLINE_CHECK(WriteFile(args.out, json));
  if (args.json) {
    fmt::print("{}\n", Dump(ParseJson(json, "profile").value_or(Json())));
    return {};
  }
  for (const MeasuredProfile& profile : profiles) Print(profile);
  fmt::print("Written to {}: give it to `fogline plan` as --edge or --cloud.\n", args.out.string());
  return {};
}

}  // namespace

void AddProfile(CommandLine& line) {
  Command command =
      line.Add("profile", "Measures this machine: both halves of every cut of a model");
  auto args = std::make_shared<ProfileArgs>();
  AddModelArgs(command, args->model);
  const auto add = [&command](const char* name, auto& value, const char* help, const char* type) {
    return command.Add(name, value, help).Type(type);
  };
  add("--integers", args->integers,
      "measure also this network as `fogline quantize` wrote it, into the same profile", "FILE");
  add("--out", args->out, "the profile to write (JSON)", "FILE").Required();
  add("--threads", args->measure.threads, "threads of the engine (default 1)", "N");
  AddProviderFlags(command, args->provider);
  add("--budget", args->measure.budget_s, "seconds of timed runs in all (default 60)", "SECONDS");
  add("--cool-down", args->measure.cool_down_ms, "rest before each half", "MS");
  add("--board", args->board, "this machine's library name: its power and price come along",
      "NAME");
  add("--scale", args->scale, "measure nothing: scale this profile to the machine of --to", "FILE");
  add("--to", args->to, "machine of the library to scale to", "NAME");
  AddCommon(command, *args);
  command.Example("fogline profile models/litter.onnx --out mine.json",
                  "this machine's times, for plan's --edge or --cloud");
  SetAction(command, args, [args] { return RunProfile(*args); });
}

}  // namespace fogline::cli
