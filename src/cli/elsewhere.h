// Commands that make and measure networks are in a second program, fogline-lab, beside fogline: no
// device, cloud or demo needs them, and the first build does not wait for them. People call them as
// all others, `fogline train`, and never see the second program.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command_line.h"

namespace fogline::cli {

/// True where `command` is one of fogline-lab's.
bool IsElsewhere(std::string_view command);

/// Lists fogline-lab's commands in fogline's --help.
void AddElsewhere(CommandLine& line);

/// In fogline-lab: the command itself. `name` must be one of IsElsewhere().
Command AddHere(CommandLine& line, std::string_view name);

/// Becomes fogline-lab with these words: comes back only where that fails. kNotFound where it was
/// not built yet.
Error BecomeElsewhere(char** argv);

}  // namespace fogline::cli
