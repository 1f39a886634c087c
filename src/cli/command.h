// What every subcommand has in common: one file a command, each with a function that adds it to the
// command line.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "cli/command_line.h"

namespace fogline::cli {

/// Flags that every command takes.
struct Common {
  bool json = false;      // one object on stdout, for programs
  bool verbose = false;   // debug lines on stderr
  bool log_json = false;  // logs as JSON lines
};

/// Adds `--json`, `--verbose` and `--log-json` to a command.
void AddCommon(Command& command, Common& common);

/// Sets what the chosen command will do after parsing. Both capture what they need by shared_ptr,
/// since the command line outlives the function that built it.
void SetAction(Command& command, const std::shared_ptr<Common>& common,
               std::function<Status()> action);

// One a file in this folder, or in lab/; the tables in main.cc and lab/main.cc list them.
void AddInspect(CommandLine& line);
void AddSplit(CommandLine& line);
void AddRun(CommandLine& line);
void AddCalibrate(CommandLine& line);
void AddQuantize(CommandLine& line);
void AddDemo(CommandLine& line);
void AddLab(CommandLine& line);
void AddEdge(CommandLine& line);
void AddCloud(CommandLine& line);
void AddHealth(CommandLine& line);
void AddKeys(CommandLine& line);
void AddMap(CommandLine& line);
void AddStore(CommandLine& line);
void AddProfile(CommandLine& line);
void AddPlan(CommandLine& line);
void AddMachines(CommandLine& line);
void AddLinks(CommandLine& line);
void AddCost(CommandLine& line);
void AddTrain(CommandLine& line);
void AddEval(CommandLine& line);
void AddCascade(CommandLine& line);
void AddChanges(CommandLine& line);
void AddVersion(CommandLine& line);

}  // namespace fogline::cli
