// The models of a folder, read when somebody first plans with them.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "codec/bundle.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

/// What of a model no question about it changes.
struct ShelfModel {
  std::string name;  // the file's, without ".onnx"
  Network network;
  std::vector<Cut> cuts;         // ListCuts
  std::optional<Bundle> bundle;  // beside the model's file, if it is this model's
};

/// Reading takes from a tenth of a second to seconds, so a thread does it while the asker is told
/// to come back. Thread-safe. Models are few and small (their weights stay in the file); the 16
/// used last are kept.
class ModelShelf {
 public:
  /// An empty path is an empty shelf.
  explicit ModelShelf(std::filesystem::path folder);

  /// Names of the models, sorted, at most 200; looked up again after a few seconds.
  std::vector<std::string> Names();
  /// kNotFound with the nearest names, kUnavailable while it is being read (which this starts),
  /// kNotFound, too, for one that cannot be used; the log says why. A file that has changed is read
  /// again, and one that could not be read for a reason that may pass a moment later.
  Result<std::shared_ptr<const ShelfModel>> Find(const std::string& name);
  /// The same by the hash of the model's file in hexadecimal, as detections name it: reads one
  /// model after the other until it is found.
  Result<std::shared_ptr<const ShelfModel>> FindByHash(const std::string& hash);
  /// Names of those that are this network in integers, by what their cards say.
  std::vector<std::string> IntegersOf(const Sha256& network);

  /// Files of the folder that may be measured profiles ("pi.json"), sorted, at most 200.
  std::vector<std::string> Profiles();
  /// Where one of them lies; kNotFound with the nearest names, by `flag`.
  Result<std::filesystem::path> FindProfile(const std::string& name, const std::string& flag);

 private:
  using Loaded = Result<std::shared_ptr<const ShelfModel>>;
  struct Slot {
    std::filesystem::file_time_type changed;
    std::optional<Loaded> value;  // none: on its way
    Nanos again = Nanos::max();   // when it is tried once more, by the steady clock
    uint64_t used = 0;
  };

  void ReadNamesLocked();
  void Work(const std::stop_token& stop);
  void DropOldestLocked();

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  std::vector<std::string> names_, profiles_;
  std::optional<Nanos> names_at_;
  std::map<std::string, Slot> slots_;
  std::vector<std::string> queue_;
  uint64_t uses_ = 0;
  std::jthread reader_;
};

}  // namespace fogline
