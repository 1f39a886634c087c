// The models that a cloud may run, found by content, and the networks opened for whatever the
// frames name.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "codec/codec.h"
#include "engine/session.h"
#include "vision/network.h"

namespace fogline {

/// A model of the folder, with what is known once it was loaded.
struct KnownModel {
  Network network;
  std::vector<Cut> cuts;         // as ListCuts gives them
  std::optional<Bundle> bundle;  // MODEL.bundle beside the model
};

/// What runs in the cloud for one (model, cut): nothing at the last cut, all at cut 0, a suffix
/// between. Immutable but for the engine's own state; any number of workers share one.
struct OpenCut {
  std::shared_ptr<const KnownModel> model;
  Cut cut;
  std::unique_ptr<Session> session;  // none for edge-only
};

/// Thread-safe. Opening takes long and is done once, by the first worker that needs it; the others
/// wait for that one only.
class Registry {
 public:
  struct Options {
    std::filesystem::path folder;
    int threads = 1;  // of the engine, a network
    size_t most_open =
        64;  // networks kept open; the one unused for longest is closed for a new one
  };

  /// kNotFound when the folder is missing. A file in it that is no model is named in the log and
  /// skipped.
  static Result<std::unique_ptr<Registry>> Open(const Options& options);

  /// The network for a frame's ids. kNotFound for a model that the folder does not hold (looked
  /// through again at most every few seconds, so that models can be added while running) or a cut
  /// that the model does not have.
  Result<std::shared_ptr<const OpenCut>> Find(uint64_t model, uint64_t cut);

  size_t models() const;

 private:
  explicit Registry(Options options) : options_(std::move(options)) {}
  struct Slot {
    bool ready = false;
    Result<std::shared_ptr<const OpenCut>> value = nullptr;
    uint64_t used = 0;
  };
  using Key = std::pair<uint64_t, uint64_t>;

  Status Scan();
  Result<std::shared_ptr<const KnownModel>> Load(uint64_t model);
  Result<std::shared_ptr<const OpenCut>> OpenNow(uint64_t model, uint64_t cut);
  void CloseOldest();

  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  std::unordered_map<uint64_t, std::filesystem::path> files_;  // by short id
  std::map<std::filesystem::path, std::pair<std::filesystem::file_time_type, uint64_t>> hashed_;
  std::unordered_map<uint64_t, std::shared_ptr<const KnownModel>> models_;
  std::map<Key, Slot> open_;
  std::mutex load_mutex_;  // one model is loaded at a time
  uint64_t clock_ = 0;
  Nanos last_scan_{0};
};

}  // namespace fogline
