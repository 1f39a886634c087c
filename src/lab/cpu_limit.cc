#include "lab/cpu_limit.h"
#include "base/paths.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>

namespace fogline {
namespace {

/// Short, so that a limited core looks slow and not stop-and-go. The kernel's least quota is 1 ms.
constexpr double kPeriodUs = 5000;
constexpr double kLeastQuotaUs = 1000;

/// Control files are written in place: they can be neither made nor replaced.
bool Put(const std::filesystem::path& file, const std::string& text) {
  if (!Exists(file)) return false;
  std::ofstream out(file);
  out << text;
  out.close();
  return out.good();
}

}  // namespace

Result<std::unique_ptr<CpuLimit>> CpuLimit::Make(double cores) {
  static std::atomic<int> count{0};
  const std::string name = fmt::format("fogline-lab-{}-{}", getpid(), count++);
  const double period = std::max(kPeriodUs, std::ceil(kLeastQuotaUs / cores));
  const auto quota = fmt::format("{:.0f}", period * cores);
  for (const char* root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}) {
    const std::filesystem::path folder = std::filesystem::path(root) / name;
    std::error_code error;
    if (!std::filesystem::create_directory(folder, error)) continue;
    auto limit = std::unique_ptr<CpuLimit>(new CpuLimit(folder));
    const bool v1 = Put(folder / "cpu.cfs_period_us", fmt::format("{:.0f}", period)) &&
                    Put(folder / "cpu.cfs_quota_us", quota);
    if (v1 || Put(folder / "cpu.max", fmt::format("{} {:.0f}", quota, period))) return limit;
  }
  return Fail(ErrorCode::kUnavailable, "control groups", "may not be made here");
}

CpuLimit::~CpuLimit() {
  std::error_code ignored;
  std::filesystem::remove(folder_, ignored);
}

std::vector<std::string> CpuLimit::enter() const {
  return {"/bin/sh", "-c",
          fmt::format("echo $$ > {}/cgroup.procs && exec \"$@\"", folder_.string()), "sh"};
}

}  // namespace fogline
