// fogline changes: what a fixed camera's pictures allow edge --change-threshold to skip.
#include <fmt/format.h>

#include "base/binomial.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/flags.h"
#include "cli/lab/score_view.h"
#include "edge/change_study.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

constexpr double kConfidence = 0.95;

struct ChangesArgs : Common {
  ChangeStudyOptions study;
  std::vector<std::string> cameras;
  double most_wrong = 0.01;
};

/// At most this share of changes is missed, as far as these are drawn like others.
double MissedBound(const ChangeStep& step) {
  return step.changes == 0 ? 1
                           : ChanceAtMost(static_cast<int64_t>(step.missed),
                                          static_cast<int64_t>(step.changes), kConfidence);
}

Json ToJson(const ChangeStudy& study, const ChangeStep* best) {
  Json steps = Json::array();
  for (const ChangeStep& step : study.steps) {
    steps.push_back({{"threshold", step.threshold},
                     {"pictures", step.pictures},
                     {"unchanged", step.unchanged},
                     {"wrong", step.wrong},
                     {"changes", step.changes},
                     {"missed", step.missed},
                     {"missed_bound", MissedBound(step)}});
  }
  return {{"steps", std::move(steps)},
          {"threshold", best != nullptr ? Json(best->threshold) : Json()},
          {"skipped", study.skipped}};
}

void Print(const ChangeStudy& study, const ChangeStep* best, double most_wrong) {
  Table table({{"threshold", true},
               {"unchanged", true},
               {"wrong", true},
               {"changes missed", true},
               {"at most (95 %)", true}});
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  for (const ChangeStep& step : study.steps) {
    table.Add({fmt::format("{:g}", step.threshold), percent(step.unchanged_share()),
               percent(step.wrong_share()), fmt::format("{} of {}", step.missed, step.changes),
               percent(MissedBound(step))},
              &step == best ? Table::Weight::kStrong : Table::Weight::kNormal);
  }
  fmt::print("{} pictures\n{}", study.steps.front().pictures, table.ToText(StdoutStyle()));
  if (best == nullptr) {
    fmt::print("no threshold keeps to {:g} % of wrong pictures\n", 100 * most_wrong);
  } else {
    fmt::print("fogline edge --change-threshold {:g} … keeps to {:g} % of wrong pictures here\n",
               best->threshold, 100 * most_wrong);
  }
}

Status Run(ChangesArgs& args) {
  args.study.cameras.assign(args.cameras.begin(), args.cameras.end());
  StageProgress progress;
  auto studied =
      StudyChanges(args.study, [&](size_t total) { progress.Advance("looking", total); });
  progress.Wipe();
  FOGLINE_TRY(const ChangeStudy study, std::move(studied));
  const ChangeStep* const best = HighestWithin(study.steps, args.most_wrong);
  if (args.json) {
    fmt::print("{}\n", Dump(ToJson(study, best)));
  } else {
    Print(study, best, args.most_wrong);
  }
  return {};
}

}  // namespace

void AddChanges(CommandLine& line) {
  Command command = AddHere(line, "changes");
  auto args = std::make_shared<ChangesArgs>();
  command
      .Add("CAMERA", args->cameras,
           "folders of pictures, one a fixed camera, in the order of their names; sub-folders, "
           "where there are any, say what is to be seen in theirs")
      .Required();
  command.Add("--model", args->study.model,
              "an ONNX network: what it says of each picture counts, not the sub-folders");
  command
      .Add("--max-disagreement", args->most_wrong,
           "the share of pictures that may be stored with another's result")
      .Within(0, 1)
      .ShowDefault();
  command.Add("--threads", args->study.threads, "threads of the engine; 0 uses every core")
      .Range(0, 256)
      .ShowDefault();
  AddCommon(command, *args);
  command.Example("fogline changes camera-a/ camera-b/ --model models/litter.onnx",
                  "which --change-threshold misses what, on the pictures of two cameras");
  SetAction(command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
