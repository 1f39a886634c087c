#include "edge/change_study.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/log.h"
#include "edge/changes.h"
#include "edge/mechanism.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

constexpr auto kThresholds =
    std::to_array<double>({1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64});
constexpr int kAtLeast = 320;  // pixels of the short side, where no network says it

double Share(size_t some, size_t all) {
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

/// What a network says of pictures, as a state.
class Verdicts {
 public:
  static Result<Verdicts> Open(const fs::path& model, int threads) {
    Verdicts verdicts;
    FOGLINE_TRY(const Network network, LoadNetwork(model, 0));
    MechanismOptions options;
    options.threads = threads;
    FOGLINE_TRY(verdicts.network_, Mechanism::Make(network, options));
    verdicts.at_least_ = DecodeAtLeast(network.card);
    return verdicts;
  }
  int at_least() const { return at_least_; }
  Result<std::string> StateOf(const Image& image) {
    FOGLINE_CHECK(network_->Process(image, prepared_));
    FOGLINE_TRY(const ResultPayload result, ParseResult(prepared_.payloads.at(0).bytes));
    return fmt::format("{}{}", result.label, result.positive ? "+" : "");
  }

 private:
  std::unique_ptr<Mechanism> network_;
  Prepared prepared_;
  int at_least_ = kAtLeast;
};

/// Files of one camera in the order in which they were taken, each with its state where its folder
/// says it.
using Taken = std::vector<std::pair<fs::path, std::optional<std::string>>>;

Result<Taken> TakenBy(const fs::path& camera) {
  Taken taken;
  std::error_code unknown;
  for (fs::directory_iterator it(camera, unknown), end; !unknown && it != end;
       it.increment(unknown)) {
    std::error_code not_known;
    if (!it->is_directory(not_known)) continue;
    FOGLINE_TRY(const auto files, ListImages(it->path()));
    for (const fs::path& file : files) taken.emplace_back(file, it->path().filename().string());
  }
  if (taken.empty()) {
    FOGLINE_TRY(const auto files, ListImages(camera));
    for (const fs::path& file : files) taken.emplace_back(file, std::nullopt);
    return taken;
  }
  std::ranges::sort(taken, {}, [](const auto& t) { return t.first.filename(); });
  return taken;
}

}  // namespace

double ChangeStep::unchanged_share() const { return Share(unchanged, pictures); }
double ChangeStep::wrong_share() const { return Share(wrong, pictures); }

std::span<const double> ChangeThresholds() { return kThresholds; }

void Watch(std::span<const WatchedPicture> pictures, std::vector<ChangeStep>& steps) {
  for (ChangeStep& step : steps) {
    Changes changes({step.threshold, 0});
    std::vector<const std::string*> states;  // of the frames that were sent, by sequence
    const std::string* before = nullptr;
    bool seen = true;  // a picture of the state that holds now went its way
    for (const WatchedPicture& picture : pictures) {
      const Changes::Seen look = changes.Look(picture.glance);
      const uint64_t sequence = states.size();
      const ResultPayload result;
      changes.Sent(sequence, look, result);
      changes.Answered(sequence, true, nullptr);
      const std::string* stored = &picture.state;
      if (look.like != nullptr) stored = states[*look.like->sequence];
      states.push_back(&picture.state);
      ++step.pictures;
      step.unchanged += look.like != nullptr;
      step.wrong += *stored != picture.state;
      if (before != nullptr && *before != picture.state) {
        step.missed += !seen;
        ++step.changes;
        seen = false;
      }
      // A record of an earlier picture of the same state says it as well.
      seen |= *stored == picture.state;
      before = &picture.state;
    }
    step.missed += !seen;
  }
}

Result<ChangeStudy> StudyChanges(const ChangeStudyOptions& options,
                                 const std::function<void(size_t total)>& progress) {
  std::vector<Taken> cameras;
  size_t total = 0;
  bool named = true;
  for (const fs::path& camera : options.cameras) {
    FOGLINE_TRY(cameras.emplace_back(), TakenBy(camera));
    total += cameras.back().size();
    named &= cameras.back().front().second.has_value();
  }
  std::optional<Verdicts> verdicts;
  if (!options.model.empty()) {
    FOGLINE_TRY(verdicts, Verdicts::Open(options.model, options.threads));
  } else if (!named) {
    return Fail(ErrorCode::kUsage, "--model",
                "is needed where folders have no sub-folders that say what is to be seen");
  }
  ChangeStudy study;
  for (const double threshold : kThresholds) study.steps.push_back({.threshold = threshold});
  for (const Taken& camera : cameras) {
    std::vector<WatchedPicture> pictures;
    for (const auto& [file, state] : camera) {
      const auto picture = LoadPicture(file, verdicts ? verdicts->at_least() : kAtLeast);
      progress(total);
      if (!picture) {
        LogWarning("skipped {}", picture.error().ToString());
        ++study.skipped;
        continue;
      }
      WatchedPicture& one = pictures.emplace_back();
      one.glance = GlanceAt(picture->image);
      if (state && !verdicts) {
        one.state = *state;
        continue;
      }
      FOGLINE_TRY(one.state, verdicts->StateOf(picture->image));
    }
    Watch(pictures, study.steps);
  }
  return study;
}

const ChangeStep* HighestWithin(std::span<const ChangeStep> steps, double most) {
  const ChangeStep* best = nullptr;
  for (const ChangeStep& step : steps) {
    if (step.wrong_share() > most) break;
    best = &step;
  }
  return best;
}

}  // namespace fogline
