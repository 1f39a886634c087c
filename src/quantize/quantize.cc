#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/slice.h"
#include "quantize/fold.h"
#include "quantize/integers.h"
#include "quantize/measure.h"
#include "quantize/opset.h"
#include "quantize/ranges.h"
#include "quantize/scheme.h"

namespace fogline {
namespace {

using quantize::Net;
using quantize::Said;

constexpr size_t kFewest = 8;     // pictures that can be halved
constexpr size_t kMostTried = 8;  // pictures that each layer's cost is measured on

class Quantizer {
 public:
  Quantizer(const Network& network, const CalibrationSet& set, const QuantizeOptions& options)
      : network_(network), set_(set), options_(options), steps_(options.steps) {
    steps_.rounding.pairs = options.target == QuantizeTarget::kAny;
  }

  Result<QuantizeReport> Run() {
    FOGLINE_CHECK(Prepare());
    FOGLINE_CHECK(ChooseAll());
    Tell("measuring");
    FOGLINE_CHECK(Measure(0));
    FOGLINE_CHECK(KeepFloat());
    report_.agreement = tried_.at(floating_.size()).agreement;
    report_.accuracy = tried_.at(floating_.size()).accuracy;
    Tell("writing");
    FOGLINE_TRY(report_.model, Assemble(*net_, all_, Floating(floating_)));
    FOGLINE_CHECK(Check());
    report_.bytes = report_.model.size();
    report_.float_bytes = whole_.size();
    report_.integer_layers = choosable_.size() - report_.kept_float.size();
    FOGLINE_TRY(report_.not_fused, quantize::NotFused(report_.model, network_));
    if (!options_.measure_time) return std::move(report_);
    Tell("timing");
    FOGLINE_TRY(const auto times,
                quantize::TimeBoth(whole_, report_.model, network_, inputs_.front()));
    report_.float_ms = times.float_ms;
    report_.ms = times.ms;
    return std::move(report_);
  }

 private:
  void Tell(std::string_view stage) const {
    if (options_.progress) options_.progress(stage);
  }

  Status Prepare() {
    if (const auto& error = network_.contract.no_picture) return tl::unexpected<Error>(*error);
    if (set_.pictures.empty()) {
      return Fail(ErrorCode::kInvalid, network_.path.string(), "there are no pictures");
    }
    Tell("reading");
    FOGLINE_TRY(whole_, SliceWhole(network_.model));
    FOGLINE_TRY(net_, Net::Parse(whole_, network_.path.string()));
    FOGLINE_CHECK(CheckFloat(*net_));
    FOGLINE_CHECK(RaiseOpset(*net_));
    FOGLINE_CHECK(Fold(*net_));
    inputs_ = quantize::InputsOf(network_, set_);
    report_.pictures = inputs_.size();
    for (auto& linear : MakeScheme(*net_, {}).linears) {
      ++report_.layers;
      if (!options_.floating.contains(linear.name)) choosable_.push_back(std::move(linear));
    }
    if (report_.layers > 0 && choosable_.empty()) {
      return Fail(ErrorCode::kUsage, network_.path.string(),
                  "no layer with weights is on the side that is to compute in integers");
    }
    FOGLINE_TRY(said_, quantize::Ask(whole_, network_, inputs_, options_.threads));
    report_.float_accuracy = AccuracyOf(said_, set_.labels);
    return {};
  }

  /// Every other picture, beginning with the first or second.
  std::vector<Tensor> Half(size_t which) const {
    std::vector<Tensor> half;
    for (size_t i = which; i < inputs_.size(); i += 2) half.push_back(inputs_[i]);
    return half;
  }

  Status ChooseAll() {
    report_.two_fold = inputs_.size() >= kFewest;
    Tell("choosing ranges and weights");
    FOGLINE_TRY(all_, Choose(*net_, inputs_, steps_, options_.threads));
    for (size_t half = 0; report_.two_fold && half < 2; ++half) {
      Tell(half == 0 ? "choosing on one half" : "choosing on the other half");
      FOGLINE_TRY(halves_[half], Choose(*net_, Half(half), steps_, options_.threads));
    }
    CountRanges();
    return {};
  }

  /// How often values leave the ranges, on the pictures that these come from and on others.
  void CountRanges() {
    report_.beyond = report_.beyond_own = CountBeyond(*net_, all_, all_.seen).share();
    if (!report_.two_fold) return;
    quantize::Beyond others;
    for (size_t half = 0; half < 2; ++half) {
      const auto one = CountBeyond(*net_, halves_[half], halves_[1 - half].seen);
      others.values += one.values;
      others.beyond += one.beyond;
    }
    report_.beyond = others.share();
  }

  /// The finished network on the pictures that were kept for that.
  Status Check() {
    if (options_.check == nullptr) return {};
    Tell("checking");
    const std::vector<Tensor> inputs = quantize::InputsOf(network_, *options_.check);
    FOGLINE_TRY(const Said whole, quantize::Ask(whole_, network_, inputs, options_.threads));
    FOGLINE_TRY(const Said other, quantize::Ask(report_.model, network_, inputs, options_.threads));
    FOGLINE_TRY(const auto seen, Observe(*net_, MakeScheme(*net_, {}), inputs, options_.threads));
    const auto& labels = options_.check->labels;
    report_.check = {inputs.size(), AgreementBetween(network_, whole, other),
                     CountBeyond(*net_, all_, seen).share(), AccuracyOf(other, labels),
                     AccuracyOf(whole, labels)};
    return {};
  }

  /// These and those that stay float in any case.
  std::set<std::string> Floating(std::set<std::string> some) const {
    some.insert(options_.floating.begin(), options_.floating.end());
    return some;
  }

  /// What a network says in which these layers stay float.
  Result<Said> AskWith(const std::set<std::string>& some) const {
    const std::set<std::string> floating = Floating(some);
    if (!report_.two_fold) {
      FOGLINE_TRY(const std::string model, Assemble(*net_, all_, floating));
      return quantize::Ask(model, network_, inputs_, options_.threads);
    }
    Said other;
    other.outputs.resize(inputs_.size());
    other.findings.resize(inputs_.size());
    other.unsure.resize(inputs_.size());
    for (size_t half = 0; half < 2; ++half) {
      FOGLINE_TRY(const std::string model, Assemble(*net_, halves_[1 - half], floating));
      FOGLINE_TRY(Said said, quantize::Ask(model, network_, Half(half), options_.threads));
      for (size_t i = half, k = 0; i < inputs_.size(); i += 2, ++k) {
        other.outputs[i] = std::move(said.outputs[k]);
        other.findings[i] = std::move(said.findings[k]);
        other.unsure[i] = std::move(said.unsure[k]);
      }
    }
    return other;
  }

  Status Measure(size_t kept) {
    std::set<std::string> floating;
    for (size_t k = 0; k < kept; ++k) floating.insert(ranked_[k].layer);
    FOGLINE_TRY(const Said other, AskWith(floating));
    tried_[kept] = {AgreementBetween(network_, said_, other), AccuracyOf(other, set_.labels)};
    return {};
  }

  double AgreementOfKept(size_t kept) const { return tried_.at(kept).agreement; }

  /// Each layer alone in integers, on a few pictures, which it is also made from: what it costs
  /// then it costs in any network. Single layers seldom change findings, so those that cost the
  /// same agreement come in the order in which they move the outputs.
  Status RankLayers() {
    Tell("weighing layers");
    std::vector<Tensor> some;
    Said whole;
    const size_t count = std::min(inputs_.size(), kMostTried);
    for (size_t k = 0; k < count; ++k) {
      const size_t i = k * inputs_.size() / count;
      some.push_back(inputs_[i]);
      whole.outputs.push_back(said_.outputs[i]);
      whole.findings.push_back(said_.findings[i]);
      whole.unsure.push_back(said_.unsure[i]);
    }
    std::set<std::string> all = options_.floating;
    for (const auto& linear : choosable_) all.insert(linear.name);
    for (const auto& linear : choosable_) {
      std::set<std::string> others = all;
      others.erase(linear.name);
      FOGLINE_TRY(const std::string model, Assemble(*net_, all_, others));
      FOGLINE_TRY(const Said said,
                  quantize::Ask(model, network_, some, options_.threads, /*untried=*/true));
      ranked_.push_back({linear.name, linear.op, 1 - AgreementBetween(network_, whole, said),
                         quantize::ErrorBetween(whole, said)});
    }
    std::ranges::stable_sort(ranked_, [](const KeptFloat& a, const KeptFloat& b) {
      return a.cost + a.error > b.cost + b.error;
    });
    return {};
  }

  /// As few of the layers that cost most as the target needs, sought by doubling and halving.
  /// Where the target is out of reach, as many as gave the best agreement.
  Status KeepFloat() {
    if (AgreementOfKept(0) >= options_.min_agreement) return {};
    FOGLINE_CHECK(RankLayers());
    const size_t most = ranked_.size() - 1;  // one layer at least computes in integers
    const auto enough = [&](size_t kept) {
      return AgreementOfKept(kept) >= options_.min_agreement;
    };
    size_t below = 0, kept = 0;
    while (kept < most && !enough(kept)) {
      below = kept;
      kept = std::min(most, std::max<size_t>(1, 2 * kept));
      Tell(fmt::format("measuring with {} layers in float", kept));
      FOGLINE_CHECK(Measure(kept));
    }
    while (enough(kept) && kept > below + 1) {
      const size_t middle = (below + kept) / 2;
      Tell(fmt::format("measuring with {} layers in float", middle));
      FOGLINE_CHECK(Measure(middle));
      (enough(middle) ? kept : below) = middle;
    }
    if (!enough(kept)) {
      for (const auto& [count, tried] : tried_) {
        if (tried.agreement > AgreementOfKept(kept) || count == 0) kept = count;
      }
    }
    report_.kept_float.assign(ranked_.begin(), ranked_.begin() + static_cast<ptrdiff_t>(kept));
    for (const KeptFloat& one : report_.kept_float) floating_.insert(one.layer);
    return {};
  }

  struct Tried {
    double agreement = 0;
    std::optional<double> accuracy;
  };

  const Network& network_;
  const CalibrationSet& set_;
  const QuantizeOptions& options_;
  quantize::Steps steps_;
  std::string whole_;
  std::optional<Net> net_;
  std::vector<quantize::Linear> choosable_;  // that compute in integers but for what they cost
  std::vector<Tensor> inputs_;
  Said said_;
  quantize::Choices all_, halves_[2];  // made from all pictures, and from every other one
  std::vector<KeptFloat> ranked_;      // every layer, what costs most first
  std::map<size_t, Tried> tried_;      // by how many of them stay float
  std::set<std::string> floating_;
  QuantizeReport report_;
};

}  // namespace

bool QuantizeReport::unlike() const {
  constexpr double kTimes = 4, kLeast = 1e-3;
  const double most = std::max(beyond, check ? check->beyond : 0);
  return most > kLeast && most > kTimes * beyond_own;
}

Result<QuantizeReport> Quantize(const Network& network, const CalibrationSet& set,
                                const QuantizeOptions& options) {
  return Quantizer(network, set, options).Run();
}

}  // namespace fogline
