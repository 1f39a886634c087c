#include "learn/score.h"

#include <algorithm>
#include <cmath>

namespace fogline {

int Decide(std::span<const double> probabilities, int positive, double threshold) {
  if (positive >= 0 && probabilities[static_cast<size_t>(positive)] >= threshold) return positive;
  int best = -1;
  for (size_t c = 0; c < probabilities.size(); ++c) {
    if (static_cast<int>(c) == positive) continue;
    if (best < 0 || probabilities[c] > probabilities[static_cast<size_t>(best)]) {
      best = static_cast<int>(c);
    }
  }
  return best;
}

Score ScoreOf(const std::vector<Prediction>& predictions, size_t classes) {
  Score score;
  score.images = predictions.size();
  score.confusion.assign(classes, std::vector<size_t>(classes));
  score.classes.resize(classes);
  for (const Prediction& p : predictions) {
    const auto truth = static_cast<size_t>(p.sample.label);
    const auto decided = static_cast<size_t>(p.decided);
    ++score.confusion[truth][decided];
    ++score.classes[truth].support;
    ++score.classes[decided].predicted;
    score.classes[truth].correct += p.correct() ? 1 : 0;
    score.correct += p.correct() ? 1 : 0;
    score.log_loss -= std::log(std::max(p.of_truth(), 1e-15));
  }
  const auto share = [](size_t part, size_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  size_t seen = 0;
  for (ClassScore& c : score.classes) {
    c.precision = share(c.correct, c.predicted);
    c.recall = share(c.correct, c.support);
    c.f1 = share(2 * c.correct, c.support + c.predicted);
    seen += c.support > 0 ? 1 : 0;
    score.balanced_accuracy += c.recall;
  }
  if (seen > 0) score.balanced_accuracy /= static_cast<double>(seen);
  score.accuracy = share(score.correct, score.images);
  if (score.images > 0) score.log_loss /= static_cast<double>(score.images);
  return score;
}

std::vector<Prediction> Mistakes(const std::vector<Prediction>& predictions) {
  std::vector<Prediction> wrong;
  std::ranges::copy_if(predictions, std::back_inserter(wrong),
                       [](const Prediction& p) { return !p.correct(); });
  std::ranges::stable_sort(wrong, {}, &Prediction::of_truth);
  return wrong;
}

Interval WilsonInterval(size_t correct, size_t count) {
  if (count == 0) return {};
  const double n = static_cast<double>(count), p = static_cast<double>(correct) / n;
  const double z = 1.959964, z2 = z * z;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace fogline
