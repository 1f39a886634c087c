// The model that a command works on, and the shapes it is looked at with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"
#include "vision/network.h"

namespace fogline::cli {

struct ModelArgs {
  std::filesystem::path path;
  std::vector<std::string> shapes;  // "image=1x3x160x160", or the shape alone for the only input
  std::vector<std::string> values;  // "use_big=true", "size=640,480"
};

/// Adds MODEL, --shape and --value.
void AddModelArgs(Command& command, ModelArgs& args);

/// Loads the model with the shapes given, else with the size of the model's card, and says in the
/// log which sizes it had to assume.
Result<Network> ReadNetwork(const ModelArgs& args);

/// "image float32 1x3x160x160".
std::string Describe(const Port& port);

}  // namespace fogline::cli
