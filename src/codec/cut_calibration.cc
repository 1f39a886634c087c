#include "codec/cut_calibration.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/stats.h"
#include "codec/quant_codec.h"
#include "codec/sensitivity.h"
#include "vision/floats.h"

namespace fogline {
namespace {

constexpr int64_t kSampleElements = 2'500'000;  // of a tensor, a half, to find parameters on
constexpr size_t kSampleLeast = 4;              // pictures of a half, however large the tensor
constexpr size_t kLayoutPictures = 4;           // to choose a layout on
constexpr size_t kJsonPictures = 8;             // JSON's size varies little, and it is slow
constexpr double kLayoutRatio = 1.0 / 4;        // of the rms: the step to compare layouts with
constexpr double kCodeUnits = 150;              // to code and decode an element
constexpr double kFitUnits = 300;               // to fit a level to an element
constexpr size_t kChannelRuns = 1200;           // at most, to try a tensor's channels in a half
constexpr double kChannelMadds = 2e11;  // nor more than this in all: large networks get fewer

/// Runs of what lies behind the cut that trying a tensor's channels may take.
size_t ChannelRuns(const Cut& cut) {
  const double runs = kChannelMadds / (static_cast<double>(cut.cloud_madds) + 1);
  return static_cast<size_t>(std::min<double>(kChannelRuns, runs));
}

/// Pictures of a half to find parameters of a tensor with that many elements on.
size_t SampleCount(int64_t elements, size_t pictures) {
  const size_t wanted =
      std::clamp(static_cast<size_t>(kSampleElements / std::max<int64_t>(1, elements)),
                 kSampleLeast, std::max(kSampleLeast, pictures));
  return std::min(wanted, pictures);
}

int64_t ElementsOf(const Port& port) { return port.shape.Elements().value_or(0); }

int64_t LargestOf(const Cut& cut) {
  int64_t largest = 1;
  for (const Port& port : cut.tensors) largest = std::max(largest, ElementsOf(port));
  return largest;
}

}  // namespace

double CutCalibration::RunUnits() const {
  double elements = 0;
  for (const Port& port : cut_.tensors) elements += static_cast<double>(ElementsOf(port));
  return static_cast<double>(cut_.cloud_madds) + kCodeUnits * elements + 1e5;
}

double CutCalibration::Units(const Calibration& all, const Cut& cut) {
  const auto levels = static_cast<double>(all.options().levels.size());
  const size_t half = (all.pictures() + 1) / 2;
  double elements = 0, probes = 0, fits = 0, quantised = 0;
  for (const Port& port : cut.tensors) {
    elements += static_cast<double>(ElementsOf(port));
    if (!CanBeQuantised(port.dtype)) continue;
    const auto sampled = static_cast<double>(SampleCount(LargestOf(cut), half));
    quantised += 1;
    fits += (2 * kStepProbes + 4 * levels) * kFitUnits * sampled *
            static_cast<double>(ElementsOf(port));
    probes += 2 * static_cast<double>(std::min(ChannelRuns(cut), 20 * half));
  }
  const double pictures =
      cut.is_cloud_only() ? 2.0 * static_cast<double>(all.options().qualities.size()) : 0;
  const double run = static_cast<double>(cut.cloud_madds) + kCodeUnits * elements + 1e5;
  const double curves = quantised > 1 ? quantised * std::min(kCurvePictures, half) : 0;
  const double runs = 2.0 * kStepProbes * (std::min(kStepPictures, half) + curves) +
                      (levels + 1 + pictures) * static_cast<double>(all.pictures());
  return (probes + runs) * run + fits;
}

std::vector<size_t> CutCalibration::Everyone() const {
  std::vector<size_t> pictures(all_.pictures());
  for (size_t i = 0; i < pictures.size(); ++i) pictures[i] = i;
  return pictures;
}

/// Bytes of some pictures' codes under a layout, at a step that costs the same error under all.
Result<double> CutCalibration::CodeBytes(size_t tensor, const Layout& layout) {
  const std::vector<size_t> pictures = Spread(Everyone(), kLayoutPictures);
  CoefficientSample sample(layout);
  double bytes = 0;
  const auto add = [&](std::span<const size_t> part) -> Status {
    for (const size_t picture : part) {
      FOGLINE_TRY(const auto tensors, activations_.Of(picture));
      std::vector<float> room;
      if (!sample.Add(AsFloats(tensors[tensor].view(), room).data())) {
        return Fail(ErrorCode::kInvalid, cut_.tensors[tensor].name, "holds NaN or infinity");
      }
    }
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(pictures, add));
  QuantParams params = FitMeans(cut_.id, cut_.tensors[tensor], sample);
  const double rms = WeightedRms(params, sample);
  const auto step = static_cast<float>(kLayoutRatio * (rms > 1e-20 ? rms : 1));
  params.levels[kProbedLevel] = FitLevel(params, sample, step);
  FOGLINE_TRY(const auto codec, MakeQuantCodec(params, kProbedLevel, kTrialTag));
  const auto encode = [&](std::span<const size_t> part) -> Status {
    for (const size_t picture : part) {
      FOGLINE_TRY(const auto tensors, activations_.Of(picture));
      std::vector<std::byte> code;
      FOGLINE_CHECK(codec->Encode(tensors[tensor].view(), code));
      bytes += static_cast<double>(code.size());
    }
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(pictures, encode));
  return bytes;
}

/// Channels where the graph says they are; where it does not, where they cost fewer bytes.
Status CutCalibration::ChooseLayouts() {
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    layouts_.emplace_back();
    if (!Quantised(t)) continue;
    const Port& port = cut_.tensors[t];
    const auto last = all_.ChannelsLast(port);
    FOGLINE_TRY(layouts_[t], MakeLayout(port.shape, last.value_or(false)));
    if (last) continue;
    FOGLINE_TRY(const Layout other, MakeLayout(port.shape, true));
    FOGLINE_TRY(const double second_bytes, CodeBytes(t, layouts_[t]));
    FOGLINE_TRY(const double last_bytes, CodeBytes(t, other));
    if (last_bytes < second_bytes) layouts_[t] = other;
    LogDebug("{}: {} bytes with channels at axis 1, {} with channels last", port.name, second_bytes,
             last_bytes);
  }
  return {};
}

Status CutCalibration::Sample() {
  const size_t tensors = cut_.tensors.size();
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    for (size_t i = 0; i < all_.pictures(); ++i) {
      if (all_.pictures() < 2 || all_.HalfOf(i) == half) fold.pictures.push_back(i);
    }
    for (size_t t = 0; t < tensors; ++t) fold.samples.emplace_back(layouts_[t]);
    const size_t count = SampleCount(LargestOf(cut_), fold.pictures.size());
    const auto sample = [&](std::span<const size_t> part) -> Status {
      std::vector<std::vector<CoefficientSample>> parts(part.size());
      FOGLINE_CHECK(all_.ForEach(part.size(), 0, [&](size_t i, int) -> Status {
        FOGLINE_TRY(const auto values, activations_.Of(part[i]));
        std::vector<float> room;
        for (size_t t = 0; t < tensors; ++t) {
          parts[i].emplace_back(layouts_[t]);
          if (Quantised(t) && !parts[i][t].Add(AsFloats(values[t].view(), room).data())) {
            return Fail(ErrorCode::kInvalid, cut_.tensors[t].name, "holds NaN or infinity");
          }
        }
        return {};
      }));
      for (const auto& of_picture : parts) {
        for (size_t t = 0; t < tensors; ++t) fold.samples[t].Append(of_picture[t]);
      }
      return {};
    };
    FOGLINE_CHECK(activations_.InParts(Spread(fold.pictures, count), sample));
  }
  // What goes into the bundle is found on everything.
  folds_[2].samples = folds_[0].samples;
  if (all_.pictures() >= 2) {
    for (size_t t = 0; t < tensors; ++t) folds_[2].samples[t].Append(folds_[1].samples[t]);
  }
  for (Fold& fold : folds_) {
    fold.params.resize(tensors);
    fold.rms.resize(tensors, 0);
    for (size_t t = 0; t < tensors; ++t) {
      if (!Quantised(t)) continue;
      fold.params[t] = FitMeans(cut_.id, cut_.tensors[t], fold.samples[t]);
      fold.rms[t] = WeightedRms(fold.params[t], fold.samples[t]);
    }
  }
  return {};
}

Status CutCalibration::Weights() {
  SensitivityOptions options;
  options.channel_runs = ChannelRuns(cut_);
  options.for_each = [this](size_t count, const auto& work) {
    return all_.ForEach(count, RunUnits(), work);
  };
  for (size_t half = 0; half < 2; ++half) {
    Fold& fold = folds_[half];
    std::vector<QuantParams*> params;
    for (size_t t = 0; t < fold.params.size(); ++t) {
      params.push_back(Quantised(t) ? &fold.params[t] : nullptr);
    }
    // As many as fit are kept; there are few enough to hold them all but of huge tensors.
    const std::vector<size_t> probed = ProbedPictures(fold.pictures, options, params);
    FOGLINE_CHECK(activations_.Keep(probed));
    FOGLINE_CHECK(FitWeights(
        *rest_, all_.reference(), fold.pictures, [this](size_t i) { return activations_.Of(i); },
        options, params, fold.rms));
  }
  const auto middle = [](const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> out;
    for (size_t i = 0; i < a.size(); ++i) out.push_back(std::sqrt(a[i] * b[i]));
    return out;
  };
  for (size_t t = 0; t < folds_[2].params.size(); ++t) {
    if (!Quantised(t)) continue;
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

Status CutCalibration::FitLevels() {
  const size_t levels = all_.options().levels.size(), tensors = cut_.tensors.size();
  std::vector<QuantLevel> fitted(3 * levels * tensors);
  const double units = kFitUnits * static_cast<double>(LargestOf(cut_)) *
                       static_cast<double>(SampleCount(LargestOf(cut_), folds_[0].pictures.size()));
  FOGLINE_CHECK(all_.ForEach(fitted.size(), units, [&](size_t i, int) -> Status {
    const Fold& fold = folds_[i / (levels * tensors)];
    const size_t level = i / tensors % levels, t = i % tensors;
    if (!Quantised(t)) return {};
    fitted[i] = FitLevel(fold.params[t], fold.samples[t],
                         static_cast<float>(fold.ratios[level][t] * UnitOf(fold, t)));
    return {};
  }));
  for (size_t i = 0; i < fitted.size(); ++i) {
    if (!Quantised(i % tensors)) continue;
    QuantParams& params = folds_[i / (levels * tensors)].params[i % tensors];
    params.levels[all_.options().levels[i / tensors % levels]] = std::move(fitted[i]);
  }
  return {};
}

Result<CutCalibration::Codecs> CutCalibration::CodecsOf(const std::vector<QuantParams>& params,
                                                        int level) const {
  Codecs codecs;
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    if (Quantised(t)) {
      FOGLINE_TRY(auto codec, MakeQuantCodec(params[t], level, kTrialTag));
      codecs.push_back(std::move(codec));
    } else {
      FOGLINE_TRY(auto codec, MakeCodec({CodecKind::kF32, 0}, cut_.tensors[t], nullptr, 0));
      codecs.push_back(std::move(codec));
    }
  }
  return codecs;
}

Result<CutCalibration::Codecs> CutCalibration::CodecsFor(const CodecName& name, size_t half) const {
  if (name.kind == CodecKind::kQuant) return CodecsOf(folds_[half].params, name.parameter);
  Codecs codecs;
  for (const Port& port : cut_.tensors) {
    FOGLINE_TRY(auto codec, MakeCodec(name, port, nullptr, 0));
    codecs.push_back(std::move(codec));
  }
  return codecs;
}

Result<std::vector<Tensor>> CutCalibration::Through(size_t picture, Codecs& codecs,
                                                    std::vector<std::byte>& code) const {
  FOGLINE_TRY(std::vector<Tensor> tensors, activations_.Of(picture));
  for (size_t t = 0; t < tensors.size(); ++t) {
    const size_t before = code.size();
    FOGLINE_CHECK(codecs[t]->Encode(tensors[t].view(), code));
    Tensor decoded;
    FOGLINE_CHECK(codecs[t]->Decode(std::span(code).subspan(before), decoded));
    tensors[t] = std::move(decoded);
  }
  return tensors;
}

Status CutCalibration::Evaluate(std::span<const CodecName> names) {
  const auto threads = static_cast<size_t>(all_.options().threads);
  std::vector<Trial> trials(names.size(), all_.NewTrial());
  const auto judge = [&](std::span<const size_t> part) -> Status {
    for (size_t n = 0; n < names.size(); ++n) {
      std::vector<Codecs> codecs(2 * threads);  // a worker needs one for either half
      FOGLINE_CHECK(all_.ForEach(part.size(), RunUnits(), [&](size_t i, int worker) -> Status {
        const size_t picture = part[i], half = all_.OtherHalf(picture);
        Codecs& own = codecs[2 * static_cast<size_t>(worker) + half];
        if (own.empty()) {
          FOGLINE_TRY(own, CodecsFor(names[n], half));
        }
        std::vector<std::byte> code;
        FOGLINE_TRY(const auto tensors, Through(picture, own, code));
        trials[n].bytes[picture] = static_cast<double>(code.size());
        FOGLINE_TRY(auto outputs, rest_->Run(tensors));
        all_.Judge(picture, std::move(outputs), trials[n]);
        return {};
      }));
    }
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(Everyone(), judge));
  for (size_t n = 0; n < names.size(); ++n) {
    FOGLINE_CHECK(all_.AddRow(all_.Row(cut_, names[n]), std::move(trials[n])));
  }
  return {};
}

/// json and f32 change nothing, so only their sizes are of interest.
Status CutCalibration::Plain() {
  const std::vector<size_t> pictures = Spread(Everyone(), kJsonPictures);
  std::vector<double> json;
  const auto measure = [&](std::span<const size_t> part) -> Status {
    std::vector<double> here(part.size());
    const auto one = [&](size_t i, int) -> Status {
      FOGLINE_TRY(auto codecs, CodecsFor({CodecKind::kJson, 0}, 0));
      std::vector<std::byte> code;
      FOGLINE_TRY(const auto tensors, activations_.Of(part[i]));
      for (size_t t = 0; t < tensors.size(); ++t) {
        FOGLINE_CHECK(codecs[t]->Encode(tensors[t].view(), code));
      }
      here[i] = static_cast<double>(code.size());
      return {};
    };
    FOGLINE_CHECK(all_.ForEach(part.size(), 0, one));
    json.insert(json.end(), here.begin(), here.end());
    return {};
  };
  FOGLINE_CHECK(activations_.InParts(pictures, measure));
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
  FOGLINE_TRY(rest_, Segment::After(all_.model(), cut_));
  FOGLINE_CHECK(Plain());
  const CodecName half{CodecKind::kF16, 0};
  FOGLINE_CHECK(Evaluate({&half, 1}));
  bool any = false;
  for (size_t t = 0; t < cut_.tensors.size(); ++t) any = any || Quantised(t);
  if (!any) return {};
  Status sampled = ChooseLayouts();
  if (sampled) sampled = Sample();
  if (!sampled) {
    if (sampled.error().code == ErrorCode::kCancelled) return sampled;
    LogWarning("cut {}: {}; it gets no q codecs", cut_.name, sampled.error().ToString());
    return {};
  }
  FOGLINE_CHECK(Weights());
  FOGLINE_CHECK(Steps());
  FOGLINE_CHECK(FitLevels());
  std::vector<CodecName> names;
  for (const int level : all_.options().levels) names.push_back({CodecKind::kQuant, level});
  // The user's measure needs all outputs of a codec at once, which are kept for one at a time.
  const size_t at_once = all_.options().metric ? 1 : names.size();
  for (size_t n = 0; n < names.size(); n += at_once) {
    FOGLINE_CHECK(Evaluate(std::span(names).subspan(n, at_once)));
  }
  for (size_t t = 0; t < cut_.tensors.size(); ++t) {
    if (Quantised(t)) all_.contents().tensors.push_back(std::move(folds_[2].params[t]));
  }
  return {};
}

}  // namespace fogline
