#include "vision/average_precision.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace fogline {
namespace {

constexpr size_t kMostBoxes = 100;  // a class and picture
constexpr size_t kOverlaps = 10;    // 0.5, 0.55 … 0.95
constexpr int kRecalls = 101;       // 0, 0.01 … 1
constexpr int kAlarm = -1, kNeither = -2;

double OverlapAt(size_t step) { return 0.5 + 0.05 * static_cast<double>(step); }

/// One class of one picture.
struct Pair {
  std::vector<const TrueBox*> truth;   // crowds last
  std::vector<const FoundBox*> found;  // the surest first
};

void Sort(Pair& pair) {
  std::ranges::stable_sort(pair.found, std::greater<>(),
                           [](const FoundBox* b) { return b->score; });
  std::stable_partition(pair.truth.begin(), pair.truth.end(),
                        [](const TrueBox* b) { return !b->crowd; });
  if (pair.found.size() > kMostBoxes) pair.found.resize(kMostBoxes);
}

/// Each found box in turn takes the object that it overlaps most, of those that are free and
/// overlap at least so much (COCOeval.evaluateImg); crowds are never taken, and only looked at
/// where nothing else fits.
std::vector<int> Match(const Pair& pair, double least) {
  std::vector<int> matched(pair.found.size(), kAlarm);
  std::vector<bool> taken(pair.truth.size(), false);
  for (size_t f = 0; f < pair.found.size(); ++f) {
    double best = std::min(least, 1 - 1e-10);
    int hit = kAlarm;
    for (size_t t = 0; t < pair.truth.size(); ++t) {
      const TrueBox& truth = *pair.truth[t];
      if (taken[t]) continue;
      if (truth.crowd && hit >= 0) break;
      const double overlap = OverlapOf(truth, *pair.found[f]);
      if (overlap < best) continue;
      best = overlap;
      hit = static_cast<int>(t);
    }
    if (hit < 0) continue;
    const bool crowd = pair.truth[static_cast<size_t>(hit)]->crowd;
    taken[static_cast<size_t>(hit)] = !crowd;
    matched[f] = crowd ? kNeither : hit;
  }
  return matched;
}

/// A found box in the order of all pictures': how sure, and a hit or not.
struct Outcome {
  float score;
  bool hit;
};

double AveragePrecision(std::vector<Outcome> outcomes, size_t truth) {
  std::ranges::stable_sort(outcomes, std::greater<>(), &Outcome::score);
  std::vector<double> recall, precision;
  double hits = 0, alarms = 0;
  for (const Outcome& outcome : outcomes) {
    (outcome.hit ? hits : alarms) += 1;
    recall.push_back(hits / static_cast<double>(truth));
    precision.push_back(hits / (hits + alarms));
  }
  for (size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  double sum = 0;
  for (int r = 0; r < kRecalls; ++r) {
    const auto at = std::ranges::lower_bound(recall, r * 0.01);  // as numpy.linspace rounds them
    if (at != recall.end()) sum += precision[static_cast<size_t>(at - recall.begin())];
  }
  return sum / kRecalls;
}

ClassPrecision OfClass(const std::string& label, std::vector<Pair>& pairs) {
  ClassPrecision result;
  result.label = label;
  for (Pair& pair : pairs) {
    Sort(pair);
    result.truth += static_cast<size_t>(
        std::ranges::count_if(pair.truth, [](const TrueBox* b) { return !b->crowd; }));
  }
  if (result.truth == 0) return result;
  for (size_t step = 0; step < kOverlaps; ++step) {
    std::vector<Outcome> outcomes;
    for (const Pair& pair : pairs) {
      const auto matched = Match(pair, OverlapAt(step));
      for (size_t f = 0; f < matched.size(); ++f) {
        if (matched[f] != kNeither) outcomes.push_back({pair.found[f]->score, matched[f] >= 0});
      }
    }
    const double precision = AveragePrecision(std::move(outcomes), result.truth);
    if (step == 0) result.ap50 = precision;
    result.ap50_95 += precision / kOverlaps;
  }
  return result;
}

}  // namespace

double OverlapOf(const TrueBox& truth, const FoundBox& found) {
  const double w = std::min<double>(double{truth.x} + truth.w, double{found.x} + found.w) -
                   std::max(truth.x, found.x);
  const double h = std::min<double>(double{truth.y} + truth.h, double{found.y} + found.h) -
                   std::max(truth.y, found.y);
  if (!(w > 0 && h > 0)) return 0;
  const double own = double{found.w} * found.h;
  return w * h / (truth.crowd ? own : own + double{truth.w} * truth.h - w * h);
}

MeanPrecision PrecisionOf(std::span<const JudgedPicture> pictures) {
  std::map<std::string, std::vector<Pair>> by_class;
  for (size_t p = 0; p < pictures.size(); ++p) {
    const auto pair = [&](const std::string& label) -> Pair& {
      std::vector<Pair>& pairs = by_class[label];
      pairs.resize(pictures.size());
      return pairs[p];
    };
    for (const TrueBox& box : pictures[p].truth) pair(box.label).truth.push_back(&box);
    for (const FoundBox& box : pictures[p].found) pair(box.label).found.push_back(&box);
  }
  MeanPrecision mean;
  for (auto& [label, pairs] : by_class) {
    ClassPrecision one = OfClass(label, pairs);
    if (one.truth == 0) continue;
    mean.map50 += one.ap50;
    mean.map50_95 += one.ap50_95;
    mean.classes.push_back(std::move(one));
  }
  if (mean.classes.empty()) return mean;
  mean.map50 /= static_cast<double>(mean.classes.size());
  mean.map50_95 /= static_cast<double>(mean.classes.size());
  return mean;
}

std::vector<int> MatchBoxes(const JudgedPicture& picture, double least) {
  std::map<std::string, Pair> by_class;
  for (const TrueBox& box : picture.truth) by_class[box.label].truth.push_back(&box);
  for (const FoundBox& box : picture.found) by_class[box.label].found.push_back(&box);
  std::vector<int> matched(picture.found.size(), kAlarm);
  for (auto& [label, pair] : by_class) {
    Sort(pair);
    const auto own = Match(pair, least);
    for (size_t f = 0; f < own.size(); ++f) {
      const auto at = static_cast<size_t>(pair.found[f] - picture.found.data());
      matched[at] =
          own[f] < 0
              ? own[f]
              : static_cast<int>(pair.truth[static_cast<size_t>(own[f])] - picture.truth.data());
    }
  }
  return matched;
}

}  // namespace fogline
