// What calibration found, in one file that both sides load: docs/codec.md describes the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace fogline {

struct QuantParams;

/// One row of the calibration table: what a (cut, codec) pair costs and keeps.
struct CalibratedPair {
  int cut = 0;            // index in ListCuts' order
  uint64_t cut_id = 0;    // Cut::id
  std::string cut_name;   // Cut::name
  std::string codec;      // as ParseCodec reads it
  double bytes_mean = 0;  // payload bytes a picture
  double bytes_p95 = 0;
  /// 0…1, with the unsplit model, whatever its outputs are: what a plan's least agreement is held
  /// against. Of classes it is top1_agreement; else the share of how outputs differ from picture to
  /// picture that is kept (Reference::Agreement). None in bundles of outputs without classes that
  /// were made before it was measured.
  std::optional<double> agreement;
  std::optional<double> top1_agreement;  // 0…1, with the unsplit model; none for other outputs
  std::optional<double> top1_accuracy;   // 0…1, when labels were given
  double relative_error = 0;  // of the model's outputs: ‖split − whole‖₂ / ‖whole‖₂, mean
  std::optional<double> user_metric;  // what --metric printed
};

/// A loaded bundle. Immutable, so any thread may read it.
class Bundle {
 public:
  /// kInvalid for what is no bundle, is damaged or of a newer version.
  static Result<Bundle> Load(const std::filesystem::path& path);
  /// The same from memory; `where` names it in errors.
  static Result<Bundle> Parse(std::span<const std::byte> bytes, const std::string& where);

  /// Names the bundle: SHA-256 of everything in the file before its last 32 bytes, which hold it.
  const Sha256& hash() const { return hash_; }
  /// The model it was calibrated on.
  const Sha256& model_hash() const { return model_hash_; }
  /// Pictures that calibration saw.
  int images() const { return images_; }
  const std::vector<CalibratedPair>& pairs() const { return pairs_; }
  /// All quantisers, in the file's order.
  const std::vector<std::shared_ptr<const QuantParams>>& tensors() const { return tensors_; }
  /// The quantiser of a tensor that crosses at a cut; null where it was not calibrated. Lives as
  /// long as the bundle or a copy of it.
  const QuantParams* Find(uint64_t cut_id, std::string_view tensor) const;

 private:
  Sha256 hash_{}, model_hash_{};
  int images_ = 0;
  std::vector<CalibratedPair> pairs_;
  std::vector<std::shared_ptr<const QuantParams>> tensors_;
};

}  // namespace fogline
