#include "codec/cut_calibration.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/stats.h"
#include "codec/parallel.h"
#include "codec/quant_codec.h"
#include "codec/sensitivity.h"

namespace fogline {
namespace {

constexpr int64_t kSampleElements = 2'500'000;  // of a tensor, a half, to find parameters on
constexpr size_t kSampleLeast = 4;              // pictures of a half, however large the tensor
constexpr size_t kStepPictures = 24;            // to find steps on
constexpr int64_t kCacheBytes = 384 << 20;      // activations of all pictures kept up to this
constexpr size_t kJsonPictures = 8;             // JSON's size varies little, and it is slow
constexpr double kStepRatios[] = {1.0 / 16, 1.0 / 4, 1, 3};  // of the rms, where errors are probed
constexpr uint64_t kTrialTag = 0;

}  // namespace

Result<std::vector<Tensor>> CutCalibration::TensorsOf(size_t picture) {
  if (!cache_.empty() && !cache_[picture].empty()) return cache_[picture];
  return runner_->Prefix(all_.InputOf(all_.picture(picture)));
}

Status CutCalibration::Sample() {
  const size_t tensors = cut_.tensors.size();
  const int64_t largest =
      std::ranges::max(cut_.tensors, {},
                       [](const Port& p) { return p.shape.Elements().value_or(0); })
          .shape.Elements()
          .value_or(1);
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    for (size_t i = 0; i < all_.pictures(); ++i) {
      if (all_.pictures() < 2 || all_.HalfOf(i) == half) fold.pictures.push_back(i);
    }
    const size_t wanted =
        std::clamp(static_cast<size_t>(kSampleElements / std::max<int64_t>(1, largest)),
                   kSampleLeast, std::max(kSampleLeast, fold.pictures.size()));
    const size_t count = std::min(wanted, fold.pictures.size());
    std::vector<std::vector<CoefficientSample>> parts(count);
    FOGLINE_CHECK(ParallelFor(count, all_.options().threads, [&](size_t i, int) -> Status {
      FOGLINE_TRY(const auto values, TensorsOf(fold.pictures[i * fold.pictures.size() / count]));
      for (size_t t = 0; t < tensors; ++t) {
        FOGLINE_TRY(Layout layout, MakeLayout(cut_.tensors[t].shape, false));
        parts[i].emplace_back(layout);
        if (Quantised(t) && !parts[i][t].Add(values[t].as<float>().data())) {
          return Fail(ErrorCode::kInvalid, cut_.tensors[t].name, "holds NaN or infinity");
        }
      }
      return {};
    }));
    for (size_t t = 0; t < tensors; ++t) {
      fold.samples.push_back(std::move(parts[0][t]));
      for (size_t i = 1; i < count; ++i) fold.samples[t].Append(parts[i][t]);
    }
  }
  // What goes into the bundle is found on everything.
  folds_[2].samples = folds_[0].samples;
  if (all_.pictures() >= 2) {
    for (size_t t = 0; t < tensors; ++t) folds_[2].samples[t].Append(folds_[1].samples[t]);
  }
  for (Fold& fold : folds_) {
    for (size_t t = 0; t < tensors; ++t) {
      fold.params.push_back(FitMeans(cut_.id, cut_.tensors[t], fold.samples[t]));
      fold.rms.push_back(Quantised(t) ? WeightedRms(fold.params[t], fold.samples[t]) : 0);
    }
  }
  return {};
}

Status CutCalibration::Weights() {
  const SensitivityOptions options{.threads = all_.options().threads};
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    std::vector<QuantParams*> params;
    for (size_t t = 0; t < fold.params.size(); ++t) {
      params.push_back(Quantised(t) ? &fold.params[t] : nullptr);
    }
    FOGLINE_CHECK(FitWeights(
        *runner_, all_.reference(), fold.pictures, [this](size_t i) { return TensorsOf(i); },
        options, params, fold.rms));
  }
  const auto middle = [](const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> out;
    for (size_t i = 0; i < a.size(); ++i) out.push_back(std::sqrt(a[i] * b[i]));
    return out;
  };
  for (size_t t = 0; t < folds_[2].params.size(); ++t) {
    QuantParams& both = folds_[2].params[t];
    const QuantParams &a = folds_[0].params[t], &b = folds_[1].params[t];
    both.channel_weight = middle(a.channel_weight, b.channel_weight);
    both.band_weight = middle(a.band_weight, b.band_weight);
  }
  for (Fold& fold : folds_) {
    for (size_t t = 0; t < fold.params.size(); ++t) {
      if (Quantised(t)) fold.rms[t] = WeightedRms(fold.params[t], fold.samples[t]);
    }
  }
  return {};
}

/// The unit of steps, shared by the tensors of a cut: their quadratic mean.
double CutCalibration::UnitOf(const Fold& fold) const {
  double sum = 0, count = 0;
  for (size_t t = 0; t < fold.rms.size(); ++t) {
    if (!Quantised(t)) continue;
    sum += fold.rms[t] * fold.rms[t];
    count += 1;
  }
  const double unit = count > 0 ? std::sqrt(sum / count) : 0;
  return unit > 1e-20 ? unit : 1;  // constant tensors: any step will do
}

Status CutCalibration::Steps() {
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    const size_t count = std::min(kStepPictures, fold.pictures.size());
    for (const double ratio : kStepRatios) {
      const auto step = static_cast<float>(ratio * UnitOf(fold));
      for (size_t t = 0; t < fold.params.size(); ++t) {
        if (Quantised(t))
          fold.params[t].levels[8] = FitLevel(fold.params[t], fold.samples[t], step);
      }
      std::vector<Codecs> codecs(static_cast<size_t>(all_.options().threads));
      std::vector<double> errors(count);
      const auto work = [&](size_t i, int worker) -> Status {
        if (codecs[worker].empty()) {
          FOGLINE_TRY(codecs[worker], CodecsOf(fold, 8));
        }
        const size_t picture = fold.pictures[i * fold.pictures.size() / count];
        FOGLINE_TRY(std::vector<Tensor> tensors, TensorsOf(picture));
        std::vector<std::byte> code;
        for (size_t t = 0; t < tensors.size(); ++t) {
          code.clear();
          FOGLINE_CHECK(codecs[worker][t]->Encode(tensors[t].view(), code));
          Tensor decoded;
          FOGLINE_CHECK(codecs[worker][t]->Decode(code, decoded));
          tensors[t] = std::move(decoded);
        }
        FOGLINE_TRY(const auto outputs, runner_->Suffix(tensors));
        errors[i] = all_.reference().Error(picture, outputs);
        return {};
      };
      FOGLINE_CHECK(ParallelFor(count, all_.options().threads, work));
      double sum = 0;
      for (const double e : errors) sum += std::min(e, 100.0);
      fold.log_error.push_back(std::log(std::sqrt(sum / static_cast<double>(count)) + 1e-9));
    }
    for (QuantParams& params : fold.params) params.levels.clear();
    // Straight lines between the probes on logarithmic axes, and beyond the last ones. Noise may
    // bend the curve; its running maximum rises.
    for (size_t i = 1; i < fold.log_error.size(); ++i) {
      fold.log_error[i] = std::max(fold.log_error[i], fold.log_error[i - 1] + 1e-3);
    }
    for (const int level : all_.options().levels) {
      const double target = std::log(TargetError(level));
      size_t i = 1;
      while (i + 1 < fold.log_error.size() && fold.log_error[i] < target) ++i;
      const double slope = (std::log(kStepRatios[i]) - std::log(kStepRatios[i - 1])) /
                           (fold.log_error[i] - fold.log_error[i - 1]);
      const double log_ratio =
          std::log(kStepRatios[i - 1]) + slope * (target - fold.log_error[i - 1]);
      fold.ratio.push_back(std::exp(std::clamp(log_ratio, std::log(1e-3), std::log(8.0))));
    }
    // A finer level never has the coarser step.
    for (size_t i = fold.ratio.size() - 1; i-- > 0;) {
      fold.ratio[i] = std::max(fold.ratio[i], fold.ratio[i + 1]);
    }
  }
  for (size_t i = 0; i < all_.options().levels.size(); ++i) {
    folds_[2].ratio.push_back(std::sqrt(folds_[0].ratio[i] * folds_[1].ratio[i]));
  }
  return {};
}

Status CutCalibration::FitLevels() {
  const size_t levels = all_.options().levels.size(), tensors = cut_.tensors.size();
  std::vector<QuantLevel> fitted(3 * levels * tensors);
  FOGLINE_CHECK(ParallelFor(fitted.size(), all_.options().threads, [&](size_t i, int) -> Status {
    const Fold& fold = folds_[i / (levels * tensors)];
    const size_t level = i / tensors % levels, t = i % tensors;
    if (!Quantised(t)) return {};
    fitted[i] = FitLevel(fold.params[t], fold.samples[t],
                         static_cast<float>(fold.ratio[level] * UnitOf(fold)));
    return {};
  }));
  for (size_t i = 0; i < fitted.size(); ++i) {
    if (!Quantised(i % tensors)) continue;
    QuantParams& params = folds_[i / (levels * tensors)].params[i % tensors];
    params.levels[all_.options().levels[i / tensors % levels]] = std::move(fitted[i]);
  }
  return {};
}

Result<CutCalibration::Codecs> CutCalibration::CodecsOf(const Fold& fold, int level) const {
  Codecs codecs;
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    if (Quantised(t)) {
      FOGLINE_TRY(auto codec, MakeQuantCodec(fold.params[t], level, kTrialTag));
      codecs.push_back(std::move(codec));
    } else {
      FOGLINE_TRY(auto codec, MakeCodec({CodecKind::kF32, 0}, cut_.tensors[t], nullptr, 0));
      codecs.push_back(std::move(codec));
    }
  }
  return codecs;
}

Status CutCalibration::Try(size_t picture, Codecs& codecs, Trial& trial) {
  FOGLINE_TRY(std::vector<Tensor> tensors, TensorsOf(picture));
  std::vector<std::byte> code;
  for (size_t t = 0; t < tensors.size(); ++t) {
    const size_t before = code.size();
    FOGLINE_CHECK(codecs[t]->Encode(tensors[t].view(), code));
    Tensor decoded;
    FOGLINE_CHECK(codecs[t]->Decode(std::span(code).subspan(before), decoded));
    tensors[t] = std::move(decoded);
  }
  trial.bytes[picture] = static_cast<double>(code.size());
  FOGLINE_TRY(auto outputs, runner_->Suffix(tensors));
  all_.Judge(picture, std::move(outputs), trial);
  return {};
}

Status CutCalibration::Evaluate(const CodecName& name) {
  const bool quantised = name.kind == CodecKind::kQuant;
  const auto threads = static_cast<size_t>(all_.options().threads);
  std::vector<Codecs> codecs(2 * threads);  // a worker needs one for either half
  Trial trial(all_.pictures());
  FOGLINE_CHECK(
      ParallelFor(all_.pictures(), all_.options().threads, [&](size_t i, int worker) -> Status {
        const size_t half = all_.OtherHalf(i);
        Codecs& own = codecs[2 * static_cast<size_t>(worker) + half];
        if (own.empty()) {
          if (quantised) {
            FOGLINE_TRY(own, CodecsOf(folds_[half], name.parameter));
          } else {
            for (const Port& port : cut_.tensors) {
              FOGLINE_TRY(auto codec, MakeCodec(name, port, nullptr, 0));
              own.push_back(std::move(codec));
            }
          }
        }
        return Try(i, own, trial);
      }));
  all_.Step(cut_.name);
  return all_.AddRow(all_.Row(cut_, name), std::move(trial));
}

/// json and f32 change nothing, so only their sizes are of interest.
Status CutCalibration::Plain() {
  const size_t count = std::min(kJsonPictures, all_.pictures());
  std::vector<double> json(count, 0);
  const auto work = [&](size_t i, int) -> Status {
    FOGLINE_TRY(const auto tensors, TensorsOf(i * all_.pictures() / count));
    std::vector<std::byte> code;
    for (size_t t = 0; t < tensors.size(); ++t) {
      FOGLINE_TRY(const auto codec, MakeCodec({CodecKind::kJson, 0}, cut_.tensors[t], nullptr, 0));
      FOGLINE_CHECK(codec->Encode(tensors[t].view(), code));
    }
    json[i] = static_cast<double>(code.size());
    return {};
  };
  FOGLINE_CHECK(ParallelFor(count, all_.options().threads, work));
  const Summary sizes = Summarize(json);
  for (const CodecKind kind : {CodecKind::kJson, CodecKind::kF32}) {
    CalibratedPair row = all_.Row(cut_, {kind, 0});
    row.bytes_mean = kind == CodecKind::kJson ? sizes.mean : static_cast<double>(cut_.bytes);
    row.bytes_p95 = kind == CodecKind::kJson ? sizes.p95 : row.bytes_mean;
    FOGLINE_CHECK(all_.AddRow(std::move(row), all_.Unchanged()));
  }
  return {};
}

Status CutCalibration::Run() {
  FOGLINE_TRY(runner_, SplitRunner::Open(all_.model(), cut_));
  if (cut_.bytes * static_cast<int64_t>(all_.pictures()) <= kCacheBytes) {
    std::vector<std::vector<Tensor>> cache(all_.pictures());
    FOGLINE_CHECK(
        ParallelFor(all_.pictures(), all_.options().threads, [&](size_t i, int) -> Status {
          FOGLINE_TRY(cache[i], TensorsOf(i));
          return {};
        }));
    cache_ = std::move(cache);
  }
  FOGLINE_CHECK(Plain());
  FOGLINE_CHECK(Evaluate({CodecKind::kF16, 0}));
  bool any = false;
  for (size_t t = 0; t < cut_.tensors.size(); ++t) any = any || Quantised(t);
  if (!any) return {};
  if (Status sampled = Sample(); !sampled) {
    if (sampled.error().code == ErrorCode::kCancelled) return sampled;
    LogWarning("cut {}: {}; it gets no q codecs", cut_.name, sampled.error().ToString());
    return {};
  }
  FOGLINE_CHECK(Weights());
  FOGLINE_CHECK(Steps());
  FOGLINE_CHECK(FitLevels());
  all_.Step(cut_.name);
  for (const int level : all_.options().levels) {
    FOGLINE_CHECK(Evaluate({CodecKind::kQuant, level}));
  }
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    if (Quantised(t)) all_.contents().tensors.push_back(std::move(folds_[2].params[t]));
  }
  return {};
}

}  // namespace fogline
