// What a network in integers gains and loses against the float one, measured here.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "codec/calibrate.h"
#include "vision/findings.h"
#include "vision/network.h"

namespace fogline::quantize {

/// The pictures of a set as the network takes them.
std::vector<Tensor> InputsOf(const Network& network, const CalibrationSet& set);

/// What a network says of some pictures.
struct Said {
  std::vector<std::vector<Tensor>> outputs;
  std::vector<Findings> findings;  // by the card
  std::vector<Findings> unsure;    // boxes below the card's least score too, to compare with
};

/// Runs `model`, which has the network's outputs, on inputs. `untried`: see SessionOptions.
Result<Said> Ask(const std::string& model, const Network& network, std::span<const Tensor> inputs,
                 int threads, bool untried = false);

/// By findings; where those cannot be compared, one less the mean error of the outputs
/// (Reference::Agreement).
double AgreementBetween(const Network& network, const Said& whole, const Said& other);

/// Root mean square of what differs in the outputs, by that of the outputs themselves.
double ErrorBetween(const Said& whole, const Said& other);

/// Share of the labelled pictures whose class is right; nothing without labels.
std::optional<double> AccuracyOf(const Said& said, std::span<const int> labels);

struct Times {
  double float_ms = 0, ms = 0;  // of a processor, a picture: the median of rounds that take turns
};
Result<Times> TimeBoth(const std::string& whole, const std::string& other, const Network& network,
                       const Tensor& input);

/// Layers that the engine runs in float all the same, by operator, and conversions between float
/// and integers ("QuantizeLinear", "DequantizeLinear").
Result<std::map<std::string, int>> NotFused(const std::string& model, const Network& network);

}  // namespace fogline::quantize
