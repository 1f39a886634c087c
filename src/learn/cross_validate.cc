#include "learn/cross_validate.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "learn/random.h"

namespace fogline {
namespace {

size_t SmallestAt(const std::vector<double>& values) {
  return static_cast<size_t>(std::ranges::min_element(values) - values.begin());
}

double LossOf(const Prediction& p) { return -std::log(std::max(p.of_truth(), 1e-15)); }

int Likeliest(const std::vector<double>& probabilities) { return Decide(probabilities, -1, 0); }

}  // namespace

std::vector<double> DefaultLambdas() {
  std::vector<double> lambdas;
  for (int half = 2; half >= -8; --half) lambdas.push_back(std::pow(10.0, half / 2.0));
  return lambdas;
}

std::vector<int> StratifiedFolds(const std::vector<Sample>& samples, size_t classes, int folds,
                                 uint64_t seed) {
  std::vector<int> fold(samples.size());
  int next = 0;  // goes on from class to class, which keeps the folds equally large
  for (size_t c = 0; c < classes; ++c) {
    std::vector<size_t> members;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (samples[i].label == static_cast<int>(c)) members.push_back(i);
    }
    Random random(seed, c, 0x466F6C64);
    for (size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[random.Below(i)]);
    for (const size_t i : members) {
      fold[i] = next;
      next = (next + 1) % folds;
    }
  }
  return fold;
}

SampleHalves SampleHalvesOf(const std::vector<Sample>& samples, size_t classes, uint64_t seed) {
  // A stream of its own: the folds are dealt by the same seed.
  const std::vector<int> half = StratifiedFolds(samples, classes, 2, seed ^ 0x48616C76);
  SampleHalves halves;
  for (size_t i = 0; i < samples.size(); ++i) {
    (half[i] == 0 ? halves.fit : halves.measure).push_back(samples[i]);
  }
  return halves;
}

WeightedRows::WeightedRows(const FeatureTable& table, size_t classes, const std::vector<int>& folds,
                           int left_out)
    : table_(table), classes_(static_cast<int>(classes)) {
  for (size_t i = 0; i < table.samples.size(); ++i) {
    const bool in = left_out < 0 || folds[i] != left_out;
    for (size_t copy = 0; copy < table.copies; ++copy) {
      labels_.push_back(table.samples[i].label);
      weights_.push_back(in ? 1.0 / static_cast<double>(table.copies) : 0.0);
    }
  }
}

LogisticRows WeightedRows::rows() const {
  return {table_.values, table_.width, labels_, weights_, classes_};
}

Result<CrossValidation> CrossValidate(const FeatureTable& table, size_t classes, int folds,
                                      uint64_t seed, const std::vector<double>& lambdas,
                                      int threads, const std::function<void()>& advance) {
  CrossValidation result;
  result.folds = StratifiedFolds(table.samples, classes, folds, seed);
  result.lambdas = lambdas;
  // by λ and sample
  std::vector<std::vector<Prediction>> all(lambdas.size(),
                                           std::vector<Prediction>(table.samples.size()));
  std::vector<Status> failed(static_cast<size_t>(folds));
  ParallelFor(
      static_cast<size_t>(folds), threads,
      [&](size_t fold) {
        const WeightedRows weighted(table, classes, result.folds, static_cast<int>(fold));
        const auto heads = FitLogistic(weighted.rows(), lambdas);
        if (!heads) {
          failed[fold] = tl::unexpected<Error>(heads.error());
          return;
        }
        for (size_t i = 0; i < table.samples.size(); ++i) {
          if (result.folds[i] != static_cast<int>(fold)) continue;
          for (size_t l = 0; l < lambdas.size(); ++l) {
            auto probabilities = Probabilities((*heads)[l], table.Row(i));
            const int decided = Likeliest(probabilities);
            all[l][i] = {table.samples[i], std::move(probabilities), decided};
          }
        }
      },
      [&](size_t) { advance(); });
  for (const Status& status : failed) FOGLINE_CHECK(status);

  const size_t count = table.samples.size();
  for (const auto& predictions : all) {
    const Score score = ScoreOf(predictions, classes);
    result.log_loss.push_back(score.log_loss);
    result.accuracy.push_back(score.accuracy);
  }
  result.best = SmallestAt(result.log_loss);
  result.predictions.resize(count);
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<double> loss(lambdas.size());
    for (size_t l = 0; l < lambdas.size(); ++l) {
      for (size_t i = 0; i < count; ++i) {
        if (result.folds[i] != fold) loss[l] += LossOf(all[l][i]);
      }
    }
    const size_t chosen = SmallestAt(loss);
    for (size_t i = 0; i < count; ++i) {
      if (result.folds[i] == fold) result.predictions[i] = all[chosen][i];
    }
  }
  return result;
}

}  // namespace fogline
