// Tensor ⇄ bytes: what crosses the line between edge and cloud.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fogline/model.h"

namespace fogline::v1 {

/// What one codec at one cut costs and keeps.
struct CalibratedPair {
  int cut = -1;           // index in Model::Cuts()
  std::string cut_name;   // as Model::FindCut takes it
  std::string codec;      // "q4"
  double bytes_mean = 0;  // a picture
  double bytes_p95 = 0;
  std::optional<double> agreement;      // 0…1, with the unsplit model
  std::optional<double> top1_accuracy;  // 0…1, where labels were given
  double relative_error = 0;            // of the model's outputs
};

struct CalibrationImpl;

/// What calibration found: the quantisers of q2 … q8, and a table. A handle to what never
/// changes.
class Calibration {
 public:
  /// A .bundle file. kInvalid for what is none, kConflict for one of another model.
  FOGLINE_API static Result<Calibration> Load(const Model& model, const std::string& path);
  FOGLINE_API const std::vector<CalibratedPair>& pairs() const;
  FOGLINE_API int images() const;
  /// Bytes against agreement of every pair, as an <svg>.
  FOGLINE_API std::string Svg() const;
  /// The file that edge, cloud and plan read.
  FOGLINE_API Status Write(const std::string& path) const;

  explicit Calibration(std::shared_ptr<const CalibrationImpl> impl) : impl_(std::move(impl)) {}
  const CalibrationImpl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const CalibrationImpl> impl_;
};

struct CalibrateOptions {
  std::vector<std::string> cuts;                 // as FindCut takes them; none: those worth it
  std::vector<int> levels{2, 3, 4, 5, 6, 7, 8};  // of the quantiser
  std::string labels;                            // a file of picture, tab, class; empty: none
  size_t most_pictures = 0;                      // 0: all
  int threads = 0;                               // 0: every core
  /// Called often from the calling thread with what is done, 0…1. False ends it with kCancelled.
  std::function<bool(double)> progress;
};

/// Measures what every codec at these cuts costs and keeps on a folder of pictures, and finds the
/// quantisers. Minutes for hundreds of pictures.
FOGLINE_API Result<Calibration> Calibrate(const Model& model, const std::string& pictures,
                                          const CalibrateOptions& options = {});

struct CodecImpl;

/// Codes tensors of one dtype and shape. A handle; of several threads on one codec, one waits for
/// the other.
class Codec {
 public:
  /// "f32", "f16" or "json" for a tensor of this dtype and shape. kUsage for an unknown name, and
  /// for q2 … q8, which need a calibration.
  FOGLINE_API static Result<Codec> Make(std::string_view name, const TensorSpec& tensor);
  /// The same, and "q2" … "q8", for one of the tensors that cross at a cut.
  FOGLINE_API static Result<Codec> Make(std::string_view name, const Model& model, const Cut& cut,
                                        size_t tensor, const Calibration& calibration);

  FOGLINE_API const std::string& name() const;
  FOGLINE_API const TensorSpec& tensor() const;
  /// kInvalid for a tensor of another dtype or shape.
  FOGLINE_API Result<std::vector<std::byte>> Encode(const TensorView& tensor) const;
  /// Any bytes give a tensor of the codec's dtype and shape, or kInvalid.
  FOGLINE_API Result<Tensor> Decode(const void* code, size_t bytes) const;

  explicit Codec(std::shared_ptr<CodecImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<CodecImpl> impl_;
};

}  // namespace fogline::v1
