// What trials found, kept in the process and, as lines of a small file, from process to process.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "engine/trial.h"

namespace fogline {

/// By a hash of network, engine and question. Thread-safe. A file that cannot be read or written is
/// done without: it only saves time.
class Verdicts {
 public:
  struct Verdict {
    std::optional<Level> level;  // that the engine survived
    bool fell = false;           // a process died in a run of it: its level is the safest
    int deaths = 0;              // times that it died at every level, or unoptimised in a run
  };

  /// Reads the file; empty: none.
  explicit Verdicts(std::filesystem::path file);

  Verdict Find(const Sha256& key) const;
  void AddSurvived(const Sha256& key, Level level);
  /// Returns how often that is by now.
  int AddDeath(const Sha256& key);
  /// What is to be appended to the file, by a process that dies of a run at this level: from then
  /// on the safest level holds, and two deaths once that was it.
  static std::string LineOfFall(const Sha256& key, Level level);

 private:
  void ReadLine(std::string_view line);
  void Append(const std::string& line) const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Verdict> verdicts_;
};

}  // namespace fogline
