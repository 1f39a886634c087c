#include "learn/fit_cascade.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/file.h"
#include "base/paths.h"
#include "engine/session.h"
#include "learn/cross_validate.h"
#include "learn/fit_exits.h"
#include "learn/gate_counts.h"
#include "learn/logistic.h"

namespace fogline {
namespace {

/// What both networks make of the same pictures.
struct BothSay {
  FeatureTable little;
  std::vector<int> big;  // verdicts, a picture each
};

Result<FeatureTable> Ask(const Network& network, const std::vector<Sample>& samples, int threads,
                         const TrainProgress& progress) {
  FOGLINE_TRY(const auto session, OpenSession(network.model));
  size_t done = 0;
  const std::string stage = "asking " + network.path.filename().string();
  return ExtractFeatures(*session, network.contract.classes(), network.card, samples,
                         {0, 1, threads, network.contract.judged},
                         [&] { progress(stage, ++done, samples.size()); });
}

Result<BothSay> AskBoth(const Network& little, const Network& big,
                        const std::vector<Sample>& samples, int threads,
                        const TrainProgress& progress, FitCascadeReport& report) {
  FOGLINE_TRY(const FeatureTable verdicts, Ask(big, samples, threads, progress));
  BothSay both;
  // Of what the big one could read; both read the same files.
  FOGLINE_TRY(both.little, Ask(little, verdicts.samples, threads, progress));
  FOGLINE_TRY(both.big, VerdictsOf(verdicts, big.card));
  std::ranges::copy(verdicts.skipped, std::back_inserter(report.skipped));
  if (both.big.size() == both.little.samples.size() && !both.big.empty()) return both;
  return Fail(ErrorCode::kInvalid, "--images",
              "has too few pictures that both networks can read: give some on either half");
}

/// The little network's probabilities beside the big one's verdicts.
Result<double> Temperature(const BothSay& both, const Network& little, const Network& big) {
  std::vector<Prediction> predictions;
  for (size_t i = 0; i < both.big.size(); ++i) {
    Prediction& p = predictions.emplace_back();
    p.sample.label = both.big[i];
    const std::span<const float> row = both.little.Row(i);
    p.probabilities.assign(row.begin(), row.end());
    if (little.card.kind != ModelCard::Kind::kProbabilities) Softmax(p.probabilities);
    FOGLINE_CHECK(JudgeLittle(RowView(row), little.card, big.card, 1).map([](auto&&) {}));
  }
  return TemperatureOf(predictions);
}

}  // namespace

Result<FitCascadeReport> FitCascade(const FitCascadeOptions& options,
                                    const TrainProgress& progress) {
  std::error_code unknown;
  const auto folder = [](const std::filesystem::path& file) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(Absolute(file), ignored).parent_path();
  };
  if (std::filesystem::equivalent(options.little, options.big, unknown) ||
      folder(options.little) != folder(options.big)) {
    return Fail(ErrorCode::kUsage, options.little.string(),
                "is to lie beside {}: two files of one folder, where an edge finds both",
                options.big.string());
  }
  FitCascadeReport report;
  FOGLINE_TRY(const Network little, LoadNetwork(options.little));
  FOGLINE_TRY(const Network big, LoadNetwork(options.big));
  FOGLINE_CHECK(CheckPair(little, big));
  FOGLINE_TRY(const auto samples, ListUnlabelled(options.images, DepthOf(options.recursive)));
  const SampleHalves halves = SampleHalvesOf(samples, 1, options.seed);

  Cascade& cascade = report.cascade;
  cascade.little = options.little;
  cascade.little_network = ToHex(little.model.hash());
  cascade.gate.at = options.little.stem().string();
  cascade.gate.network = ToHex(big.model.hash());
  const auto& images = options.images;
  cascade.gate.measured_on =
      (images.filename().empty() ? images.parent_path() : images).filename().string();
  report.work = static_cast<double>(little.model.madds()) /
                static_cast<double>(std::max<int64_t>(1, big.model.madds()));
  {
    FOGLINE_TRY(const BothSay both,
                AskBoth(little, big, halves.fit, options.threads, progress, report));
    report.fitted = both.big.size();
    FOGLINE_TRY(cascade.temperature, Temperature(both, little, big));
  }
  FOGLINE_TRY(const BothSay both,
              AskBoth(little, big, halves.measure, options.threads, progress, report));
  size_t agree = 0;
  FOGLINE_CHECK(CountGate(
      both.little, both.big,
      [&](const TensorView& row) {
        return JudgeLittle(row, little.card, big.card, cascade.temperature);
      },
      cascade.gate));
  for (size_t i = 0; i < both.big.size(); ++i) {
    FOGLINE_TRY(const ExitVerdict said,
                JudgeLittle(RowView(both.little.Row(i)), little.card, big.card, 1));
    agree += said.label == both.big[i] ? 1 : 0;
  }
  report.agreement = static_cast<double>(agree) / static_cast<double>(both.big.size());
  report.file = options.big;
  report.file.replace_extension(".cascade");
  FOGLINE_CHECK(WriteFile(report.file, CascadeText(cascade)));
  return report;
}

}  // namespace fogline
