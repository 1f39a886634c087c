#include "learn/fit_exits.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "engine/session.h"
#include "learn/card_text.h"
#include "learn/features.h"
#include "learn/gate_counts.h"
#include "vision/network.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

constexpr int kFolds = 5;
constexpr float kNever = -1e4F;  // logit of a class that a head has not seen
constexpr double kAutoWork[] = {0.15, 0.3, 0.5};

/// An exit on its way to the card.
struct Place {
  Cut cut;
  FeaturePoint point;
};

Result<Place> PlaceAt(const Network& network, const std::string& spec) {
  FOGLINE_TRY(const Cut cut, FindCut(network.model, spec));
  if (!cut.is_split() || cut.tensors.size() != 1) {
    return Fail(ErrorCode::kUsage, "--exits " + spec,
                "is no place for an exit: one tensor must cross there, and no other");
  }
  FOGLINE_TRY(FeaturePoint point, FeaturesAt(network.model, cut.tensors[0].name));
  return Place{cut, std::move(point)};
}

/// The places whose part of the work is nearest to what is wanted.
Result<std::vector<Place>> AutoPlaces(const Network& network) {
  FOGLINE_TRY(const auto cuts, ListCuts(network.model));
  const auto total = static_cast<double>(std::max<int64_t>(1, network.model.madds()));
  std::vector<Place> places;
  for (const double wanted : kAutoWork) {
    std::optional<Place> best;
    const auto off = [&](const Cut& cut) {
      return std::abs(static_cast<double>(cut.edge_madds) / total - wanted);
    };
    for (const Cut& cut : cuts) {
      if (!cut.is_split() || cut.tensors.size() != 1) continue;
      auto point = FeaturesAt(network.model, cut.tensors[0].name);
      if (!point || (best && off(cut) >= off(best->cut))) continue;
      best = Place{cut, *std::move(point)};
    }
    const auto same = [&](const Place& other) { return best && other.cut.id == best->cut.id; };
    if (best && std::ranges::none_of(places, same)) places.push_back(*std::move(best));
  }
  if (!places.empty()) return places;
  return Fail(ErrorCode::kUnsupported, network.path.string(),
              "has no place for an exit: nowhere does one tensor of features cross alone");
}

Result<std::vector<Place>> PlacesOf(const Network& network, const FitExitsOptions& options) {
  if (options.exits.size() == 1 && options.exits[0] == "auto") return AutoPlaces(network);
  std::vector<Place> places;
  std::set<uint64_t> seen;
  for (const std::string& spec : options.exits) {
    FOGLINE_TRY(Place place, PlaceAt(network, spec));
    if (!seen.insert(place.cut.id).second) {
      return Fail(ErrorCode::kUsage, "--exits " + spec, "is there twice");
    }
    places.push_back(std::move(place));
  }
  return places;
}

Status CheckClassifier(const Network& network) {
  if (network.contract.classes() >= 2) return {};
  return Fail(ErrorCode::kUnsupported, network.path.string(),
              "is no classifier: exits are for networks that give a class a picture");
}

/// What heads learn from: pictures whose label is the place of the network's verdict in `classes`.
struct Lesson {
  std::vector<Sample> samples;
  std::vector<int> classes;  // of the network, ascending
};

Result<Lesson> LessonOf(const Network& network, const std::vector<Sample>& samples,
                        const std::vector<int>& verdicts, FitExitsReport& report) {
  std::vector<size_t> count(network.contract.classes());
  for (const int label : verdicts) ++count[static_cast<size_t>(label)];
  Lesson lesson;
  std::vector<int> place(count.size(), -1);
  std::string never;
  size_t unseen = 0;
  for (size_t c = 0; c < count.size(); ++c) {
    if (count[c] >= kFolds) {
      place[c] = static_cast<int>(lesson.classes.size());
      lesson.classes.push_back(static_cast<int>(c));
    } else if (unseen++ == 0) {
      never = network.card.LabelOf(static_cast<int>(c));
    }
  }
  const std::string folder = network.path.string();
  if (lesson.classes.size() < 2) {
    return Fail(ErrorCode::kInvalid, folder,
                "says {} of all but {} of {} pictures: heads learn to tell classes apart, which "
                "takes {} pictures or more of two of them",
                lesson.classes.empty() ? "no class" : network.card.LabelOf(lesson.classes[0]),
                lesson.classes.empty()
                    ? verdicts.size()
                    : verdicts.size() - count[static_cast<size_t>(lesson.classes[0])],
                verdicts.size(), kFolds);
  }
  if (unseen > 0) {
    report.warnings.push_back(fmt::format(
        "of {} classes ('{}'{}) there are fewer than {} pictures to learn from: no exit says them, "
        "and pictures of them go on",
        unseen, Printable(never), unseen > 1 ? " …" : "", kFolds));
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    const int label = place[static_cast<size_t>(verdicts[i])];
    if (label >= 0) lesson.samples.push_back({samples[i].file, label});
  }
  return lesson;
}

/// The head over all classes of the network; those that it never saw are never said.
LinearHead Widened(const LinearHead& head, const std::vector<int>& classes, size_t all,
                   double temperature) {
  const auto width = static_cast<size_t>(head.features);
  LinearHead wide{static_cast<int64_t>(all), head.features, std::vector<float>(all * width),
                  std::vector<float>(all, kNever)};
  const auto by = static_cast<float>(1 / temperature);
  for (size_t c = 0; c < classes.size(); ++c) {
    const auto to = static_cast<size_t>(classes[c]);
    wide.bias[to] = head.bias[c] * by;
    for (size_t f = 0; f < width; ++f) {
      wide.weights[to * width + f] = head.weights[c * width + f] * by;
    }
  }
  return wide;
}

Result<LinearHead> FitOne(const Network& network, const Place& place, const Lesson& lesson,
                          const FitExitsOptions& options, const TrainProgress& progress,
                          FittedExit& fitted) {
  FOGLINE_TRY(const std::string part, WriteFeatures(network.model, place.point));
  FOGLINE_TRY(const auto session,
              OpenSession(std::as_bytes(std::span(part)), network.path.string()));
  const std::string stage = "reading features of " + Printable(place.point.tensor);
  size_t done = 0;
  FOGLINE_TRY(const FeatureTable table,
              ExtractFeatures(*session, static_cast<size_t>(place.point.width), network.card,
                              lesson.samples, {0, options.seed, options.threads, 0},
                              [&] { progress(stage, ++done, lesson.samples.size()); }));
  const size_t classes = lesson.classes.size();
  FOGLINE_TRY(const CrossValidation cv, CrossValidate(table, classes, kFolds, options.seed,
                                                      DefaultLambdas(), options.threads, [] {}));
  std::vector<double> path = cv.lambdas;
  path.resize(cv.best + 1);
  const WeightedRows all(table, classes, cv.folds, -1);
  FOGLINE_TRY(const auto heads, FitLogistic(all.rows(), path));
  fitted.lambda = cv.lambdas[cv.best];
  fitted.temperature = TemperatureOf(cv.predictions);
  fitted.agreement = ScoreOf(cv.predictions, classes).accuracy;
  return Widened(heads.back(), lesson.classes, network.contract.classes(), fitted.temperature);
}

/// Runs what was written on the pictures that no head has seen.
Status MeasureAll(const WithExits& written, const Network& network, const FitExitsOptions& options,
                  const TrainProgress& progress, FitExitsReport& report) {
  FOGLINE_TRY(const auto session,
              OpenSession(std::as_bytes(std::span(written.bytes)), options.out.string()));
  const size_t classes = network.contract.classes();
  const auto run = [&](size_t output) {
    size_t done = 0;
    const std::string stage = "measuring " + Printable(session->outputs()[output].name);
    return ExtractFeatures(*session, classes, network.card, options.pictures.measure,
                           {0, options.seed, options.threads, output},
                           [&] { progress(stage, ++done, options.pictures.measure.size()); });
  };
  FOGLINE_TRY(const FeatureTable whole, run(network.contract.judged));
  FOGLINE_TRY(const std::vector<int> verdicts, VerdictsOf(whole, network.card));
  report.measured = verdicts.size();
  std::ranges::copy(whole.skipped, std::back_inserter(report.skipped));
  if (verdicts.empty()) {
    return Fail(ErrorCode::kInvalid, options.measured_on,
                "has no picture left to measure exits on");
  }
  const size_t own = network.model.outputs().size();
  for (size_t i = 0; i < report.exits.size(); ++i) {
    FOGLINE_TRY(const FeatureTable logits, run(own + i));
    FOGLINE_CHECK(CountGate(
        logits, verdicts, [&](const TensorView& row) { return JudgeExit(row, network.card); },
        report.exits[i].exit));
  }
  return {};
}

Status Write(const WithExits& written, const Network& network, const FitExitsOptions& options,
             FitExitsReport& report) {
  const std::string hash = ToHex(HashSha256(std::as_bytes(std::span(written.bytes))));
  ModelCard card = network.card;
  card.name = options.out.stem().string();
  card.exits.clear();
  for (FittedExit& fitted : report.exits) {
    fitted.exit.network = hash;
    card.exits.push_back(fitted.exit);
  }
  report.model = options.out;
  report.card = options.out;
  report.card.replace_extension(".toml");
  report.model_bytes = written.bytes.size();
  const std::vector<std::string> notes{
      fmt::format("Written by fogline train from {}, with early exits: heads fitted to its own "
                  "verdicts on {} pictures and measured on {} others (docs/exits.md).",
                  network.path.filename().string(), report.fitted, report.measured),
      fmt::format("That network's SHA-256: {}.", ToHex(network.model.hash()))};
  // The card first: a model must not be found beside the card of another.
  FOGLINE_CHECK(WriteFile(report.card, CardText(card, notes)));
  return WriteFile(report.model, written.bytes);
}

}  // namespace

Result<std::vector<Sample>> ListUnlabelled(const std::filesystem::path& folder, Depth depth) {
  FOGLINE_TRY(const Folder listed, ListFolder(folder, depth));
  std::vector<Sample> samples;
  for (const auto& file : listed.files) samples.push_back({file, 0});
  return samples;
}

Result<FitExitsReport> FitExits(const FitExitsOptions& options, const TrainProgress& progress) {
  FOGLINE_CHECK(CheckOut(options.out, options.network));
  FitExitsReport report;
  FOGLINE_TRY(const Network network, LoadNetwork(options.network, options.side));
  FOGLINE_CHECK(CheckClassifier(network));
  FOGLINE_TRY(const std::vector<Place> places, PlacesOf(network, options));
  FeatureTable whole;
  {
    FOGLINE_TRY(const auto session, OpenSession(network.model));
    size_t done = 0;
    FOGLINE_TRY(whole, ExtractFeatures(
                           *session, network.contract.classes(), network.card, options.pictures.fit,
                           {0, options.seed, options.threads, network.contract.judged}, [&] {
                             progress("asking the network", ++done, options.pictures.fit.size());
                           }));
  }
  report.fitted = whole.samples.size();
  report.skipped = whole.skipped;
  FOGLINE_TRY(const std::vector<int> verdicts, VerdictsOf(whole, network.card));
  FOGLINE_TRY(const Lesson lesson, LessonOf(network, whole.samples, verdicts, report));

  std::vector<ExitHead> heads;
  for (const Place& place : places) {
    FittedExit& fitted = report.exits.emplace_back();
    fitted.exit.at = place.point.tensor;
    fitted.exit.measured_on = options.measured_on;
    fitted.alias = place.cut.alias;
    fitted.features = place.point;
    fitted.work = static_cast<double>(place.cut.edge_madds) /
                  static_cast<double>(std::max<int64_t>(1, network.model.madds()));
    FOGLINE_TRY(LinearHead head, FitOne(network, place, lesson, options, progress, fitted));
    heads.push_back({place.point, std::move(head)});
  }
  FOGLINE_TRY(const WithExits written, AppendExits(network.model, heads));
  for (size_t i = 0; i < heads.size(); ++i) report.exits[i].exit.head = written.outputs[i];
  FOGLINE_CHECK(MeasureAll(written, network, options, progress, report));
  FOGLINE_CHECK(Write(written, network, options, report));
  return report;
}

}  // namespace fogline
