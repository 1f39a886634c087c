#include "vision/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "vision/box_layout.h"
#include "vision/coco_names.h"
#include "vision/floats.h"
#include "vision/mask_head.h"

namespace fogline {
namespace {

OutputKind KindOf(ModelCard::Kind kind) {
  switch (kind) {
    case ModelCard::Kind::kLogits:
    case ModelCard::Kind::kProbabilities:
      return OutputKind::kClasses;
    case ModelCard::Kind::kBoxes:
      return OutputKind::kBoxes;
    case ModelCard::Kind::kMask:
      return OutputKind::kMask;
    case ModelCard::Kind::kNumbers:
      return OutputKind::kNumbers;
    case ModelCard::Kind::kOther:
      return OutputKind::kRaw;
  }
  return OutputKind::kRaw;
}

/// Whether a tensor comes from a layer that makes probabilities, but for layers that only move or
/// round them.
bool EndsInProbabilities(const Model& model, const std::string& tensor) {
  static constexpr std::array kMoving = {"Identity",       "Reshape",         "Flatten", "Squeeze",
                                         "Unsqueeze",      "Transpose",       "Cast",    "Concat",
                                         "QuantizeLinear", "DequantizeLinear"};
  for (int a = model.FindActivation(tensor); a >= 0;) {
    const int producer = model.activations()[static_cast<size_t>(a)].producer;
    if (producer < 0) return false;
    const Node& node = model.nodes()[static_cast<size_t>(producer)];
    if (node.op == "Softmax" || node.op == "Sigmoid" || node.op == "QLinearSoftmax" ||
        node.op == "com.microsoft.QLinearSoftmax" || node.op == "com.microsoft.QLinearSigmoid") {
      return true;
    }
    if (std::ranges::find(kMoving, node.op) == kMoving.end() || node.inputs.empty()) return false;
    a = node.inputs.front();
  }
  return false;
}

/// What inputs of these names are given by every program that feeds them, and how many numbers.
struct Custom {
  std::array<std::string_view, 4> names;
  enum { kHeightWidth, kWidthHeight, kValue } what;
  double value;
  size_t count;
};
constexpr Custom kCustoms[] = {
    // The size of the picture before it was resized: that of the network, whose pixels count then.
    {{"image_shape", "im_shape", "img_shape"}, Custom::kHeightWidth, 0, 2},
    {{"orig_target_sizes", "orig_size"}, Custom::kWidthHeight, 0, 2},
    {{"scale_factor"}, Custom::kValue, 1, 2},
    {{"iou_threshold", "iou_thres", "nms_threshold"}, Custom::kValue, 0.45, 1},
    {{"score_threshold", "conf_threshold", "confidence_threshold", "conf_thres"},
     Custom::kValue,
     0.25,
     1},
    {{"max_output_boxes_per_class", "max_boxes", "max_detections"}, Custom::kValue, 100, 1},
};

std::vector<double> ByCustom(const Port& port, const ModelCard& card) {
  std::string name = port.name;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  int64_t known = 1;  // elements but for open dimensions
  for (const int64_t d : port.shape) known *= std::max<int64_t>(1, d);
  for (const Custom& custom : kCustoms) {
    const auto count = static_cast<int64_t>(custom.count);
    if (std::ranges::find(custom.names, name) == custom.names.end()) continue;
    if (known % count != 0 && (known != 1 || port.shape.IsStatic())) continue;
    const double height = card.height, width = card.width;
    if (custom.what == Custom::kHeightWidth) return {height, width};
    if (custom.what == Custom::kWidthHeight) return {width, height};
    return std::vector<double>(custom.count, custom.value);
  }
  return {};
}

/// What is known of a model of boxes, and what its graph says of their scores.
void AddBoxes(const Model& model, ModelCard& card, ModelContract& contract) {
  if (card.kind != ModelCard::Kind::kBoxes || !card.boxes.layout) return;
  contract.layout = card.boxes.layout;
  contract.guessed = card.boxes.guessed;
  const auto head = FindBoxHead(*card.boxes.layout, model.outputs(), contract.picture, card.boxes);
  if (!head) return;
  contract.outputs[contract.judged].classes = head->classes;
  if (card.labels.empty()) card.labels = CocoNames(*card.boxes.layout, head->classes);
  if (!RowOf(*card.boxes.layout).graph_tells || card.boxes.logits) return;
  const size_t scores = !head->levels.empty() && head->levels[0].boxes != head->levels[0].scores
                            ? head->levels[0].scores
                        : head->joined ? head->boxes
                                       : head->scores;
  card.boxes.logits = !EndsInProbabilities(model, model.outputs()[scores].name);
}

/// What is known of a mask, and whether its one score a pixel is a probability.
void AddMask(const Model& model, ModelCard& card, ModelContract& contract) {
  if (card.kind != ModelCard::Kind::kMask) return;
  contract.guessed = card.mask.guessed;
  const auto head = FindMaskHead(model.outputs()[contract.judged], card);
  if (!head) return;
  contract.outputs[contract.judged].classes = head->classes;
  if (head->channels > 1 || head->numbers || card.mask.logits) return;
  card.mask.logits = !EndsInProbabilities(model, contract.output().tensor);
}

}  // namespace

std::string_view NameOf(OutputKind kind) {
  static constexpr std::array<std::string_view, 5> kNames{"classes", "boxes", "mask", "numbers",
                                                          "raw"};
  return kNames[static_cast<size_t>(kind)];
}

bool IsClasses(ModelCard::Kind kind) { return KindOf(kind) == OutputKind::kClasses; }

size_t ClassesByShape(const Port& output, const PictureInput& picture) {
  const Shape& s = output.shape;
  if (!IsFloating(output.dtype) || s.rank() == 0) return 0;
  const bool in_rows = s.rank() > 1 && (s[0] < 0 || s[0] == 1 || s[0] == picture.batch);
  if (s.rank() > 1 && !in_rows) return 0;
  int64_t classes = 1;
  for (size_t d = in_rows ? 1 : 0; d < s.rank(); ++d) {
    if (s[d] == 1) continue;
    if (classes != 1) return 0;  // a second dimension: boxes, a mask, a sequence
    classes = s[d] < 0 ? 2 : s[d];
  }
  return classes < 2 ? 0 : static_cast<size_t>(classes);
}

Result<std::vector<FixedInput>> FixOthers(const std::vector<Port>& inputs,
                                          const std::vector<std::string>& unread,
                                          const ModelCard& card) {
  std::vector<FixedInput> fixed;
  for (const Port& port : inputs) {
    if (port.name == card.input) continue;
    const auto given = card.constants.find(port.name);
    if (std::ranges::find(unread, port.name) != unread.end()) {
      fixed.push_back({port.name, {}, "unread"});
    } else if (given != card.constants.end()) {
      fixed.push_back({port.name, given->second, "the card"});
    } else if (auto values = ByCustom(port, card); !values.empty()) {
      fixed.push_back({port.name, std::move(values), "its name"});
    } else {
      return Fail(ErrorCode::kUnsupported, "",
                  "takes '{}' {} {} beside the picture '{}': if it is the same for every picture, "
                  "give it under [constants] of the card, as in {} = 0.5",
                  port.name, DTypeName(port.dtype), port.shape.ToString(), card.input, port.name);
    }
  }
  return fixed;
}

Port ModelContract::pixels() const {
  return {"picture", DType::kU8, Shape{picture.height, picture.width, 3}};
}

std::string ModelContract::ToString() const {
  std::string text;
  if (no_picture) {
    text = no_picture->message;
  } else {
    const char* planes = picture.channels_last ? "HWC" : "CHW";
    text = fmt::format("takes '{}', {}x{}, {} channel{} {}{} {}", picture.tensor, picture.width,
                       picture.height, picture.channels, picture.channels == 1 ? "" : "s",
                       picture.batched ? "N" : "", planes, DTypeName(picture.dtype));
    if (picture.batch > 1) text += fmt::format(", {} at once", picture.batch);
  }
  for (const FixedInput& input : fixed) {
    text += fmt::format("; '{}' is {}", input.tensor,
                        input.values.empty()
                            ? "unread"
                            : fmt::format("{} ({})", fmt::join(input.values, ","), input.from));
  }
  text += "; gives ";
  if (classes() > 0) {
    text += fmt::format("{} classes ({}) in '{}'", classes(),
                        output().probabilities ? "probabilities" : "logits", output().tensor);
  } else if (layout) {
    text += fmt::format("boxes of {} (layout {}{})",
                        output().classes == 0   ? "classes by number"
                        : output().classes == 1 ? "one class"
                                                : fmt::format("{} classes", output().classes),
                        NameOf(*layout), guessed ? ", guessed from the outputs' shapes" : "");
  } else if (output().kind == OutputKind::kMask) {
    text += fmt::format(
        "a mask of {} in '{}'{}",
        output().classes == 0 ? "classes by number" : fmt::format("{} classes", output().classes),
        output().tensor, guessed ? " (guessed from its shape)" : "");
  } else if (outputs.size() == 1 || output().kind != OutputKind::kRaw) {
    text += fmt::format("{} in '{}'", NameOf(output().kind), output().tensor);
  } else {
    text += fmt::format("{} raw outputs", outputs.size());
  }
  return text + fmt::format("; {} of weights", HumanBytes(static_cast<double>(weight_bytes)));
}

ModelContract MakeContract(const Model& model, Error no_picture) {
  ModelContract contract;
  contract.no_picture = std::move(no_picture);
  for (const Port& port : model.outputs()) contract.outputs.push_back({port.name});
  if (model.outputs().size() == 1) {
    OutputMeaning& only = contract.outputs[0];
    only.classes = ClassesByShape(model.outputs()[0], contract.picture);
    if (only.classes > 0) only.kind = OutputKind::kClasses;
    only.probabilities = EndsInProbabilities(model, only.tensor);
  }
  contract.weight_bytes = model.weight_bytes();
  return contract;
}

ModelContract MakeContract(const Model& model) {
  auto card = ParseCard("", model.where(), {}, model.inputs(), model.outputs());
  return card ? MakeContract(model, *card) : MakeContract(model, card.error());
}

ModelContract MakeContract(const Model& model, ModelCard& card) {
  ModelContract contract;
  contract.picture = card.picture();
  for (const Port& port : model.outputs()) contract.outputs.push_back({port.name});
  contract.judged = card.output_index;
  const Port& port = model.outputs()[card.output_index];
  if (!card.kind_said && IsClasses(card.kind)) {
    card.kind = ClassesByShape(port, contract.picture) == 0 ? ModelCard::Kind::kOther
                : EndsInProbabilities(model, port.name)     ? ModelCard::Kind::kProbabilities
                                                            : ModelCard::Kind::kLogits;
  }
  OutputMeaning& output = contract.outputs[contract.judged];
  output.kind = KindOf(card.kind);
  if (output.kind == OutputKind::kClasses) {
    const int64_t rows = port.shape.rank() > 1 ? contract.picture.batch : 1;
    output.classes = static_cast<size_t>(port.shape.Elements().value_or(0) / rows);
    output.probabilities = card.kind == ModelCard::Kind::kProbabilities;
  }
  AddBoxes(model, card, contract);
  AddMask(model, card, contract);
  contract.weight_bytes = model.weight_bytes();
  for (const Port& input : model.inputs()) {
    if (input.name == card.input) continue;
    contract.no_picture =
        Error{ErrorCode::kUnsupported, fmt::format("takes '{}' beside the picture", input.name),
              model.where()};
  }
  return contract;
}

}  // namespace fogline
