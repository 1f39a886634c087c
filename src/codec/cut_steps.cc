// The part of a cut's calibration that chooses steps: how coarse each level of each tensor is.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "codec/cut_calibration.h"
#include "codec/quant_codec.h"
#include "codec/sensitivity.h"

namespace fogline {
namespace {

constexpr double kStepRatios[] = {1.0 / 16, 1.0 / 4, 1, 3};  // of the rms, where errors are probed
constexpr double kJointErrors[] = {0.01, 0.05, 0.15, 0.5};   // of several tensors by their curves
static_assert(std::size(kStepRatios) == CutCalibration::kStepProbes);
constexpr double kMostError = 100;  // of one picture

}  // namespace

/// The unit of a tensor's steps.
double CutCalibration::UnitOf(const Fold& fold, size_t tensor) {
  return fold.rms[tensor] > 1e-20 ? fold.rms[tensor] : 1;  // constant: any step will do
}

/// Coders with the steps given, one list of quantisers for each; those of the others are raw.
Result<std::vector<std::vector<QuantParams>>> CutCalibration::WithSteps(
    const Fold& fold, const std::vector<std::vector<double>>& ratios) const {
  const size_t tensors = cut_.tensors.size();
  std::vector<std::vector<QuantParams>> params(ratios.size(), fold.params);
  FOGLINE_CHECK(all_.ForEach(ratios.size() * tensors, 0, [&](size_t i, int) -> Status {
    const size_t n = i / tensors, t = i % tensors;
    if (!Quantised(t)) return {};
    const auto step = static_cast<float>(ratios[n][t] * UnitOf(fold, t));
    params[n][t].levels[kProbedLevel] = FitLevel(fold.params[t], fold.samples[t], step);
    return {};
  }));
  return params;
}

/// How each tensor alone moves the outputs, and in how many bytes, at each step that is probed.
Result<std::vector<TensorCurve>> CutCalibration::CurvesOf(const Fold& fold) {
  constexpr size_t kRatios = std::size(kStepRatios);
  const size_t tensors = cut_.tensors.size();
  std::vector<std::vector<double>> ratios;
  for (const double ratio : kStepRatios) ratios.emplace_back(tensors, ratio);
  FOGLINE_TRY(const auto params, WithSteps(fold, ratios));
  std::vector<TensorCurve> curves(tensors);
  for (TensorCurve& curve : curves) {
    for (const double ratio : kStepRatios) curve.points.push_back({ratio, 0, 0});
  }
  const std::vector<size_t> chosen = Spread(fold.pictures, kCurvePictures);
  const auto probe = [&](std::span<const size_t> part) -> Status {
    struct Seen {
      double bytes = 0, damage = 0;
    };
    const size_t jobs = tensors * kRatios;
    std::vector<Seen> seen(part.size() * jobs);
    const Status probed = all_.ForEach(seen.size(), RunUnits(), [&](size_t i, int) -> Status {
      const size_t picture = part[i / jobs], t = i % jobs / kRatios, ratio = i % kRatios;
      if (!Quantised(t)) return {};
      FOGLINE_TRY(const auto codec, MakeQuantCodec(params[ratio][t], kProbedLevel, kTrialTag));
      FOGLINE_TRY(std::vector<Tensor> values, activations_.Of(picture));
      std::vector<std::byte> code;
      FOGLINE_CHECK(codec->Encode(values[t].view(), code));
      Tensor back;
      FOGLINE_CHECK(codec->Decode(code, back));
      values[t] = std::move(back);
      FOGLINE_TRY(const auto outputs, rest_->Run(values));
      seen[i] = {static_cast<double>(code.size()),
                 std::min(all_.reference().Error(picture, outputs), kMostError)};
      return {};
    });
    FOGLINE_CHECK(probed);
    for (size_t i = 0; i < seen.size(); ++i) {
      TensorCurve::Point& point = curves[i % jobs / kRatios].points[i % kRatios];
      point.bytes += seen[i].bytes / static_cast<double>(chosen.size());
      point.damage += seen[i].damage / static_cast<double>(chosen.size());
    }
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(chosen, probe));
  return curves;
}

/// The ratios of all tensors at a place on the way from fine to coarse: of one tensor the place is
/// its ratio, of several it is the error that they would do together by their curves.
std::vector<double> CutCalibration::RatiosAt(const Fold& fold, double place) const {
  std::vector<double> ratios(cut_.tensors.size(), place);
  if (fold.curves.empty()) return ratios;
  std::vector<TensorCurve> quantised;
  for (size_t t = 0; t < ratios.size(); ++t) {
    if (Quantised(t)) quantised.push_back(fold.curves[t]);
  }
  const std::vector<double> allotted = AllotSteps(quantised, place * place);
  for (size_t t = 0, q = 0; t < ratios.size(); ++t) {
    if (Quantised(t)) ratios[t] = allotted[q++];
  }
  return ratios;
}

std::vector<double> CutCalibration::PlacesOf(const Fold& fold) {
  if (fold.curves.empty()) return {std::begin(kStepRatios), std::end(kStepRatios)};
  return {std::begin(kJointErrors), std::end(kJointErrors)};
}

/// Fills in how far the outputs move for each place that is probed.
Status CutCalibration::ErrorsOfSteps(Fold& fold) {
  const std::vector<double> places = PlacesOf(fold);
  std::vector<std::vector<double>> ratios;
  for (const double place : places) ratios.push_back(RatiosAt(fold, place));
  FOGLINE_TRY(const auto params, WithSteps(fold, ratios));
  const std::vector<size_t> chosen = Spread(fold.pictures, kStepPictures);
  std::vector<std::vector<double>> errors(places.size());
  const auto probe = [&](std::span<const size_t> part) -> Status {
    for (size_t n = 0; n < places.size(); ++n) {
      std::vector<Codecs> codecs(static_cast<size_t>(all_.options().threads));
      std::vector<double> here(part.size());
      FOGLINE_CHECK(all_.ForEach(part.size(), RunUnits(), [&](size_t i, int worker) -> Status {
        if (codecs[worker].empty()) {
          FOGLINE_TRY(codecs[worker], CodecsOf(params[n], kProbedLevel));
        }
        std::vector<std::byte> code;
        FOGLINE_TRY(const auto tensors_back, Through(part[i], codecs[worker], code));
        FOGLINE_TRY(const auto outputs, rest_->Run(tensors_back));
        here[i] = all_.reference().Error(part[i], outputs);
        return {};
      }));
      errors[n].insert(errors[n].end(), here.begin(), here.end());
    }
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(chosen, probe));
  for (const std::vector<double>& of_place : errors) {
    double sum = 0;
    for (const double e : of_place) sum += std::min(e, kMostError);
    fold.log_error.push_back(
        std::log(std::sqrt(sum / static_cast<double>(of_place.size())) + 1e-9));
  }
  return {};
}

/// Where the errors wanted lie: straight lines between the probes on logarithmic axes, and beyond
/// the last ones.
void CutCalibration::ChooseRatios(Fold& fold) const {
  // Noise may bend the curve; its running maximum rises.
  for (size_t i = 1; i < fold.log_error.size(); ++i) {
    fold.log_error[i] = std::max(fold.log_error[i], fold.log_error[i - 1] + 1e-3);
  }
  const std::vector<double> places = PlacesOf(fold);
  for (const int level : all_.options().levels) {
    const double target = std::log(TargetError(level));
    size_t i = 1;
    while (i + 1 < fold.log_error.size() && fold.log_error[i] < target) ++i;
    const double slope = (std::log(places[i]) - std::log(places[i - 1])) /
                         (fold.log_error[i] - fold.log_error[i - 1]);
    const double log_place = std::log(places[i - 1]) + slope * (target - fold.log_error[i - 1]);
    fold.ratios.push_back(RatiosAt(
        fold, std::exp(std::clamp(log_place, std::log(kLeastRatio), std::log(kMostRatio)))));
  }
  // A finer level never has the coarser step.
  for (size_t i = fold.ratios.size() - 1; i-- > 0;) {
    for (size_t t = 0; t < fold.ratios[i].size(); ++t) {
      fold.ratios[i][t] = std::max(fold.ratios[i][t], fold.ratios[i + 1][t]);
    }
  }
}

Status CutCalibration::Steps() {
  size_t quantised = 0;
  for (size_t t = 0; t < cut_.tensors.size(); ++t) quantised += Quantised(t) ? 1 : 0;
  for (size_t half = 0; half < 2; ++half) {
    if (quantised > 1 && all_.options().allot) {
      FOGLINE_TRY(folds_[half].curves, CurvesOf(folds_[half]));
    }
    FOGLINE_CHECK(ErrorsOfSteps(folds_[half]));
    ChooseRatios(folds_[half]);
  }
  for (size_t i = 0; i < all_.options().levels.size(); ++i) {
    std::vector<double>& both = folds_[2].ratios.emplace_back();
    for (size_t t = 0; t < cut_.tensors.size(); ++t) {
      both.push_back(std::sqrt(folds_[0].ratios[i][t] * folds_[1].ratios[i][t]));
    }
  }
  return {};
}

}  // namespace fogline
