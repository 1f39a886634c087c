// Keeps the pictures that networks find hard, for those who train the next ones.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/kept_files.h"

namespace fogline {

/// DIR/CLASS/WHY-DEVICE-RUN-SEQUENCE.jpg (or .webp): pictures of which a gate was not sure, and
/// those of which it was and the network said another class. CLASS is the network's, so that
/// `fogline train` reads the folder as it is. Files are as RawKeeper's: a frame that comes twice
/// takes its file's place. Thread-safe.
class HardKeeper {
 public:
  struct Options {
    std::filesystem::path folder;              // empty: nothing is kept
    uint64_t limit_bytes = uint64_t{1} << 30;  // files of earlier runs count
    double per_hour = 1000;                    // of all devices together; as many may come at once
  };
  struct Picture {
    std::string device;
    uint64_t run = 0, sequence = 0;
    std::string label;                // of the network
    bool differs = false;             // the gate was sure, of another class
    std::span<const std::byte> file;  // compressed
    bool webp = false;                // or JPEG
  };

  static Result<std::unique_ptr<HardKeeper>> Open(const Options& options,
                                                  const Clock& clock = Clock::Real());

  /// Never fails a frame: what there is no room for, comes too fast, or cannot be written, is
  /// counted, and the first of each is said.
  void Keep(const Picture& picture);

  uint64_t kept() const { return kept_; }
  uint64_t left_out() const { return left_out_; }

 private:
  HardKeeper(KeptFolder folder, double per_hour, const Clock& clock)
      : clock_(clock), per_hour_(per_hour), folder_(std::move(folder)), may_(per_hour) {}
  bool MayNow();

  const Clock& clock_;
  const double per_hour_;
  std::mutex mutex_;
  // Under mutex_:
  KeptFolder folder_;
  double may_;  // so many at once
  Nanos since_{0};
  bool full_said_ = false, fault_said_ = false, rate_said_ = false;
  std::atomic<uint64_t> kept_{0}, left_out_{0};
};

}  // namespace fogline
