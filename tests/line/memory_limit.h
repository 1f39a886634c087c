// A process under the memory limit of its systemd unit. With a control group the kernel holds it;
// where none can be made, what the process held at most is compared afterwards.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace fogline {

class MemoryLimit {
 public:
  /// "MemoryMax=" of deploy/systemd/UNIT.service.
  explicit MemoryLimit(const std::string& unit) {
    const auto file =
        std::filesystem::path(FOGLINE_SOURCE_DIR) / "deploy/systemd" / (unit + ".service");
    const std::string text = ReadTextFile(file).value();
    const std::string key = "\nMemoryMax=";
    size_t after = 0;
    const std::string value = text.substr(text.find(key) + key.size());
    bytes_ = std::stoull(value, &after) << (value[after] == 'G' ? 30 : 20);
    // Version 1 and version 2 of control groups.
    const std::string name = "fogline-test-" + std::to_string(getpid());
    for (const auto& [root, limit] : {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                                      {"/sys/fs/cgroup", "memory.max"}}) {
      const auto folder = std::filesystem::path(root) / name;
      std::error_code error;
      if (!std::filesystem::create_directory(folder, error)) continue;
      if (std::filesystem::exists(folder / limit)) {
        std::ofstream(folder / limit) << bytes_;
        folder_ = folder;
        break;
      }
      std::filesystem::remove(folder, error);
    }
    std::printf("%s: %llu MiB, %s\n", unit.c_str(), static_cast<unsigned long long>(bytes_ >> 20),
                folder_.empty() ? "no control group: its peak is compared" : "by a control group");
  }
  ~MemoryLimit() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove(folder_, ignored);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  /// Words before the command line.
  std::vector<std::string> words() const {
    if (folder_.empty()) return {};
    return {"/bin/sh", "-c", "echo $$ > " + (folder_ / "cgroup.procs").string() + " && exec \"$@\"",
            "sh"};
  }

  /// Once the process has ended.
  void ExpectHeld(const Process& process) const {
    const uint64_t peak = process.max_resident_bytes();
    std::printf("at most %llu MiB resident\n", static_cast<unsigned long long>(peak >> 20));
    EXPECT_LT(peak, bytes_);
  }

 private:
  uint64_t bytes_ = 0;
  std::filesystem::path folder_;
};

}  // namespace fogline
