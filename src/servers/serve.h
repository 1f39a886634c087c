// Starting a server of somebody else and waiting until it answers.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/process.h"
#include "base/result.h"

namespace fogline {

/// A connection to a port of this machine, or none.
Descriptor ConnectHere(int port);

/// Runs `command`, whose first word names it in errors, and returns once `answers` is true. What it
/// says on stderr goes to `said`. kUnavailable with the text of `log` when it ends, or does not
/// answer within ten seconds.
Result<Process> StartServer(const std::vector<std::string>& command,
                            const std::filesystem::path& said, const std::filesystem::path& log,
                            const std::function<bool()>& answers);

}  // namespace fogline
