#include "quantize/quantize.h"

#include <algorithm>

#include "graph/slice.h"
#include "quantize/fold.h"
#include "quantize/integers.h"
#include "quantize/measure.h"
#include "quantize/opset.h"
#include "quantize/scheme.h"

namespace fogline {
namespace {

using quantize::Net;
using quantize::Said;

constexpr size_t kFewest = 8;      // pictures that can be halved
constexpr size_t kMostTried = 16;  // pictures that each layer's cost is measured on

class Quantizer {
 public:
  Quantizer(const Network& network, const CalibrationSet& set, const QuantizeOptions& options)
      : network_(network), set_(set), options_(options), steps_(options.steps) {
    steps_.rounding.pairs = options.target == QuantizeTarget::kAny;
  }

  Result<QuantizeReport> Run() {
    FOGLINE_CHECK(Prepare());
    FOGLINE_CHECK(Measure());
    if (report_.agreement < options_.min_agreement) FOGLINE_CHECK(KeepFloat());
    Tell("writing");
    FOGLINE_TRY(report_.model, Make(inputs_));
    report_.bytes = report_.model.size();
    report_.float_bytes = whole_.size();
    report_.integer_layers = report_.layers - report_.kept_float.size();
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
    report_.layers = MakeScheme(*net_, {}).linears.size();
    FOGLINE_TRY(said_, quantize::Ask(whole_, network_, inputs_, options_.threads));
    report_.float_accuracy = AccuracyOf(said_, set_.labels);
    return {};
  }

  Result<std::string> Make(std::span<const Tensor> inputs) const {
    FOGLINE_TRY(const auto choices, Choose(*net_, inputs, steps_, options_.threads));
    return Assemble(*net_, choices, floating_);
  }

  /// Every other picture, beginning with the first or second.
  std::vector<Tensor> Half(size_t which) const {
    std::vector<Tensor> half;
    for (size_t i = which; i < inputs_.size(); i += 2) half.push_back(inputs_[i]);
    return half;
  }

  Status Measure() {
    report_.two_fold = inputs_.size() >= kFewest;
    Said other;
    if (report_.two_fold) {
      other.outputs.resize(inputs_.size());
      other.findings.resize(inputs_.size());
      other.unsure.resize(inputs_.size());
      for (size_t half = 0; half < 2; ++half) {
        Tell(half == 0 ? "measuring on one half" : "measuring on the other half");
        FOGLINE_TRY(const std::string model, Make(Half(1 - half)));
        FOGLINE_TRY(Said said, quantize::Ask(model, network_, Half(half), options_.threads));
        for (size_t i = half, k = 0; i < inputs_.size(); i += 2, ++k) {
          other.outputs[i] = std::move(said.outputs[k]);
          other.findings[i] = std::move(said.findings[k]);
          other.unsure[i] = std::move(said.unsure[k]);
        }
      }
    } else {
      FOGLINE_TRY(const std::string model, Make(inputs_));
      FOGLINE_TRY(other, quantize::Ask(model, network_, inputs_, options_.threads));
    }
    report_.agreement = AgreementBetween(network_, said_, other);
    report_.accuracy = AccuracyOf(other, set_.labels);
    return {};
  }

  /// Each layer alone in integers, on a few pictures, which it is also made from: what it costs
  /// then it costs in any network.
  Status KeepFloat() {
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
    FOGLINE_TRY(const auto choices, Choose(*net_, some, steps_, options_.threads));
    std::set<std::string> all;
    for (const auto& linear : MakeScheme(*net_, {}).linears) all.insert(linear.name);
    for (const auto& linear : MakeScheme(*net_, {}).linears) {
      std::set<std::string> others = all;
      others.erase(linear.name);
      FOGLINE_TRY(const std::string model, Assemble(*net_, choices, others));
      FOGLINE_TRY(const Said said,
                  quantize::Ask(model, network_, some, options_.threads, /*untried=*/true));
      const double cost = 1 - AgreementBetween(network_, whole, said);
      if (cost > 1 - options_.min_agreement) {
        report_.kept_float.push_back({linear.name, linear.op, cost});
      }
    }
    if (report_.kept_float.empty() || report_.kept_float.size() == all.size()) return {};
    for (const KeptFloat& kept : report_.kept_float) floating_.insert(kept.layer);
    return Measure();
  }

  const Network& network_;
  const CalibrationSet& set_;
  const QuantizeOptions& options_;
  quantize::Steps steps_;
  std::string whole_;
  std::optional<Net> net_;
  std::vector<Tensor> inputs_;
  Said said_;
  std::set<std::string> floating_;
  QuantizeReport report_;
};

}  // namespace

Result<QuantizeReport> Quantize(const Network& network, const CalibrationSet& set,
                                const QuantizeOptions& options) {
  return Quantizer(network, set, options).Run();
}

}  // namespace fogline
