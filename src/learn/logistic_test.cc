// The optimiser against a slow one, and what folding the standardisation must not change.
#include "learn/logistic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learn/random.h"

namespace fogline {
namespace {

struct Problem {
  std::vector<float> values;
  std::vector<int> labels;
  std::vector<double> weights;
  size_t width = 0;
  int classes = 2;

  LogisticRows rows() const { return {values, width, labels, weights, classes}; }
};

Problem Clouds(size_t count, size_t width, int classes, double apart) {
  Problem p;
  p.width = width;
  p.classes = classes;
  Random random(7);
  for (size_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % static_cast<size_t>(classes));
    p.labels.push_back(label);
    p.weights.push_back(i % 5 == 0 ? 2.0 : 1.0);
    for (size_t f = 0; f < width; ++f) {
      const double center =
          f % static_cast<size_t>(classes) == static_cast<size_t>(label) ? apart : 0;
      p.values.push_back(static_cast<float>(center + random.Between(-1, 1)));
    }
  }
  return p;
}

TEST(Logistic, RoundingOfADeadFeatureIsNotMagnified) {
  Problem p = Clouds(40, 2, 2, 0.5);
  Problem with_dead{{}, p.labels, p.weights, 3, 2};
  for (size_t i = 0; i < p.labels.size(); ++i) {
    with_dead.values.insert(with_dead.values.end(),
                            {p.values[2 * i], p.values[2 * i + 1],
                             p.labels[i] == 0 ? 1e-20F : -1e-20F});  // would tell all apart
  }
  const auto heads = FitLogistic(with_dead.rows(), {1e-3});
  ASSERT_TRUE(heads) << heads.error().ToString();
  const auto plain = FitLogistic(p.rows(), {1e-3});
  for (const float dead : {1e-20F, 0.0F, -1e-6F}) {
    const std::vector<float> features{0.3F, -0.2F, dead};
    EXPECT_NEAR(Probabilities(heads->front(), features)[0],
                Probabilities(plain->front(), std::vector<float>{0.3F, -0.2F})[0], 1e-4);
  }
}

/// Plain gradient descent on standardised features, many small steps.
std::vector<double> SlowLogits(const Problem& p, double lambda, size_t row) {
  const size_t n = p.labels.size(), classes = static_cast<size_t>(p.classes);
  double total = 0;
  for (const double w : p.weights) total += w;
  std::vector<double> mean(p.width), deviation(p.width);
  for (size_t f = 0; f < p.width; ++f) {
    for (size_t i = 0; i < n; ++i) mean[f] += p.weights[i] / total * p.values[i * p.width + f];
    for (size_t i = 0; i < n; ++i) {
      const double d = p.values[i * p.width + f] - mean[f];
      deviation[f] += p.weights[i] / total * d * d;
    }
    deviation[f] = std::sqrt(deviation[f]);
  }
  std::vector<double> v(classes * p.width), b(classes);
  const auto logits = [&](size_t i) {
    std::vector<double> z = b;
    for (size_t c = 0; c < classes; ++c) {
      for (size_t f = 0; f < p.width; ++f) {
        z[c] += v[c * p.width + f] * (p.values[i * p.width + f] - mean[f]) / deviation[f];
      }
    }
    return z;
  };
  for (int step = 0; step < 4000; ++step) {
    std::vector<double> gv(v.size()), gb(classes);
    for (size_t k = 0; k < v.size(); ++k) gv[k] = lambda * v[k];
    for (size_t i = 0; i < n; ++i) {
      auto z = logits(i);
      Softmax(z);
      z[static_cast<size_t>(p.labels[i])] -= 1;
      for (size_t c = 0; c < classes; ++c) {
        const double r = z[c] * p.weights[i] / total;
        gb[c] += r;
        for (size_t f = 0; f < p.width; ++f) {
          gv[c * p.width + f] += r * (p.values[i * p.width + f] - mean[f]) / deviation[f];
        }
      }
    }
    for (size_t k = 0; k < v.size(); ++k) v[k] -= 0.5 * gv[k];
    for (size_t c = 0; c < classes; ++c) b[c] -= 0.5 * gb[c];
  }
  return logits(row);
}

TEST(FitLogistic, FindsTheMinimum) {
  for (const int classes : {2, 3}) {
    const Problem p = Clouds(60, 4, classes, 0.7);
    const auto heads = FitLogistic(p.rows(), {1, 0.05});
    ASSERT_TRUE(heads) << heads.error().ToString();
    ASSERT_EQ(heads->size(), 2U);
    for (const size_t row : {0U, 17U, 40U}) {
      auto slow = SlowLogits(p, 0.05, row);
      Softmax(slow);
      const auto fast =
          Probabilities(heads->back(), std::span(p.values).subspan(row * p.width, p.width));
      for (size_t c = 0; c < slow.size(); ++c) EXPECT_NEAR(fast[c], slow[c], 2e-4);
    }
  }
}

TEST(FitLogistic, DoesNotDependOnTheFeaturesUnits) {
  const Problem p = Clouds(80, 3, 2, 0.8);
  Problem scaled = p;
  for (size_t i = 0; i < scaled.values.size(); i += 3) scaled.values[i] = p.values[i] * 500 + 4000;
  const auto a = FitLogistic(p.rows(), {0.1});
  const auto b = FitLogistic(scaled.rows(), {0.1});
  ASSERT_TRUE(a && b);
  for (size_t row = 0; row < 10; ++row) {
    const auto pa = Probabilities(a->front(), std::span(p.values).subspan(row * 3, 3));
    const auto pb = Probabilities(b->front(), std::span(scaled.values).subspan(row * 3, 3));
    EXPECT_NEAR(pa[1], pb[1], 1e-3);
  }
}

TEST(FitLogistic, GivesConstantFeaturesNoWeight) {
  Problem p = Clouds(40, 3, 2, 1);
  for (size_t i = 1; i < p.values.size(); i += 3) p.values[i] = 0.1F;
  const auto heads = FitLogistic(p.rows(), {0.1});
  ASSERT_TRUE(heads);
  EXPECT_EQ(heads->front().weights[1], 0);
  EXPECT_EQ(heads->front().weights[4], 0);
  EXPECT_NE(heads->front().weights[0], 0);
}

TEST(FitLogistic, LeavesOutRowsOfNoWeight) {
  const Problem p = Clouds(40, 3, 2, 0.5);
  Problem with_noise = p;
  for (size_t i = 0; i < 20; ++i) {
    for (size_t f = 0; f < 3; ++f) with_noise.values.push_back(1e6F);
    with_noise.labels.push_back(0);
    with_noise.weights.push_back(0);
  }
  const auto a = FitLogistic(p.rows(), {0.1}), b = FitLogistic(with_noise.rows(), {0.1});
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->front().weights, b->front().weights);
  EXPECT_EQ(a->front().bias, b->front().bias);
  std::ranges::fill(with_noise.weights, 0);
  EXPECT_FALSE(FitLogistic(with_noise.rows(), {0.1}));
}

TEST(FitLogistic, HoldsStillOnClassesThatAreWorldsApart) {
  const Problem p = Clouds(40, 6, 2, 50);
  const auto heads = FitLogistic(p.rows(), {10, 1e-4, 1e-9});
  ASSERT_TRUE(heads) << heads.error().ToString();
  for (const LinearHead& head : *heads) {
    EXPECT_TRUE(std::ranges::all_of(head.weights, [](float w) { return std::isfinite(w); }));
    EXPECT_GT(Probabilities(head, std::span(p.values).first(6))[0], 0.5);
  }
}

}  // namespace
}  // namespace fogline
