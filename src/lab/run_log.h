// What the lab's processes said.
#pragma once

#include <filesystem>
#include <string>

namespace fogline {

/// The last error that one of our own commands wrote to the log, without its "fogline: "; a hint at
/// the log where there is none.
std::string LastComplaint(const std::filesystem::path& log);

}  // namespace fogline
