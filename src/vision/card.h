// The model's card: how a picture becomes the network's input, and what its output means.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// Read from the TOML file beside the ONNX file (same name, .toml). Keys, all optional:
///
///     name, description
///     [input]  tensor, size = 160 | [height, width], color = "rgb" | "bgr", mean, std (3 numbers
///     each, of 0…255
///              values), crop = "squash" | "center", crop_fraction
///     [output] tensor, kind = "logits" | "probabilities" | "other", labels = [ … ] | "file",
///     positive, threshold
///
/// Without a file: RGB, x / 127.5 − 1, the centre 7/8 of the short side, logits, classes by number.
struct ModelCard {
  enum class Crop { kSquash, kCenter };
  enum class Kind { kLogits, kProbabilities, kOther };

  std::string name;
  std::string description;

  std::string input;          // tensor name
  int width = 0, height = 0;  // pixels of the network's input
  bool channels_last = false;
  DType dtype = DType::kF32;
  bool bgr = false;
  std::array<float, 3> mean{127.5F, 127.5F, 127.5F};  // in the order of the network's channels
  std::array<float, 3> std{127.5F, 127.5F, 127.5F};
  Crop crop = Crop::kCenter;
  double crop_fraction = 0.875;

  std::string output;       // tensor name
  size_t output_index = 0;  // among the model's outputs
  Kind kind = Kind::kLogits;
  std::vector<std::string> labels;
  int positive = -1;  // class that makes a picture worth reporting; -1: none, every picture is
  double threshold = 0.5;

  /// The input tensor's shape for a batch of one.
  Shape input_shape() const;
  /// "litter", or "class 17" where the card has no labels.
  std::string LabelOf(int label) const;
};

/// Reads the card of a model, checked against the model's own inputs and outputs (open dimensions
/// are -1). kUnsupported when the model's input is not an image (one tensor of 1x3xHxW or 1xHxWx3,
/// float32 or uint8).
Result<ModelCard> LoadCard(const std::filesystem::path& model, const std::vector<Port>& inputs,
                           const std::vector<Port>& outputs, int side = 0);

/// The input size that a model's card asks for, {0, 0} when it says nothing: needed before the
/// model is loaded, because it closes the open dimensions of a network that takes any size. A card
/// that cannot be read says nothing here; LoadCard reports it.
struct InputSize {
  int width = 0, height = 0;
};
InputSize CardInputSize(const std::filesystem::path& model);

/// The same from text; `where` names it in errors and `folder` is where a label file is looked for.
Result<ModelCard> ParseCard(std::string_view toml, const std::string& where,
                            const std::filesystem::path& folder, const std::vector<Port>& inputs,
                            const std::vector<Port>& outputs, int side = 0);

}  // namespace fogline
