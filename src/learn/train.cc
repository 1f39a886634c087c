#include "learn/train.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "engine/session.h"
#include "learn/card_text.h"
#include "vision/network.h"

namespace fogline {
namespace {

constexpr int kAugment = 4;
constexpr size_t kManyRows = 20'000;  // where augmentation by default stops adding
constexpr size_t kFewPictures = 20;   // of a class, below which results vary from seed to seed
constexpr size_t kChecked = 8;        // pictures that the written model is run on
constexpr double kTolerance = 1e-3;   // in probability: the engine fuses and rounds in float32

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Status CheckOptions(const TrainOptions& options) {
  if (options.folds < 2) {
    return Fail(ErrorCode::kUsage, "--folds", "must be at least 2, got {}", options.folds);
  }
  return CheckOut(options.out, options.backbone);
}

Result<FeaturePoint> FindFeatures(const Model& model, const std::string& at) {
  if (at.empty()) return PooledFeatures(model);
  FOGLINE_TRY(const int tensor, FindTensor(model, at));
  return FeaturesAt(model, model.activations()[static_cast<size_t>(tensor)].port.name);
}

/// Which class is positive, set in the report.
Status FindPositive(const std::string& wanted, TrainReport& report) {
  if (wanted == "none" && std::ranges::find(report.labels, wanted) == report.labels.end()) {
    return {};
  }
  if (wanted.empty()) {
    report.positive = GuessPositive(report.labels);
    report.positive_guessed = true;
    return {};
  }
  const auto found = std::ranges::find(report.labels, wanted);
  if (found == report.labels.end()) {
    return Fail(ErrorCode::kUsage, "--positive " + wanted, "is no class; the classes are {}{}",
                fmt::join(report.labels, ", "), DidYouMean(wanted, report.labels));
  }
  report.positive = static_cast<int>(found - report.labels.begin());
  return {};
}

/// Refuses what nothing can be learnt from, and warns of what little can.
Status CheckClasses(const TrainOptions& options, TrainReport& report) {
  const auto [least, most] = std::ranges::minmax_element(report.by_class);
  const auto& smallest = report.labels[static_cast<size_t>(least - report.by_class.begin())];
  const auto& largest = report.labels[static_cast<size_t>(most - report.by_class.begin())];
  if (*least < 2) {
    return Fail(ErrorCode::kInvalid, (options.images / smallest).string(),
                "{} readable picture{}{}: every class needs at least 2, better {} or more", *least,
                *least == 1 ? "" : "s",
                report.skipped.empty() ? "" : fmt::format(" ({} left out)", report.skipped.size()),
                kFewPictures);
  }
  report.folds = static_cast<int>(std::min<size_t>(*least, static_cast<size_t>(options.folds)));
  if (report.folds < options.folds) {
    report.warnings.push_back(fmt::format("{} folds instead of {}: class '{}' has only {} pictures",
                                          report.folds, options.folds, smallest, *least));
  }
  if (*least < kFewPictures) {
    report.warnings.push_back(fmt::format(
        "class '{}' has only {} pictures: expect these figures to be off by several percent",
        smallest, *least));
  }
  if (static_cast<double>(*most) >= kUnbalanced * static_cast<double>(*least)) {
    report.warnings.push_back(fmt::format(
        "the classes are unbalanced: always saying '{}' would be right {:.1f} % of the time; look "
        "at balanced accuracy",
        largest, 100 * static_cast<double>(*most) / static_cast<double>(report.images)));
  }
  return {};
}

/// Lets each fold be decided by the threshold that is best on the others.
void DecideOutOfFold(TrainReport& report) {
  auto& predictions = report.validation.predictions;
  for (int fold = 0; fold < report.folds; ++fold) {
    std::vector<Prediction> others;
    for (size_t i = 0; i < predictions.size(); ++i) {
      if (report.validation.folds[i] != fold) others.push_back(predictions[i]);
    }
    const double threshold = ChooseThreshold(others, report.positive);
    for (size_t i = 0; i < predictions.size(); ++i) {
      if (report.validation.folds[i] != fold) continue;
      predictions[i].decided = Decide(predictions[i].probabilities, report.positive, threshold);
    }
  }
}

ModelCard CardOf(const Network& backbone, const std::string& output, const TrainOptions& options,
                 const TrainReport& report) {
  ModelCard card = backbone.card;
  card.name = options.out.stem().string();
  card.description = fmt::format(
      "{} told apart by a logistic head on '{}' of {}; {:.1f} % right ({:.1f} % balanced) on {} "
      "pictures in {}-fold cross-validation",
      fmt::join(report.labels, ", "), report.features.tensor, backbone.path.filename().string(),
      100 * report.score.accuracy, 100 * report.score.balanced_accuracy, report.images,
      report.folds);
  card.output = output;
  card.output_index = 0;
  card.kind = ModelCard::Kind::kLogits;
  card.labels = report.labels;
  card.positive = report.positive;
  card.threshold = report.threshold;
  return card;
}

std::vector<std::string> Notes(const Network& backbone, const TrainOptions& options,
                               const TrainReport& report) {
  return {
      fmt::format("Written by fogline train from {} ({} pictures, seed {}, {} variations each).",
                  backbone.path.filename().string(), report.images, options.seed, report.augment),
      fmt::format("Backbone SHA-256 {}.", ToHex(backbone.model.hash())),
      fmt::format("Penalty {:.3g}, chosen by {}-fold cross-validation.",
                  report.validation.lambdas[report.validation.best], report.folds),
      "The output holds logits: their softmax gives the probabilities that threshold is compared "
      "with."};
}

/// Runs the whole model on a few pictures and compares it with the head on their features.
Status CheckWritten(Session& session, const ModelCard& card, const LinearHead& head,
                    const FeatureTable& table, const TrainOptions& options) {
  const std::vector<Sample> few(
      table.samples.begin(), table.samples.begin() + static_cast<std::ptrdiff_t>(
                                                         std::min(kChecked, table.samples.size())));
  FOGLINE_TRY(const FeatureTable logits,
              ExtractFeatures(session, card.labels.size(), card, few,
                              {0, options.seed, options.threads, 0}, [] {}));
  for (size_t i = 0; i < logits.samples.size(); ++i) {
    std::vector<double> got(logits.Row(i).begin(), logits.Row(i).end());
    Softmax(got);
    const std::vector<double> wanted = Probabilities(head, table.Row(i));
    for (size_t c = 0; c < got.size(); ++c) {
      if (std::abs(got[c] - wanted[c]) > kTolerance) {
        return Fail(ErrorCode::kInternal, options.out.string(),
                    "the model written gives {:.4f} for {} where the head gives {:.4f}", got[c],
                    logits.samples[i].file.string(), wanted[c]);
      }
    }
  }
  return {};
}

Status WriteModel(const Network& backbone, const LinearHead& head, const FeatureTable& table,
                  const TrainOptions& options, TrainReport& report) {
  FOGLINE_TRY(const std::string bytes, AppendHead(backbone.model, report.features, head));
  FOGLINE_TRY(const auto session, OpenSession(Bytes(bytes), options.out.string()));
  const ModelCard card = CardOf(backbone, session->outputs().at(0).name, options, report);
  FOGLINE_CHECK(CheckWritten(*session, card, head, table, options));
  report.model = options.out;
  report.card = options.out;
  report.card.replace_extension(".toml");
  report.model_bytes = bytes.size();
  // The card first: a model must not be found beside the card of another.
  FOGLINE_CHECK(WriteFile(report.card, CardText(card, Notes(backbone, options, report))));
  return WriteFile(report.model, bytes);
}

bool Names(const std::string& label, std::initializer_list<std::string_view> words) {
  std::string lower = label;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return std::ranges::any_of(
      words, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool NamesAbsence(const std::string& label) {
  return Names(label, {"clean", "no_", "no-", "no ", "not", "non", "without", "negative", "normal",
                       "background", "empty", "other", "nothing", "free"});
}

}  // namespace

int GuessPositive(const std::vector<std::string>& labels) {
  int found = -1, count = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (NamesAbsence(labels[i]) ||
        !Names(labels[i], {"litter", "trash", "garbage", "waste", "rubbish", "positive"})) {
      continue;
    }
    found = static_cast<int>(i);
    ++count;
  }
  if (count == 1) return found;
  if (labels.size() != 2) return -1;
  return NamesAbsence(labels[1]) && !NamesAbsence(labels[0]) ? 0 : 1;
}

Status CheckOut(const std::filesystem::path& out, const std::filesystem::path& source) {
  if (out.extension() != ".onnx") {
    return Fail(ErrorCode::kUsage, "--out " + out.string(),
                "must end in .onnx; the card is written beside it as .toml");
  }
  std::error_code error;
  if (std::filesystem::equivalent(out, source, error)) {
    return Fail(ErrorCode::kUsage, "--out " + out.string(), "is the network it is made of");
  }
  const std::filesystem::path folder = out.parent_path();
  if (!folder.empty() && !IsFolder(folder)) {
    return Fail(ErrorCode::kNotFound, "--out " + out.string(), "its folder does not exist");
  }
  return {};
}

Result<TrainReport> Train(const TrainOptions& options, const TrainProgress& progress) {
  FOGLINE_CHECK(CheckOptions(options));
  TrainReport report;
  FOGLINE_TRY(Dataset data, ListSamples(options.images, DepthOf(options.recursive)));
  report.labels = data.labels;
  if (options.leave_half) {
    data.samples = SampleHalvesOf(data.samples, data.labels.size(), options.seed).fit;
  }
  FOGLINE_CHECK(FindPositive(options.positive, report));
  FOGLINE_TRY(const Network backbone, LoadNetwork(options.backbone, options.side));
  FOGLINE_TRY(report.features, FindFeatures(backbone.model, options.at));

  report.augment = options.augment >= 0
                       ? options.augment
                       : static_cast<int>(std::min<size_t>(
                             kAugment, kManyRows / std::max<size_t>(1, data.samples.size())));
  FeatureTable table;
  {
    FOGLINE_TRY(const std::string bytes, WriteFeatures(backbone.model, report.features));
    FOGLINE_TRY(const auto session, OpenSession(Bytes(bytes), options.backbone.string()));
    size_t done = 0;
    FOGLINE_TRY(
        table, ExtractFeatures(*session, static_cast<size_t>(report.features.width), backbone.card,
                               data.samples, {report.augment, options.seed, options.threads, 0},
                               [&] { progress("reading pictures", ++done, data.samples.size()); }));
  }
  report.images = table.samples.size();
  report.skipped = table.skipped;
  report.by_class = CountByClass(table.samples, report.labels.size());
  FOGLINE_CHECK(CheckClasses(options, report));

  size_t folds_done = 0;
  const auto folds = static_cast<size_t>(report.folds);
  FOGLINE_TRY(
      report.validation,
      CrossValidate(table, report.labels.size(), report.folds, options.seed, DefaultLambdas(),
                    options.threads, [&] { progress("cross-validating", ++folds_done, folds); }));
  report.likeliest = ScoreOf(report.validation.predictions, report.labels.size());
  if (report.positive >= 0) {
    report.threshold = ChooseThreshold(report.validation.predictions, report.positive);
    report.curve = CurveOf(report.validation.predictions, report.positive);
    DecideOutOfFold(report);
  }
  report.score = ScoreOf(report.validation.predictions, report.labels.size());

  // The same path of penalties as the folds took, up to the one chosen.
  std::vector<double> path = report.validation.lambdas;
  path.resize(report.validation.best + 1);
  const WeightedRows all(table, report.labels.size(), report.validation.folds, -1);
  FOGLINE_TRY(const auto heads, FitLogistic(all.rows(), path));
  FOGLINE_CHECK(WriteModel(backbone, heads.back(), table, options, report));
  return report;
}

}  // namespace fogline
