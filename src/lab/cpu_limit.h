// A share of a core, held by the kernel's control groups.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

/// A group of processes that together get so many cores; it goes with this object.
class CpuLimit {
 public:
  /// kUnavailable where control groups may not be made. Both of the kernel's interfaces are tried.
  static Result<std::unique_ptr<CpuLimit>> Make(double cores);
  ~CpuLimit();

  /// To be put before a command so that it runs in the group.
  std::vector<std::string> enter() const;

 private:
  explicit CpuLimit(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace fogline
