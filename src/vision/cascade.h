// A cascade: a small network answers where it is sure, a big one is asked about all other pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/tensor.h"
#include "vision/exits.h"
#include "vision/network.h"

namespace fogline {

/// What a .cascade file beside the big network says, as `fogline cascade` writes it.
struct Cascade {
  /// What was counted: `at` names the little network, `network` is the big one's SHA-256, and there
  /// is no head.
  EarlyExit gate;
  std::filesystem::path little;  // the ONNX file
  std::string little_network;    // its SHA-256 as a model's name, 64 hex digits
  uint64_t id = 0;               // by which frames name it: the first 8 bytes of that
  double temperature = 1;        // by which its logits are divided
};

/// The cascade of a big network: MODEL.cascade beside it, where there is one. kInvalid for a file
/// that is none, kConflict where it was measured on another big network.
Result<std::optional<Cascade>> FindCascade(const Network& big);

/// The little network. kConflict where it is another than was measured, or tells other classes than
/// the big one.
Result<Network> LoadLittle(const Cascade& cascade, const Network& big);

/// kUnsupported where one of two networks is no classifier, kConflict where they do not tell the
/// same classes in the same order.
Status CheckPair(const Network& little, const Network& big);

/// The text of the file.
std::string CascadeText(const Cascade& cascade);

/// What the little network says of a picture, by the big one's classes. `output` is that by which
/// it judges.
Result<ExitVerdict> JudgeLittle(const TensorView& output, const ModelCard& little,
                                const ModelCard& big, double temperature);

}  // namespace fogline
