// How often a classifier is right, over all and by class.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "learn/dataset.h"

namespace fogline {

/// What a classifier said of one picture.
struct Prediction {
  Sample sample;
  std::vector<double> probabilities;  // by class, adding up to 1
  int decided = 0;

  bool correct() const { return decided == sample.label; }
  double of_truth() const { return probabilities[static_cast<size_t>(sample.label)]; }
};

/// The rule that the edge and the cloud use (vision/verdict.h): the positive class from `threshold`
/// on, else the likeliest of the others; without a positive class (-1) the likeliest.
int Decide(std::span<const double> probabilities, int positive, double threshold);

/// Largest over smallest class, from which on mere accuracy misleads.
inline constexpr double kUnbalanced = 4;

struct ClassScore {
  size_t support = 0;    // pictures that are of the class
  size_t predicted = 0;  // pictures that were taken for it
  size_t correct = 0;
  double precision = 0;  // correct / predicted; 0 for none
  double recall = 0;     // correct / support; 0 for none
  double f1 = 0;         // their harmonic mean
};

struct Score {
  size_t images = 0;
  size_t correct = 0;
  double accuracy = 0;
  double balanced_accuracy = 0;  // mean recall of the classes that have pictures
  double log_loss = 0;           // mean −ln of the true class' probability, each at least 1e-15
  std::vector<std::vector<size_t>> confusion;  // [true class][decided class]
  std::vector<ClassScore> classes;
};

Score ScoreOf(const std::vector<Prediction>& predictions, size_t classes);

/// The wrong ones, those of the truth's smallest probability first.
std::vector<Prediction> Mistakes(const std::vector<Prediction>& predictions);

/// Wilson's 95 % interval of a proportion (Wilson 1927).
struct Interval {
  double low = 0, high = 1;
};
Interval WilsonInterval(size_t correct, size_t count);

}  // namespace fogline
