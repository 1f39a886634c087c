// fogline: the command line. Exit status 0 on success, 2 on bad usage, 1 on any other failure, with
// one line on stderr.
#include <cstdio>
#include <exception>
#include <vector>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/command.h"
#include "engine/trial.h"

namespace fogline::cli {
namespace {

// One line a command, in the order of --help.
// clang-format off
const std::vector<void (*)(CommandLine&)> kCommands{
    AddInspect,
    AddSplit,
    AddCalibrate,
    AddProfile,
    AddPlan,
    AddCost,
    AddDemo,
    AddLab,
    AddEdge,
    AddCloud,
    AddMap,
    AddKeys,
    AddHealth,
    AddTrain,
    AddEval,
    AddVersion,
};
// clang-format on

std::function<Status()> chosen;

int Report(const Error& error) {
  std::fputs(("fogline: " + Printable(error.ToString()) + "\n").c_str(), stderr);
  return error.code == ErrorCode::kUsage ? 2 : 1;
}

int Main(int argc, char** argv) {
  CatchStopSignals();
  CommandLine line(
      "fogline",
      "Fogline draws the line between edge and cloud through a CNN, and runs it on both sides.",
      "fogline " FOGLINE_VERSION);
  for (const auto add : kCommands) add(line);
  const auto done = line.Parse(argc, argv);
  if (!done) return Report(done.error());
  if (*done) return **done;
  const Status status = chosen();
  return status ? 0 : Report(status.error());
}

}  // namespace

void AddCommon(Command& command, Common& common) {
  command.AddFlag("--json", common.json, "one JSON object on stdout");
  command.AddFlag("--verbose", common.verbose, "debug lines on stderr");
  command.AddFlag("--log-json", common.log_json, "logs as JSON lines");
}

void SetAction(Command& command, const std::shared_ptr<Common>& common,
               std::function<Status()> action) {
  command.WhenChosen([common, action = std::move(action)] {
    if (common->verbose) SetLogLevel(LogLevel::kDebug);
    if (common->log_json) SetLogJson(true);
    chosen = action;
  });
}

}  // namespace fogline::cli

int main(int argc, char** argv) {
  // A network is opened for the first time by a child of this program.
  constexpr const char* kTrial = "trial";
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == kTrial) return fogline::RunTrial(std::span(words).subspan(1));
  fogline::SetTrials({.program = {"/proc/self/exe", kTrial}, .memory = fogline::TrialMemory()});
  // The library never throws past its rooms; what still arrives here (out of memory, a bug) gets
  // its one line too.
  try {
    return fogline::cli::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fogline: %s\n", e.what());
    return 1;
  }
}
