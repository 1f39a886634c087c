#include "learn/evaluate_boxes.h"

#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/session.h"
#include "learn/box_truth.h"
#include "vision/boxes.h"
#include "vision/folder.h"
#include "vision/network.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr double kHit = 0.5;  // overlap

/// All boxes that could be of use for a curve.
Result<std::vector<FoundBox>> Find(Session& session, const ModelCard& curves, const Image& image) {
  thread_local Image fitted;
  FitToInput(image, curves, fitted);
  Tensor input(curves.dtype, curves.input_shape());
  Normalise(fitted, curves, input);
  const TensorView view = input.view();
  FOGLINE_TRY(const std::vector<Tensor> outputs, session.Run({&view, 1}));
  FOGLINE_TRY(BoxFindings found, ReadBoxes(outputs, session.outputs(), curves,
                                           PlacementOf(image.width, image.height, curves)));
  return std::move(found.boxes);
}

/// What becomes of one picture on its thread.
struct Work {
  std::vector<FoundBox> found;
  std::optional<std::string> unreadable;
  Status failed;
};

std::vector<Work> FindAll(Session& session, const ModelCard& card,
                          const std::vector<std::filesystem::path>& files, int threads,
                          const TrainProgress& progress) {
  std::vector<Work> all(files.size());
  const ModelCard curves = ForCurves(card);
  size_t done = 0;
  ParallelFor(
      files.size(), threads,
      [&](size_t i) {
        const auto picture = LoadPicture(files[i], DecodeAtLeast(card));
        if (!picture) {
          all[i].unreadable = picture.error().message;
          return;
        }
        auto found = Find(session, curves, picture->image);
        if (found) {
          all[i].found = *std::move(found);
        } else {
          all[i].failed = tl::unexpected<Error>(found.error());
        }
      },
      [&](size_t) { progress("evaluating", ++done, files.size()); });
  return all;
}

/// The picture with the boxes that the card's rules tell, and what they hit.
BoxPicture AsReported(const std::filesystem::path& file, JudgedPicture judged,
                      const ModelCard& card) {
  std::erase_if(judged.found, [&](const FoundBox& b) { return b.score < card.boxes.least_score; });
  if (judged.found.size() > static_cast<size_t>(card.boxes.most)) {
    judged.found.resize(static_cast<size_t>(card.boxes.most));
  }
  BoxPicture picture{file, std::move(judged), {}};
  picture.matched = MatchBoxes(picture.judged, kHit);
  size_t truth = 0;
  for (const TrueBox& box : picture.judged.truth) truth += box.crowd ? 0 : 1;
  for (const int hit : picture.matched) {
    picture.hits += hit >= 0 ? 1 : 0;
    picture.alarms += hit == -1 ? 1 : 0;
  }
  picture.misses = truth - picture.hits;
  return picture;
}

/// What of the truth counts nowhere.
void Warn(const BoxTruth& truth, const std::vector<std::string>& missing,
          const std::filesystem::path& images, std::vector<std::string>& warnings) {
  for (const auto& [label, count] : truth.unknown) {
    warnings.push_back(fmt::format("{} object{} of '{}' left out: the model has no such class",
                                   count, count == 1 ? "" : "s", Printable(label)));
  }
  if (truth.empty > 0) {
    warnings.push_back(fmt::format("{} boxes without a size left out", truth.empty));
  }
  if (!missing.empty()) {
    warnings.push_back(fmt::format("{} labelled picture{} not in {}: {}{}", missing.size(),
                                   missing.size() == 1 ? " is" : "s are", images.string(),
                                   Printable(missing.front()), missing.size() > 1 ? ", …" : ""));
  }
}

}  // namespace

Result<BoxEvaluateReport> EvaluateBoxes(const BoxEvaluateOptions& options,
                                        const TrainProgress& progress) {
  FOGLINE_TRY(const Network network, LoadNetwork(options.model, options.side));
  if (!network.contract.layout) {
    return Fail(ErrorCode::kUnsupported, options.model.string(),
                "tells no boxes that could be held against --truth; say kind = \"boxes\" and a "
                "layout under [output] of its card");
  }
  FOGLINE_TRY(const BoxTruth truth,
              ReadBoxTruth(options.truth, network.card, network.contract.output().classes,
                           DepthOf(options.recursive)));
  FOGLINE_TRY(const auto listed, ListImages(options.images, DepthOf(options.recursive)));
  FOGLINE_TRY(const BoxTruth::OfFiles of, truth.Among(options.images, listed));
  BoxEvaluateReport report;
  report.card = network.card;
  report.model_hash = network.model.hash();
  std::vector<std::filesystem::path> files;
  std::vector<const std::vector<TrueBox>*> objects;
  for (size_t i = 0; i < listed.size(); ++i) {
    if (of.objects[i] == nullptr) continue;
    files.push_back(listed[i]);
    objects.push_back(of.objects[i]);
  }
  Warn(truth, of.elsewhere, options.images, report.warnings);
  if (files.size() < listed.size()) {
    report.warnings.push_back(fmt::format("{} of {} pictures are not labelled in {} and left out",
                                          listed.size() - files.size(), listed.size(),
                                          options.truth.string()));
  }
  if (files.empty()) {
    return Fail(ErrorCode::kInvalid, options.truth.string(), "labels none of the {} pictures in {}",
                listed.size(), options.images.string());
  }
  FOGLINE_TRY(const auto session, OpenSession(network.model));
  auto all = FindAll(*session, network.card, files, options.threads, progress);
  std::vector<JudgedPicture> judged;
  for (size_t i = 0; i < files.size(); ++i) {
    if (all[i].unreadable) {
      report.skipped.push_back({files[i], *all[i].unreadable});
      continue;
    }
    if (!all[i].failed) {
      return Fail(all[i].failed.error().code, files[i].string(), "{}",
                  all[i].failed.error().ToString());
    }
    judged.push_back({*objects[i], std::move(all[i].found)});
    BoxPicture& picture =
        report.pictures.emplace_back(AsReported(files[i], judged.back(), network.card));
    report.hits += picture.hits;
    report.alarms += picture.alarms;
    report.truth += picture.hits + picture.misses;
  }
  if (judged.empty()) {
    return Fail(ErrorCode::kInvalid, options.images.string(),
                "none of its {} pictures can be read; the first: {}", report.skipped.size(),
                report.skipped.front().reason);
  }
  report.precision = PrecisionOf(judged);
  return report;
}

}  // namespace fogline
