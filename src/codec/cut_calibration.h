// The calibration of one cut: weights, steps and tables from one half of the pictures, figures from
// the other.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "codec/calibration.h"
#include "codec/codec.h"
#include "codec/fit.h"
#include "codec/quant_params.h"
#include "codec/split_runner.h"
#include "graph/cut.h"

namespace fogline {

/// The work at one cut.
class CutCalibration {
 public:
  CutCalibration(Calibration& all, const Cut& cut) : all_(all), cut_(cut) {}
  /// Adds a row for every codec to the table, and the quantisers found on all pictures to the
  /// bundle.
  Status Run();

 private:
  /// One half of the pictures, what was found on it, and what was found on all for index 2.
  struct Fold {
    std::vector<size_t> pictures;
    std::vector<CoefficientSample> samples;  // by tensor
    std::vector<QuantParams> params;         // by tensor; cut_id and levels for quantised ones only
    std::vector<double> rms;
    std::vector<double> log_error;  // by the ratios of steps that are probed
    std::vector<double> ratio;      // step over rms, by level
  };

  bool Quantised(size_t tensor) const {
    return cut_.tensors[tensor].dtype == DType::kF32 &&
           cut_.tensors[tensor].Bytes().value_or(0) > 0;
  }
  Result<std::vector<Tensor>> TensorsOf(size_t picture);
  Status Sample();
  Status Weights();
  Status Steps();
  double UnitOf(const Fold& fold) const;
  Status FitLevels();
  using Codecs = std::vector<std::unique_ptr<TensorCodec>>;
  Result<Codecs> CodecsOf(const Fold& fold, int level) const;
  /// Codes and runs picture i; fills in its part of the trial.
  Status Try(size_t picture, Codecs& codecs, Trial& trial);
  Status Evaluate(const CodecName& name);
  Status Plain();

  Calibration& all_;
  const Cut& cut_;
  std::optional<SplitRunner> runner_;
  std::vector<std::vector<Tensor>> cache_;
  Fold folds_[3];
};

}  // namespace fogline
