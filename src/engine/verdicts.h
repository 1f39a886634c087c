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
    int deaths = 0;              // times that it died at every level
  };

  /// Reads the file; empty: none.
  explicit Verdicts(std::filesystem::path file);

  Verdict Find(const Sha256& key) const;
  void AddSurvived(const Sha256& key, Level level);
  /// Returns how often that is by now.
  int AddDeath(const Sha256& key);

 private:
  void ReadLine(std::string_view line);
  void Append(const std::string& line) const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Verdict> verdicts_;
};

}  // namespace fogline
