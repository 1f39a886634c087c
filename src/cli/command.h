// What every subcommand has in common: one file a command, each with a function that adds it to the
// command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace fogline::cli {

/// Flags that every command takes.
struct Common {
  bool json = false;      // one object on stdout, for programs
  bool verbose = false;   // debug lines on stderr
  bool log_json = false;  // logs as JSON lines
};

/// Adds `--json`, `--verbose` and `--log-json` to a command.
void AddCommon(CLI::App& command, Common& common);

/// Sets what the chosen command will do after parsing. Both capture what they need by shared_ptr,
/// since the command line outlives the function that built it.
void SetAction(CLI::App& command, const std::shared_ptr<Common>& common,
               std::function<Status()> action);

// One a file in this folder; the table in main.cc lists them.
void AddInspect(CLI::App& app);
void AddSplit(CLI::App& app);
void AddCalibrate(CLI::App& app);
void AddDemo(CLI::App& app);
void AddLab(CLI::App& app);
void AddEdge(CLI::App& app);
void AddCloud(CLI::App& app);
void AddHealth(CLI::App& app);
void AddKeys(CLI::App& app);
void AddMap(CLI::App& app);
void AddProfile(CLI::App& app);
void AddPlan(CLI::App& app);
void AddCost(CLI::App& app);
void AddTrain(CLI::App& app);
void AddEval(CLI::App& app);
void AddVersion(CLI::App& app);

}  // namespace fogline::cli
