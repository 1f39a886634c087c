#include "cli/program.h"

#include <cstdio>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "base/uncaught.h"
#include "base/url.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "engine/trial.h"

namespace fogline::cli {
namespace {

constexpr const char* kTrial = "trial";
constexpr const char* kNoMemory =
    "fogline: no memory left, and ends at once; what was answered is stored, what is spooled goes "
    "out after the next start\n";

std::function<Status()> chosen;

int Report(const Error& error) {
  std::fputs(("fogline: " + Printable(error.ToString()) + "\n").c_str(), stderr);
  return error.code == ErrorCode::kUsage ? 2 : 1;
}

int Run(int argc, char** argv, std::span<const AddCommand> commands, const char* welcome) {
  CatchStopSignals();
  CommandLine line(
      "fogline",
      "Fogline draws the line between edge and cloud through a CNN, and runs it on both sides.",
      "fogline " FOGLINE_VERSION);
  for (const AddCommand add : commands) add(line);
  line.Welcome(welcome);
  const auto done = line.Parse(argc, argv);
  HideSecrets(argc, argv);  // whoever lists processes has read no password of ours
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

int RunProgram(int argc, char** argv, std::span<const AddCommand> commands, const char* welcome) {
  EndOnUncaught(kNoMemory);  // in any thread
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == kTrial) return RunTrial(std::span(words).subspan(1));
  SetTrials({.program = {"/proc/self/exe", kTrial}, .memory = TrialMemory()});
  // The library never throws past its rooms; what still arrives here (out of memory, a bug) gets
  // its one line too.
  try {
    return Run(argc, argv, commands, welcome);
  } catch (const std::bad_alloc&) {
    std::fputs(kNoMemory, stderr);
    return 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fogline: %s\n", e.what());
    return 1;
  }
}

}  // namespace fogline::cli
