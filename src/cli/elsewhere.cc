#include "cli/elsewhere.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "base/process.h"

namespace fogline::cli {
namespace {

constexpr const char* kProgram = "fogline-lab";

struct Row {
  const char* name;
  const char* about;
};
constexpr std::array kRows{
    Row{"lab", "Runs experiments for real, beside what the plan says of them"},
    Row{"quantize", "Puts a network into 8-bit integers and says what that gains and costs"},
    Row{"train", "Fits a classifier of your photographs on a network's features"},
    Row{"eval", "Says how good a model is on labelled photographs"},
    Row{"cascade", "Measures how sure a little network must be to answer for a big one"},
    Row{"changes",
        "Says what of a fixed camera's pictures is unchanged, and which changes that misses"},
};

const Row* Find(std::string_view name) {
  const auto* found = std::ranges::find(kRows, name, [](const Row& row) { return row.name; });
  return found == kRows.end() ? nullptr : found;
}

}  // namespace

bool IsElsewhere(std::string_view command) { return Find(command) != nullptr; }

void AddElsewhere(CommandLine& line) {
  for (const Row& row : kRows) line.Add(row.name, row.about);
}

Command AddHere(CommandLine& line, std::string_view name) {
  const Row& row = *Find(name);
  return line.Add(row.name, row.about);
}

Error BecomeElsewhere(char** argv) {
  const std::string program = (SelfPath().parent_path() / kProgram).string();
  execv(program.c_str(), argv);
  if (errno != ENOENT) {
    return {ErrorCode::kUnavailable, program,
            "cannot start: " + std::generic_category().message(errno)};
  }
  return {ErrorCode::kNotFound, "",
          std::string(argv[1]) +
              " is a command of fogline-lab, which is not built yet: `make build` builds it"};
}

}  // namespace fogline::cli
