// Numbers of the command line that must be numbers: CLI::Range lets NaN through, and a cast of what
// is too large for a duration is no duration.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/clock.h"

namespace fogline::cli {

/// A number from `low` to `high`.
CLI::Validator Within(double low, double high);

/// So many pictures or frames a second, at most `high`; 0 stands for no limit. What is nearly 0
/// would wait for centuries and is refused.
CLI::Validator RateUpTo(double high);

/// A flag whose number of `unit`s (std::chrono::seconds(1), …) becomes a duration, from `low` to
/// `high` units. `into` holds the default.
CLI::Option* AddDuration(CLI::App& command, const std::string& name, Nanos& into, Nanos unit,
                         double low, double high, const std::string& help);

}  // namespace fogline::cli
