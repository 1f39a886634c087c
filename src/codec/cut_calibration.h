// The calibration of one cut: weights, steps and tables from one half of the pictures, figures from
// the other.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "codec/activations.h"
#include "codec/allot.h"
#include "codec/calibration.h"
#include "codec/codec.h"
#include "codec/fit.h"
#include "codec/quant_params.h"
#include "codec/segment.h"
#include "graph/cut.h"

namespace fogline {

/// The work at one cut.
class CutCalibration {
 public:
  /// `activations` are the cut's.
  CutCalibration(Calibration& all, Activations& activations)
      : all_(all), activations_(activations), cut_(activations.cut()) {}
  /// Adds a row for every codec to the table, and the quantisers found on all pictures to the
  /// bundle.
  Status Run();

  /// Roughly how much work Run() is, in units of Calibration::Expect.
  static double Units(const Calibration& all, const Cut& cut);

  static constexpr size_t kStepProbes = 4;     // steps that are tried before levels are chosen
  static constexpr size_t kStepPictures = 24;  // of a half, to find steps on
  static constexpr size_t kCurvePictures = 8;  // of a half, to see what each tensor alone does

 private:
  /// One half of the pictures, what was found on it, and what was found on all for index 2.
  struct Fold {
    std::vector<size_t> pictures;
    std::vector<CoefficientSample>
        samples;                      // by tensor; those of others than Quantised() are empty
    std::vector<QuantParams> params;  // by tensor; cut_id and levels for quantised ones only
    std::vector<double> rms;
    std::vector<TensorCurve> curves;          // by tensor, where several are quantised
    std::vector<double> log_error;            // by the places that are probed
    std::vector<std::vector<double>> ratios;  // step over rms, by level and tensor
  };
  using Codecs = std::vector<std::unique_ptr<TensorCodec>>;  // by tensor

  bool Quantised(size_t tensor) const {
    return CanBeQuantised(cut_.tensors[tensor].dtype) &&
           cut_.tensors[tensor].Bytes().value_or(0) > 0;
  }
  double RunUnits() const;
  std::vector<size_t> Everyone() const;
  Status ChooseLayouts();
  Result<double> CodeBytes(size_t tensor, const Layout& layout);
  Status Sample();
  Status Weights();
  Status Steps();
  Result<std::vector<std::vector<QuantParams>>> WithSteps(
      const Fold& fold, const std::vector<std::vector<double>>& ratios) const;
  Result<std::vector<TensorCurve>> CurvesOf(const Fold& fold);
  std::vector<double> RatiosAt(const Fold& fold, double place) const;
  static std::vector<double> PlacesOf(const Fold& fold);
  Status ErrorsOfSteps(Fold& fold);
  void ChooseRatios(Fold& fold) const;
  static double UnitOf(const Fold& fold, size_t tensor);
  Status FitLevels();
  Result<Codecs> CodecsOf(const std::vector<QuantParams>& params, int level) const;
  Result<Codecs> CodecsFor(const CodecName& name, size_t half) const;
  /// The cut's tensors coded and decoded; appends the code.
  Result<std::vector<Tensor>> Through(size_t picture, Codecs& codecs,
                                      std::vector<std::byte>& code) const;
  Status Evaluate(std::span<const CodecName> names);
  Status Plain();

  static constexpr int kProbedLevel = 8;  // where the probed quantisers stand meanwhile
  static constexpr uint64_t kTrialTag = 0;

  Calibration& all_;
  Activations& activations_;
  const Cut& cut_;
  std::optional<Segment> rest_;
  std::vector<Layout> layouts_;  // by tensor
  Fold folds_[3];
};

}  // namespace fogline
