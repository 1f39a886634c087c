// Early exits: heads on inner features of a classifier, and how sure one must be to be believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

struct ModelCard;

/// What believing a head from one threshold on came to, on pictures that no head was fitted to.
struct GateStep {
  double threshold = 1;
  int64_t sure = 0;    // pictures of which the head was at least that sure
  int64_t differ = 0;  // of these, where it said another class than the whole network

  bool operator==(const GateStep&) const = default;
};

/// One [[exit]] of a model's card.
struct EarlyExit {
  std::string at;               // the tensor that the head reads; it alone crosses there
  std::string head;             // the output of the network that holds the head's logits
  std::string network;          // SHA-256 of the ONNX file that was measured, 64 hex digits
  std::string measured_on;      // what pictures, for people
  int64_t pictures = 0;         // how many
  std::vector<GateStep> steps;  // the highest threshold first

  bool operator==(const EarlyExit&) const = default;
};

/// A threshold, and what it promises.
struct GatePromise {
  double threshold = 1;
  double sure_share = 0;  // of the pictures that it was measured on
  /// At most this share of all pictures gets another class than from the whole network, with a
  /// confidence of kGateConfidence.
  double disagreement_bound = 1;
};
inline constexpr double kGateConfidence = 0.95;
inline constexpr double kMostDisagreement = 0.5;

/// The lowest threshold of an exit that keeps `most`, the share of pictures whose class may differ,
/// by a fixed sequence of exact binomial tests (docs/exits.md). `exits`: how many exits there are
/// to choose from; the confidence holds for all of them together. kUsage for a share that is not
/// above 0 and at most kMostDisagreement; kConflict where no threshold keeps it, saying how many
/// pictures would do where there were too few.
Result<GatePromise> PromiseOf(const EarlyExit& exit, double most, size_t exits);
/// What a threshold given by hand promises, by the step at or below it. kUsage for one below all
/// steps.
Result<GatePromise> PromiseAt(const EarlyExit& exit, double threshold, size_t exits);

/// The thresholds that are tried, the highest first: fixed before any picture is seen.
std::vector<double> GateThresholds();

/// What a head says.
struct ExitVerdict {
  int label = -1;
  double sure = 0;  // the probability of that class
  float score = 0;  // of the positive class where the card names one, else of `label`
};
/// Of one picture's logits; of a network of several pictures at once the first row is this one's.
/// kConflict where they are no numbers or no class each.
Result<ExitVerdict> JudgeExit(const TensorView& logits, const ModelCard& card);

}  // namespace fogline
