#include "codec/calibrate.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/log.h"
#include "base/stats.h"
#include "codec/fit.h"
#include "codec/parallel.h"
#include "codec/quant_codec.h"
#include "codec/sensitivity.h"
#include "codec/split_runner.h"
#include "engine/session.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr int64_t kSampleElements = 2'500'000;  // of a tensor, a half, to find parameters on
constexpr size_t kSampleLeast = 4;              // pictures of a half, however large the tensor
constexpr size_t kStepPictures = 24;            // to find steps on
constexpr int64_t kCacheBytes = 384 << 20;      // activations of all pictures kept up to this
constexpr size_t kJsonPictures = 8;             // JSON's size varies little, and it is slow
constexpr double kStepRatios[] = {1.0 / 16, 1.0 / 4, 1, 3};  // of the rms, where errors are probed
constexpr uint64_t kTrialTag = 0;

/// What one codec did to all pictures.
struct Trial {
  std::vector<double> bytes, relative;
  std::vector<std::vector<Tensor>> outputs;
  std::vector<int> top1;
};

class Calibration {
 public:
  Calibration(const Model& model, const ModelCard& card, const CalibrationSet& set,
              const CalibrateOptions& options)
      : model_(model), card_(card), set_(set), options_(options) {}

  Result<BundleContents> Run();

 private:
  size_t pictures() const { return set_.pictures.size(); }
  /// The half that picture i belongs to. One picture is both.
  size_t HalfOf(size_t picture) const { return picture % 2; }
  size_t OtherHalf(size_t picture) const { return pictures() < 2 ? 0 : 1 - HalfOf(picture); }

  Tensor InputOf(const Image& picture) const {
    Tensor input(card_.dtype, card_.input_shape());
    Normalise(picture, card_, input);
    return input;
  }
  void Step(std::string_view what) {
    ++done_;
    if (options_.progress) options_.progress(std::min(done_, total_), total_, what);
  }

  Status RunWhole();
  Status PictureCodecs(const Cut& cut);
  Status CalibrateCut(const Cut& cut);
  CalibratedPair Row(const Cut& cut, const CodecName& codec) const;
  Status AddRow(CalibratedPair row, Trial&& trial);

  const Model& model_;
  const ModelCard& card_;
  const CalibrationSet& set_;
  const CalibrateOptions& options_;
  std::unique_ptr<Session> whole_;
  std::unique_ptr<Reference> reference_;
  std::vector<std::vector<Tensor>> whole_outputs_;
  BundleContents contents_;
  size_t done_ = 0, total_ = 1;

  friend class CutCalibration;
};

/// The work at one cut.
class CutCalibration {
 public:
  CutCalibration(Calibration& all, const Cut& cut) : all_(all), cut_(cut) {}
  Status Run();

 private:
  /// One half of the pictures, what was found on it, and what was found on all for index 2.
  struct Fold {
    std::vector<size_t> pictures;
    std::vector<CoefficientSample> samples;  // by tensor
    std::vector<QuantParams> params;         // by tensor; cut_id and levels for quantised ones only
    std::vector<double> rms;
    std::vector<double> log_error;  // by kStepRatios
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

Result<std::vector<Tensor>> CutCalibration::TensorsOf(size_t picture) {
  if (!cache_.empty() && !cache_[picture].empty()) return cache_[picture];
  return runner_->Prefix(all_.InputOf(all_.set_.pictures[picture]));
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
    FOGLINE_CHECK(ParallelFor(count, all_.options_.threads, [&](size_t i, int) -> Status {
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
  const SensitivityOptions options{.threads = all_.options_.threads};
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    std::vector<QuantParams*> params;
    for (size_t t = 0; t < fold.params.size(); ++t) {
      params.push_back(Quantised(t) ? &fold.params[t] : nullptr);
    }
    FOGLINE_CHECK(FitWeights(
        *runner_, *all_.reference_, fold.pictures, [this](size_t i) { return TensorsOf(i); },
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
      std::vector<Codecs> codecs(static_cast<size_t>(all_.options_.threads));
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
        errors[i] = all_.reference_->Error(picture, outputs);
        return {};
      };
      FOGLINE_CHECK(ParallelFor(count, all_.options_.threads, work));
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
    for (const int level : all_.options_.levels) {
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
  for (size_t i = 0; i < all_.options_.levels.size(); ++i) {
    folds_[2].ratio.push_back(std::sqrt(folds_[0].ratio[i] * folds_[1].ratio[i]));
  }
  return {};
}

Status CutCalibration::FitLevels() {
  const size_t levels = all_.options_.levels.size(), tensors = cut_.tensors.size();
  std::vector<QuantLevel> fitted(3 * levels * tensors);
  FOGLINE_CHECK(ParallelFor(fitted.size(), all_.options_.threads, [&](size_t i, int) -> Status {
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
    params.levels[all_.options_.levels[i / tensors % levels]] = std::move(fitted[i]);
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
  trial.top1[picture] = all_.reference_->Top1(outputs);
  trial.relative[picture] = all_.reference_->RelativeError(picture, outputs);
  if (all_.options_.metric) trial.outputs[picture] = std::move(outputs);
  return {};
}

Trial EmptyTrial(size_t pictures) {
  Trial trial;
  trial.bytes.resize(pictures);
  trial.relative.resize(pictures);
  trial.outputs.resize(pictures);
  trial.top1.resize(pictures, -1);
  return trial;
}

Status CutCalibration::Evaluate(const CodecName& name) {
  const bool quantised = name.kind == CodecKind::kQuant;
  const auto threads = static_cast<size_t>(all_.options_.threads);
  std::vector<Codecs> codecs(2 * threads);  // a worker needs one for either half
  Trial trial = EmptyTrial(all_.pictures());
  FOGLINE_CHECK(
      ParallelFor(all_.pictures(), all_.options_.threads, [&](size_t i, int worker) -> Status {
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
  FOGLINE_CHECK(ParallelFor(count, all_.options_.threads, work));
  const Summary sizes = Summarize(json);
  for (const CodecKind kind : {CodecKind::kJson, CodecKind::kF32}) {
    CalibratedPair row = all_.Row(cut_, {kind, 0});
    row.bytes_mean = kind == CodecKind::kJson ? sizes.mean : static_cast<double>(cut_.bytes);
    row.bytes_p95 = kind == CodecKind::kJson ? sizes.p95 : row.bytes_mean;
    Trial same = EmptyTrial(all_.pictures());
    for (size_t i = 0; i < all_.pictures(); ++i) same.top1[i] = all_.reference_->Top1(i);
    same.bytes.clear();
    if (all_.options_.metric) same.outputs = all_.whole_outputs_;
    FOGLINE_CHECK(all_.AddRow(std::move(row), std::move(same)));
  }
  return {};
}

Status CutCalibration::Run() {
  FOGLINE_TRY(runner_, SplitRunner::Open(all_.model_, cut_));
  if (cut_.bytes * static_cast<int64_t>(all_.pictures()) <= kCacheBytes) {
    std::vector<std::vector<Tensor>> cache(all_.pictures());
    FOGLINE_CHECK(ParallelFor(all_.pictures(), all_.options_.threads, [&](size_t i, int) -> Status {
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
  for (const int level : all_.options_.levels) {
    FOGLINE_CHECK(Evaluate({CodecKind::kQuant, level}));
  }
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    if (Quantised(t)) all_.contents_.tensors.push_back(std::move(folds_[2].params[t]));
  }
  return {};
}

Status Calibration::RunWhole() {
  FOGLINE_TRY(whole_, OpenSession(std::filesystem::path(model_.where())));
  whole_outputs_.resize(pictures());
  FOGLINE_CHECK(ParallelFor(pictures(), options_.threads, [&](size_t i, int) -> Status {
    const Tensor input = InputOf(set_.pictures[i]);
    const TensorView view = input.view();
    FOGLINE_TRY(whole_outputs_[i], whole_->Run({&view, 1}));
    return {};
  }));
  std::optional<size_t> classes;
  if (card_.kind != ModelCard::Kind::kOther) classes = card_.output_index;
  reference_ = std::make_unique<Reference>(whole_outputs_, classes);
  return {};
}

CalibratedPair Calibration::Row(const Cut& cut, const CodecName& codec) const {
  CalibratedPair row;
  row.cut = cut.index;
  row.cut_id = cut.id;
  row.cut_name = cut.name;
  row.codec = ToString(codec);
  return row;
}

/// Fills in what the trial says, sizes only where the row has none yet.
Status Calibration::AddRow(CalibratedPair row, Trial&& trial) {
  if (!trial.bytes.empty()) {
    const Summary bytes = Summarize(trial.bytes);
    row.bytes_mean = bytes.mean;
    row.bytes_p95 = bytes.p95;
  }
  row.relative_error = Summarize(trial.relative).mean;
  double agree = 0, right = 0, known = 0;
  for (size_t i = 0; i < trial.top1.size(); ++i) {
    if (trial.top1[i] == reference_->Top1(i)) agree += 1;
    if (i < set_.labels.size() && set_.labels[i] >= 0) {
      known += 1;
      if (trial.top1[i] == set_.labels[i]) right += 1;
    }
  }
  if (reference_->Top1(size_t{0}) >= 0) {
    row.top1_agreement = agree / static_cast<double>(trial.top1.size());
    if (known > 0) row.top1_accuracy = right / known;
  }
  if (options_.metric) {
    FOGLINE_TRY(row.user_metric, options_.metric(whole_outputs_, trial.outputs));
  }
  contents_.pairs.push_back(std::move(row));
  return {};
}

/// JPEG and WebP of the picture at the network's size, for the cut at the input.
Status Calibration::PictureCodecs(const Cut& cut) {
  for (const CodecKind kind : {CodecKind::kJpeg, CodecKind::kWebp}) {
    for (const int quality : options_.qualities) {
      const CodecName name{kind, quality};
      Trial trial = EmptyTrial(pictures());
      const auto work = [&](size_t i, int) -> Status {
        std::vector<std::byte> code;
        FOGLINE_CHECK(kind == CodecKind::kJpeg ? EncodeJpeg(set_.pictures[i], quality, code)
                                               : EncodeWebp(set_.pictures[i], quality, code));
        FOGLINE_TRY(const Image back, DecodeImage(code, ToString(name)));
        trial.bytes[i] = static_cast<double>(code.size());
        const Tensor input = InputOf(back);
        const TensorView view = input.view();
        FOGLINE_TRY(auto outputs, whole_->Run({&view, 1}));
        trial.top1[i] = reference_->Top1(outputs);
        trial.relative[i] = reference_->RelativeError(i, outputs);
        if (options_.metric) trial.outputs[i] = std::move(outputs);
        return {};
      };
      FOGLINE_CHECK(ParallelFor(pictures(), options_.threads, work));
      Step(ToString(name));
      FOGLINE_CHECK(AddRow(Row(cut, name), std::move(trial)));
    }
  }
  return {};
}

Result<BundleContents> Calibration::Run() {
  if (pictures() == 0) return Fail(ErrorCode::kInvalid, "calibration", "needs pictures, got none");
  if (pictures() < 20) {
    LogWarning("{} pictures are few: figures will be rough (100 or more are better)", pictures());
  }
  total_ = options_.cuts.size() * (options_.levels.size() + 2);
  for (const Cut& cut : options_.cuts) {
    if (cut.edge_nodes == 0) total_ += 2 * options_.qualities.size();
  }
  contents_.model_hash = model_.hash();
  contents_.model = std::filesystem::path(model_.where()).filename().string();
  contents_.images = static_cast<int>(pictures());
  FOGLINE_CHECK(RunWhole());
  for (const Cut& cut : options_.cuts) {
    if (cut.data_dependent) continue;  // shapes that values decide have no fixed quantiser
    if (cut.edge_nodes == 0) FOGLINE_CHECK(PictureCodecs(cut));
    FOGLINE_CHECK(CutCalibration(*this, cut).Run());
  }
  return std::move(contents_);
}

}  // namespace

double TargetError(int level) {
  static constexpr double kErrors[] = {0.40, 0.26, 0.15, 0.11, 0.07, 0.04, 0.02};
  return kErrors[std::clamp(level, 2, 8) - 2];
}

Result<BundleContents> Calibrate(const Model& model, const ModelCard& card,
                                 const CalibrationSet& set, const CalibrateOptions& options) {
  return Calibration(model, card, set, options).Run();
}

}  // namespace fogline
