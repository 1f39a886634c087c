// fogline: the command line. Exit status 0 on success, 2 on bad usage, 1 on any other failure, with
// one line on stderr.
#include <CLI/CLI.hpp>
#include <algorithm>
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
const std::vector<void (*)(CLI::App&)> kCommands{
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

/// CLI11 answers an unknown word with "the following argument was not expected"; name the nearest
/// one instead.
std::string Suggest(const CLI::App& app, int argc, char** argv) {
  const CLI::App* command = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::vector<std::string> names;
    if (word.starts_with("--")) {
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      }
      const std::string flag = word.substr(0, word.find('='));
      if (std::find(names.begin(), names.end(), flag) == names.end()) {
        return "unknown flag " + flag + DidYouMean(flag, names);
      }
    } else if (command == &app) {
      for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
      if (std::find(names.begin(), names.end(), word) == names.end()) {
        return "unknown command '" + word + "'" + DidYouMean(word, names);
      }
      command = app.get_subcommand(word);
    }
  }
  return {};
}

int Main(int argc, char** argv) {
  CatchStopSignals();
  CLI::App app(
      "Fogline draws the line between edge and cloud through a CNN, and runs it on both sides.");
  app.name("fogline");
  app.set_version_flag("--version", "fogline " FOGLINE_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  for (const auto add : kCommands) add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help and --version
  } catch (const CLI::ParseError& e) {
    const std::string better = dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr ||
                                       dynamic_cast<const CLI::RequiredError*>(&e) != nullptr
                                   ? Suggest(app, argc, argv)
                                   : std::string();
    return Report({ErrorCode::kUsage, "", better.empty() ? e.what() : better});
  }
  const Status status = chosen();
  return status ? 0 : Report(status.error());
}

}  // namespace

void AddCommon(CLI::App& command, Common& common) {
  command.add_flag("--json", common.json, "one JSON object on stdout");
  command.add_flag("--verbose", common.verbose, "debug lines on stderr");
  command.add_flag("--log-json", common.log_json, "logs as JSON lines");
}

void SetAction(CLI::App& command, const std::shared_ptr<Common>& common,
               std::function<Status()> action) {
  command.callback([common, action = std::move(action)] {
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
