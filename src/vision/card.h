// The model's card: how a picture becomes the network's input, and what its output means.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "vision/box_rules.h"
#include "vision/card_integers.h"
#include "vision/exits.h"
#include "vision/mask_rules.h"
#include "vision/picture_input.h"
#include "vision/verdict_rules.h"

namespace fogline {

/// Read from the TOML file beside the ONNX file (same name, .toml). Keys, all optional:
///
///     name, description
///     [input]  tensor, size = 160 | [height, width], multiple = 32 (what is asked for is rounded
///     up to it, where the network leaves its size open), color = "rgb" | "bgr" | "grey" |
///     "grey709", mean, std (a number, or one a channel, of 0…255 values), crop = "squash" |
///     "center" | "letterbox", crop_fraction, pad = 0…255 and anchor = "center" | "corner"
///     [constants]  an input that is no picture = the number, truth value or list it is given
///     [output] tensor, kind = "logits" | "probabilities" | "boxes" | "mask" | "numbers" | "raw",
///     labels = [ … ] | "file" (of classes, or the names of numbers), positive, threshold, top =
///     how many of the likeliest classes are told with their scores; of boxes layout, scores =
///     "probabilities" | "logits", least_score, overlap, most, strides, sizes, ratios
///     (box_rules.h); of a mask channels = "first" | "last", scores and least_score of one channel
///     (mask_rules.h); of numbers units = "m" for all or [ … ]
///     [verdict] of boxes: classes = [ … ], least_score, least_count, region = [[x, y], …]; of a
///     mask: classes, least_share; of numbers: number, least, most
///     [[exit]] (card_exits.h), [integers] (card_integers.h): written by train and by quantize
///
/// Without a file: RGB (grey by ITU-R BT.601 where the network takes one channel, alpha 255 where
/// it takes four), x / 127.5 − 1, the centre 7/8 of the short side; what the outputs are is told
/// by their shapes (vision/contract.h), classes by number. Networks whose boxes are of a known
/// layout get what its authors feed them (docs/vision.md).
struct ModelCard {
  enum class Crop { kSquash, kCenter, kLetterbox };
  /// Where a letterboxed picture lies.
  enum class Anchor { kCenter, kCorner };
  /// Grey is a sum of red, green and blue: of BT.601 as in JPEG and Pillow's "L", or of BT.709.
  enum class Color { kRgb, kBgr, kGrey, kGrey709 };
  /// In the card's words; "other" is an older one for raw.
  enum class Kind { kLogits, kProbabilities, kOther, kBoxes, kMask, kNumbers };

  std::string name;
  std::string description;

  std::string input;          // tensor name
  int width = 0, height = 0;  // pixels of the network's input
  int channels = 3;           // 1, 3 or 4
  bool channels_last = false;
  bool batched = true;  // the input has a batch dimension, of so many rows:
  int64_t batch = 1;
  DType dtype = DType::kF32;
  Color color = Color::kRgb;
  std::array<float, 4> mean{127.5F, 127.5F, 127.5F, 127.5F};  // by the network's channels
  std::array<float, 4> std{127.5F, 127.5F, 127.5F, 127.5F};
  Crop crop = Crop::kCenter;
  double crop_fraction = 0.875;
  uint8_t pad = 114;  // what is around a letterboxed picture
  Anchor anchor = Anchor::kCenter;
  std::map<std::string, std::vector<double>> constants;  // by input

  std::string output;       // tensor name
  size_t output_index = 0;  // among the model's outputs
  Kind kind = Kind::kLogits;
  bool kind_said = false;  // by the card; else it follows from the output
  std::vector<std::string> labels;
  int positive = -1;  // class that makes a picture worth reporting; -1: none, every picture is
  double threshold = 0.5;
  int top = 0;  // so many of the likeliest classes are told with their scores
  BoxRules boxes;
  MaskRules mask;
  NumberUnits units;
  VerdictRules verdict;
  std::optional<IntegersNote> integers;
  std::vector<EarlyExit> exits;  // their heads are no outputs of the network that a Network holds

  /// The input tensor's shape: one picture, or as many as the network takes at once.
  Shape input_shape() const { return picture().shape(); }
  PictureInput picture() const;
  /// "litter", or "class 17" where the card has no labels.
  std::string LabelOf(int label) const;
};

/// What a card is held against beside the model's own inputs and outputs.
struct CardOptions {
  int side = 0;                // > 0: instead of the card's size
  bool size_is_given = false;  // the inputs' sizes hold, whatever the card says
};

/// Reads the card of a model, checked against the model's own inputs and outputs (open dimensions
/// are -1). kUnsupported when no input is a picture (see FindPicture).
Result<ModelCard> LoadCard(const std::filesystem::path& model, const std::vector<Port>& inputs,
                           const std::vector<Port>& outputs, const CardOptions& options = {});

/// The same from text; `where` names it in errors and `folder` is where a label file is looked for.
Result<ModelCard> ParseCard(std::string_view toml, const std::string& where,
                            const std::filesystem::path& folder, const std::vector<Port>& inputs,
                            const std::vector<Port>& outputs, const CardOptions& options = {});

}  // namespace fogline
