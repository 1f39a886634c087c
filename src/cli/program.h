// What fogline and fogline-lab have in common as programs.
#pragma once

#include <span>

#include "cli/command_line.h"

namespace fogline::cli {

using AddCommand = void (*)(CommandLine&);

/// Reads the words and does what they ask, with `commands` in the order of --help, and `welcome`
/// for who says nothing. The exit status: 0 on success, 2 on bad usage, 1 on any other failure,
/// with one line on stderr. A network is opened for the first time by a child of this very program,
/// which this is then, too.
int RunProgram(int argc, char** argv, std::span<const AddCommand> commands,
               const char* welcome = "");

}  // namespace fogline::cli
