#include "learn/evaluate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "engine/session.h"
#include "learn/features.h"
#include "learn/logistic.h"
#include "vision/class_name.h"
#include "vision/network.h"

namespace fogline {
namespace {

constexpr size_t kListedLabels = 12;
constexpr size_t kBins = 10;

/// The model's class that a sub-folder is named after.
Result<int> ClassOf(const std::string& folder, const ModelCard& card, size_t classes,
                    const EvaluateOptions& options) {
  const std::string where = (options.images / folder).string();
  if (card.labels.empty()) {
    if (const auto number = ClassNumbered(folder, classes)) return *number;
    return Fail(ErrorCode::kInvalid, where,
                "is no class number: the card of {} has no labels, so name sub-folders 0 to {} or "
                "add labels to the card",
                options.model.string(), classes - 1);
  }
  if (const auto labelled = ClassLabelled(folder, card)) return *labelled;
  std::string known = DidYouMean(folder, card.labels);
  if (card.labels.size() <= kListedLabels) {
    known += fmt::format("; its classes are {}", fmt::join(card.labels, ", "));
  }
  return Fail(ErrorCode::kInvalid, where, "is no class of {}{}", options.model.string(), known);
}

Result<size_t> ClassesOf(const Network& network) {
  const ModelCard& card = network.card;
  const size_t classes = network.contract.classes();
  if (classes < 2) {
    return Fail(ErrorCode::kUnsupported, network.path.string(),
                "output '{}' is no classification of at least two classes (logits or "
                "probabilities): there is nothing to score",
                card.output);
  }
  if (!card.labels.empty() && card.labels.size() != classes) {
    return Fail(ErrorCode::kInvalid, network.path.string(),
                "tells {} classes apart, its card names {}", classes, card.labels.size());
  }
  return classes;
}

/// Predictions over the classes that matter here, which become report.labels.
void Judge(const FeatureTable& outputs, bool probabilities, EvaluateReport& report) {
  const ModelCard& card = report.card;
  std::vector<std::vector<double>> scores;
  std::vector<int> decided;
  std::map<int, int> used;  // class of the model → index in report.labels
  if (card.positive >= 0) used[card.positive] = 0;
  for (size_t i = 0; i < outputs.samples.size(); ++i) {
    const auto row = outputs.Row(i);
    std::vector<double> p(row.begin(), row.end());
    if (!probabilities) Softmax(p);
    decided.push_back(Decide(p, card.positive, card.threshold));
    used[outputs.samples[i].label] = 0;
    used[decided.back()] = 0;
    scores.push_back(std::move(p));
  }
  for (auto& [label, index] : used) {
    index = static_cast<int>(report.labels.size());
    report.labels.push_back(card.LabelOf(label));
  }
  if (card.positive >= 0) report.positive = used[card.positive];
  for (size_t i = 0; i < outputs.samples.size(); ++i) {
    Prediction prediction{outputs.samples[i], {}, used[decided[i]]};
    prediction.sample.label = used[prediction.sample.label];
    for (const auto& [label, index] : used) {
      prediction.probabilities.push_back(scores[i][static_cast<size_t>(label)]);
    }
    report.predictions.push_back(std::move(prediction));
  }
}

void Calibrate(EvaluateReport& report) {
  report.calibration.resize(kBins);
  for (const Prediction& p : report.predictions) {
    const int judged = report.positive >= 0 ? report.positive : p.decided;
    const double said = p.probabilities[static_cast<size_t>(judged)];
    const double place = std::clamp(said * kBins, 0.0, kBins - 1.0);
    CalibrationBin& bin = report.calibration[static_cast<size_t>(place)];
    ++bin.images;
    bin.said += said;
    bin.was += p.sample.label == judged ? 1 : 0;
  }
  for (CalibrationBin& bin : report.calibration) {
    if (bin.images == 0) continue;
    const double count = static_cast<double>(bin.images);
    report.calibration_error +=
        std::abs(bin.said - bin.was) / static_cast<double>(report.predictions.size());
    bin.said /= count;
    bin.was /= count;
  }
}

void Warn(EvaluateReport& report) {
  size_t least = SIZE_MAX, most = 0, largest = 0;
  for (size_t c = 0; c < report.labels.size(); ++c) {
    const size_t support = report.score.classes[c].support;
    if (support == 0) continue;
    least = std::min(least, support);
    if (support > most) {
      most = support;
      largest = c;
    }
  }
  if (static_cast<double>(most) >= kUnbalanced * static_cast<double>(least)) {
    report.warnings.push_back(fmt::format(
        "the classes are unbalanced: always saying '{}' would be right {:.1f} % of the time; look "
        "at balanced accuracy",
        report.labels[largest],
        100 * static_cast<double>(most) / static_cast<double>(report.images)));
  }
}

}  // namespace

Result<EvaluateReport> Evaluate(const EvaluateOptions& options, const TrainProgress& progress) {
  FOGLINE_TRY(Dataset data, ListSamples(options.images, DepthOf(options.recursive)));
  FOGLINE_TRY(const Network network, LoadNetwork(options.model, options.side));
  EvaluateReport report;
  report.card = network.card;
  report.model_hash = network.model.hash();
  FOGLINE_TRY(report.model_classes, ClassesOf(network));
  std::vector<int> classes;
  for (const std::string& folder : data.labels) {
    FOGLINE_TRY(const int label, ClassOf(folder, network.card, report.model_classes, options));
    classes.push_back(label);
  }
  for (Sample& sample : data.samples) sample.label = classes[static_cast<size_t>(sample.label)];

  FOGLINE_TRY(const auto session, OpenSession(network.model));
  ExtractOptions extract;
  extract.threads = options.threads;
  extract.output = network.contract.judged;
  size_t done = 0;
  FOGLINE_TRY(FeatureTable outputs,
              ExtractFeatures(*session, report.model_classes, network.card, data.samples, extract,
                              [&] { progress("evaluating", ++done, data.samples.size()); }));
  report.skipped = std::move(outputs.skipped);
  report.images = outputs.samples.size();
  if (report.images == 0) {
    return Fail(ErrorCode::kInvalid, options.images.string(),
                "none of its {} pictures can be read; the first: {}", report.skipped.size(),
                report.skipped.front().reason);
  }
  Judge(outputs, network.contract.output().probabilities, report);
  report.score = ScoreOf(report.predictions, report.labels.size());
  if (report.positive >= 0) {
    report.curve = CurveOf(report.predictions, report.positive);
    report.best_threshold = ChooseThreshold(report.predictions, report.positive);
  }
  Calibrate(report);
  Warn(report);
  return report;
}

}  // namespace fogline
