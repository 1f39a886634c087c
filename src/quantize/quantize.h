// A network in 8-bit integers, with what it gains and loses.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/calibrate.h"
#include "quantize/steps.h"
#include "vision/network.h"

namespace fogline {

/// Whose multiply-adds the integers are made for.
enum class QuantizeTarget {
  kAny,  // exact everywhere: no two weights overflow the 16-bit sums of x86 without VNNI
  kX86,  // with VNNI: weights in all of their 8 bits
  kArm,  // the same: Arm's kernels sum in 32 bits
};

struct QuantizeOptions {
  QuantizeTarget target = QuantizeTarget::kAny;
  /// Where the whole has less, layers stay float until it has as much: those that cost most.
  double min_agreement = 0.93;
  /// Layers, by the name of their node or of what it makes, that stay float whatever they cost:
  /// those on one side of a cut, say.
  std::set<std::string> floating;
  int threads = 1;
  quantize::Steps steps;
  bool measure_time = true;
  /// Other pictures, like those to come, that the network is measured on besides; null: none. They
  /// outlive the call.
  const CalibrationSet* check = nullptr;
  /// Told on the calling thread.
  std::function<void(std::string_view stage)> progress;
};

/// A layer that stays float, and what it alone costs in integers.
struct KeptFloat {
  std::string layer, op;
  double cost = 0;   // of agreement
  double error = 0;  // of the outputs: root mean square, by that of the outputs themselves
};

/// What was measured on other pictures.
struct QuantizeCheck {
  size_t pictures = 0;
  double agreement = 0, beyond = 0;
  std::optional<double> accuracy, float_accuracy;
};

struct QuantizeReport {
  std::string model;  // serialised ONNX
  size_t bytes = 0, float_bytes = 0;
  size_t layers = 0, integer_layers = 0;  // with weights
  size_t pictures = 0;
  /// With the float network's findings: on the pictures of each half by a network made from the
  /// other half; on those that it was made from where there are too few.
  double agreement = 0;
  bool two_fold = false;
  std::optional<double> accuracy, float_accuracy;
  /// Share of the float network's values that lie beyond the ranges: on the pictures that these
  /// come from, where clipping a few buys finer steps for all, and two-fold on the others.
  double beyond_own = 0, beyond = 0;
  std::optional<QuantizeCheck> check;
  /// Pictures that were held back leave the ranges far more often than those that they come from.
  bool unlike() const;
  double float_ms = 0, ms = 0;  // a picture, one thread; 0 unless measured
  double speedup() const { return ms > 0 ? float_ms / ms : 0; }
  std::vector<KeptFloat> kept_float;
  std::map<std::string, int> not_fused;  // by operator
};

/// Makes and measures. kUnsupported for networks in integers or float16, without weighted layers,
/// of an operator set that cannot be raised; kInvalid without pictures.
Result<QuantizeReport> Quantize(const Network& network, const CalibrationSet& set,
                                const QuantizeOptions& options);

}  // namespace fogline
