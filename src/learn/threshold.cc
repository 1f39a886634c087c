#include "learn/threshold.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

constexpr double kScale = 0.5;  // of the smoothing, in log-odds

double Share(size_t part, size_t whole, double of_none) {
  return whole == 0 ? of_none : static_cast<double>(part) / static_cast<double>(whole);
}

double LogOdds(double p) {
  const double inside = std::clamp(p, 1e-6, 1 - 1e-6);
  return std::log(inside / (1 - inside));
}

struct Scored {
  double score;
  bool positive;
};

std::vector<Scored> Descending(const std::vector<Prediction>& predictions, int positive) {
  std::vector<Scored> all;
  for (const Prediction& p : predictions) {
    all.push_back({p.probabilities[static_cast<size_t>(positive)], p.sample.label == positive});
  }
  std::ranges::sort(all, [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return all;
}

}  // namespace

double ThresholdPoint::recall() const {
  return Share(true_positives, true_positives + false_negatives, 1);
}
double ThresholdPoint::false_positive_rate() const {
  return Share(false_positives, false_positives + true_negatives, 0);
}
double ThresholdPoint::precision() const {
  return Share(true_positives, true_positives + false_positives, 1);
}
double ThresholdPoint::accuracy() const {
  const size_t right = true_positives + true_negatives;
  return Share(right, right + false_positives + false_negatives, 0);
}
double ThresholdPoint::balanced_accuracy() const {
  return (recall() + 1 - false_positive_rate()) / 2;
}

ThresholdPoint CountAt(const std::vector<Prediction>& predictions, int positive, double threshold) {
  ThresholdPoint point;
  point.threshold = threshold;
  for (const Prediction& p : predictions) {
    const bool is = p.sample.label == positive;
    const bool said = p.probabilities[static_cast<size_t>(positive)] >= threshold;
    ++(is     ? said ? point.true_positives : point.false_negatives
       : said ? point.false_positives
              : point.true_negatives);
  }
  return point;
}

ThresholdCurve CurveOf(const std::vector<Prediction>& predictions, int positive) {
  ThresholdCurve curve;
  for (int percent = 0; percent <= 100; ++percent) {
    curve.points.push_back(CountAt(predictions, positive, percent / 100.0));
  }
  const std::vector<Scored> all = Descending(predictions, positive);
  double positives = 0, negatives = 0;
  for (const Scored& s : all) (s.positive ? positives : negatives) += 1;
  double found = 0, false_alarms = 0;
  for (size_t i = 0; i < all.size();) {
    // Equal scores are one step: none of them can be told from the others.
    double hits = 0, misses = 0;
    const double score = all[i].score;
    for (; i < all.size() && all[i].score == score; ++i) (all[i].positive ? hits : misses) += 1;
    if (positives > 0 && negatives > 0) {
      curve.auc += misses / negatives * (found + hits / 2) / positives;
    }
    found += hits;
    false_alarms += misses;
    if (positives > 0) {
      curve.average_precision += hits / positives * found / (found + false_alarms);
    }
  }
  return curve;
}

double ChooseThreshold(const std::vector<Prediction>& predictions, int positive) {
  constexpr int kLow = 2, kHigh = 98;
  double count[2] = {0, 0};  // of the others, of the positives
  for (const Prediction& p : predictions) count[p.sample.label == positive ? 1 : 0] += 1;
  if (count[0] == 0 || count[1] == 0) return 0.5;
  const double share = count[1] / (count[0] + count[1]);
  std::vector<double> value(kHigh + 1);
  double best = -1, error = 0;
  for (int percent = kLow; percent <= kHigh; ++percent) {
    const double t = LogOdds(percent / 100.0);
    double above[2] = {0, 0};
    for (const Prediction& p : predictions) {
      const double z = LogOdds(p.probabilities[static_cast<size_t>(positive)]);
      above[p.sample.label == positive ? 1 : 0] += 1 / (1 + std::exp(-(z - t) / kScale));
    }
    const double recall = above[1] / count[1], false_alarm = above[0] / count[0];
    value[percent] = (recall + 1 - false_alarm) / 2;
    if (value[percent] > best) {
      best = value[percent];
      error =
          std::sqrt(recall * (1 - recall) / count[1] + false_alarm * (1 - false_alarm) / count[0]) /
          2;
    }
  }
  const int start = std::clamp(static_cast<int>(std::lround(100 * share)), kLow, kHigh);
  for (int away = 0;; ++away) {
    for (const int percent : {start - away, start + away}) {
      if (percent < kLow || percent > kHigh || value[percent] < best - error) continue;
      return percent / 100.0;
    }
  }
}

}  // namespace fogline
