// Keeps the outputs that nobody reads as NumPy files, beside the store.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/tensor.h"
#include "cloud/kept_files.h"

namespace fogline {

/// DIR/DEVICE/RUN-SEQUENCE-I-OUTPUT.npy, where RUN is 16 hexadecimal digits, SEQUENCE 12 decimal
/// ones and I the place among the outputs, so that a device's files sort as it took its pictures.
/// Names have nothing but letters, digits, '_' and '-' as they are. A file is there whole or not at
/// all; folders are their owner's alone. A frame that comes twice takes its files' place.
/// Thread-safe.
class RawKeeper {
 public:
  struct Options {
    std::filesystem::path folder;  // empty: nothing is kept
    uint64_t limit_bytes = uint64_t{1}
                           << 30;  // files of earlier runs count; what is beyond stays out
  };
  struct Picture {
    std::string device;
    uint64_t run = 0, sequence = 0;
  };

  /// Makes the folder and counts what lies there.
  static Result<std::unique_ptr<RawKeeper>> Open(const Options& options);

  /// Never fails a frame: what there is no room for, or cannot be written, is counted and said.
  void Keep(const Picture& picture, std::span<const Tensor> outputs, std::span<const Port> ports);

  uint64_t kept() const { return kept_; }
  uint64_t left_out() const { return left_out_; }

 private:
  explicit RawKeeper(KeptFolder folder) : folder_(std::move(folder)) {}
  Status KeepOne(const std::filesystem::path& path, const TensorView& tensor);

  std::mutex mutex_;
  KeptFolder folder_;  // under mutex_
  bool full_said_ = false, fault_said_ = false;
  std::atomic<uint64_t> kept_{0}, left_out_{0};
};

}  // namespace fogline
