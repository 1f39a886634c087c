// The models that a cloud may run, found by content, and the networks opened for whatever the
// frames name.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/known_model.h"
#include "cloud/models_folder.h"
#include "codec/route.h"
#include "engine/session.h"
#include "vision/network.h"

namespace fogline {

/// What runs in the cloud for one (model, cut): nothing at the last cut, all at cut 0, a suffix
/// between. Immutable but for the engine's own state; any number of workers share one.
struct OpenCut {
  std::shared_ptr<const KnownModel> model;
  Cut cut;
  std::vector<uint32_t> tensors;     // of the cut, as frames name them
  std::unique_ptr<Session> session;  // none for edge-only
};

/// Thread-safe. One thread loads and opens, one thing at a time, so that the memory this takes for
/// a moment is bounded too; another looks through the folder. Nothing that goes wrong with a model
/// is kInvalid or kUnsupported: those are the frame's own faults.
class Registry {
 public:
  struct Options {
    std::filesystem::path folder;
    int threads = 1;  // of the engine, a network
    /// What loaded models and open networks may hold together, by their weights and an estimate of
    /// what running them takes. What was unused for longest is let go for something new.
    uint64_t memory_bytes = uint64_t{1} << 30;
    Nanos look_again = std::chrono::seconds(2);  // through the folder
    Nanos patience = std::chrono::seconds(5);    // of a frame, until its network is open
  };

  /// kNotFound when the folder is missing.
  static Result<std::unique_ptr<Registry>> Open(const Options& options);

  /// The network for a frame's ids; `tensors` are those that it holds, by which a cut is found that
  /// ListCuts leaves out. kInvalid for a cut that the model does not have. kNotFound for a model
  /// that the folder does not hold, kUnavailable for one that cannot be loaded or opened or
  /// is not open yet after a few seconds, kExhausted for one that is too large: all of these may
  /// pass.
  Result<std::shared_ptr<const OpenCut>> Find(const HalvesKey& key,
                                              std::span<const uint32_t> tensors = {});

  /// The bundle that a frame of this model names; kConflict where there is none such.
  Result<std::shared_ptr<const Bundle>> FindBundle(uint64_t model, uint64_t bundle) {
    return folder_.FindBundle(model, bundle);
  }

  /// The model itself, read into memory if it is not there.
  Result<std::shared_ptr<const Network>> Load(uint64_t model);

  /// Looks through the folder now instead of in a moment.
  void Look();

  size_t models() const { return folder_.models(); }
  uint64_t held_bytes() const;
  /// Halves that could not be opened and are remembered.
  size_t failures() const {
    const std::lock_guard lock(mutex_);
    return failed_.size();
  }

 private:
  explicit Registry(const Options& options) : options_(options), folder_(options.folder) {}
  using Opened = Result<std::shared_ptr<const OpenCut>>;
  struct Slot {
    Nanos asked{0};
    std::shared_ptr<const OpenCut> open;  // null: on its way
    uint64_t bytes = 0, used = 0;
  };
  struct Loaded {
    std::shared_ptr<const Network> network;
    uint64_t bytes = 0, used = 0;
  };
  /// What did not go, and until when it is not tried again.
  struct Failure {
    Error error;
    Nanos until{0};
  };

  void OpenLoop(const std::stop_token& stop);
  void LookLoop(const std::stop_token& stop);
  Opened OpenNow(const HalvesKey& key, std::span<const uint32_t> tensors, uint64_t& bytes);
  Result<Cut> CutOf(const KnownModel& known, const HalvesKey& key,
                    std::span<const uint32_t> tensors);
  Status OpenPart(uint64_t model, OpenCut& open, uint64_t& bytes);
  Result<std::shared_ptr<const Network>> LoadNow(uint64_t model);
  Result<std::shared_ptr<const KnownModel>> Know(uint64_t model);
  Status MakeRoom(uint64_t bytes, const std::string& where);
  std::shared_ptr<const void> TakeOldestLocked();
  std::shared_ptr<SharedWeights> WeightsOf(uint64_t model);
  uint64_t HeldLocked() const;
  const Error* FailureLocked(const HalvesKey& key) const;

  const Options options_;
  ModelsFolder folder_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::unordered_map<uint64_t, std::shared_ptr<const KnownModel>> known_;
  std::unordered_map<uint64_t, Loaded> loaded_;
  std::map<HalvesKey, Slot> open_;
  std::unordered_map<uint64_t, std::weak_ptr<SharedWeights>>
      weights_;  // of open networks, by model
  std::map<HalvesKey, Failure> failed_;
  struct Wanted {
    HalvesKey key;
    std::vector<uint32_t> tensors;
  };
  std::deque<Wanted> wanted_;
  uint64_t clock_ = 0;
  std::mutex loading_;  // held while something is loaded or opened
  std::jthread opener_, looker_;
};

}  // namespace fogline
