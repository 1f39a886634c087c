#include "vision/card.h"

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/paths.h"
#include "vision/box_layout.h"
#include "vision/card_boxes.h"
#include "vision/card_exits.h"
#include "vision/card_mask.h"
#include "vision/card_reader.h"
#include "vision/card_verdict.h"
#include "vision/contract.h"
#include "vision/floats.h"
#include "vision/picture_input.h"

namespace fogline {
namespace {

constexpr int kDefaultSide = 224;
constexpr int kMostMultiple = 256;

/// Finds the picture among the inputs, with what the card says of it.
Status ReadInput(const std::vector<Port>& inputs, const Toml& root, const std::string& where,
                 ModelCard& card) {
  PictureHint hint;
  hint.tensor = root["input"]["tensor"].text().value_or("");
  hint.grey = root["input"]["color"].text().value_or("").starts_with("grey");
  auto found = FindPicture(inputs, hint);
  if (!found) return Fail(found.error().code, where, "{}", found.error().message);
  card.input = found->tensor;
  card.dtype = found->dtype;
  card.channels = found->channels;
  card.channels_last = found->channels_last;
  card.batched = found->batched;
  card.batch = found->batch;
  card.height = found->height;
  card.width = found->width;
  return {};
}

/// Networks that halve their picture again and again take whole multiples of a stride alone.
int RoundUp(int side, int multiple) { return (side + multiple - 1) / multiple * multiple; }

void ReadSaidSize(CardReader& reader, const CardOptions& options, int multiple, ModelCard& card) {
  if (options.size_is_given) return;
  const int side = RoundUp(options.side, multiple);
  if (side > 0) {
    if ((card.height > 0 && card.height != side) || (card.width > 0 && card.width != side)) {
      return reader.Set(
          fmt::format("the model takes {}x{}, not {}x{}", card.width, card.height, side, side));
    }
    card.width = card.height = side;
  } else if (const auto* node = reader.Find("size")) {
    int64_t height = 0, width = 0;
    if (const auto one = node->whole()) {
      height = width = *one;
    } else if (node->list().size() == 2) {
      height = node->list()[0].whole().value_or(0);
      width = node->list()[1].whole().value_or(0);
    }
    if (height < 1 || width < 1 || height > kMaxPictureSide || width > kMaxPictureSide) {
      return reader.Wrong("size", "a side in pixels, or [height, width]");
    }
    height = RoundUp(static_cast<int>(height), multiple);
    width = RoundUp(static_cast<int>(width), multiple);
    if ((card.height > 0 && card.height != height) || (card.width > 0 && card.width != width)) {
      return reader.Set(fmt::format("'input.size' is {}x{}, but the model takes {}x{}", width,
                                    height, card.width, card.height));
    }
    card.height = static_cast<int>(height);
    card.width = static_cast<int>(width);
  }
}

void ReadSize(CardReader& reader, const CardOptions& options, ModelCard& card) {
  int multiple = 1;
  reader.Whole("multiple", 1, kMostMultiple, multiple);
  ReadSaidSize(reader, options, multiple, card);
  if (card.height <= 0) card.height = RoundUp(kDefaultSide, multiple);
  if (card.width <= 0) card.width = RoundUp(kDefaultSide, multiple);
}

void ReadLabels(CardReader& reader, const std::filesystem::path& folder, ModelCard& card) {
  const auto* node = reader.Find("labels");
  if (node == nullptr) return;
  if (const auto file = node->text()) {
    const auto path = folder / *file;
    const auto text = ReadTextFile(path);
    if (!text) return reader.Set("'output.labels': " + text.error().ToString());
    const Status own = CheckLeadsInto(folder, path, path);
    if (!own) return reader.Set("'output.labels': " + own.error().ToString());
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      card.labels.push_back(line);
    }
    return;
  }
  if (!node->is_list()) return reader.Wrong("labels", "a list of texts or the name of a file");
  for (const Toml& label : node->list()) {
    const auto text = label.text();
    if (!text) return reader.Wrong("labels", "a list of texts or the name of a file");
    card.labels.push_back(*text);
  }
}

/// How the picture's colours become the network's channels.
void ReadColor(CardReader& reader, ModelCard& card) {
  const bool grey = card.channels == 1;
  std::string color = grey ? "grey" : card.color == ModelCard::Color::kBgr ? "bgr" : "rgb";
  reader.Text("color", color);
  if (grey && (color == "grey" || color == "grey709")) {
    card.color = color == "grey" ? ModelCard::Color::kGrey : ModelCard::Color::kGrey709;
  } else if (!grey && (color == "rgb" || color == "bgr")) {
    card.color = color == "rgb" ? ModelCard::Color::kRgb : ModelCard::Color::kBgr;
  } else {
    reader.Wrong("color", grey ? "\"grey\" or \"grey709\" (the network takes one channel)"
                               : "\"rgb\" or \"bgr\"");
  }
}

/// What pictures are fed to networks of the card's layout, as far as the card does not say.
void TakeHabits(ModelCard& card) {
  if (card.kind != ModelCard::Kind::kBoxes && card.kind != ModelCard::Kind::kMask) return;
  card.crop = ModelCard::Crop::kSquash;  // a crop would lose what is at the rim
  if (card.kind == ModelCard::Kind::kMask || !card.boxes.layout ||
      !RowOf(*card.boxes.layout).habits)
    return;
  const PictureHabits& habits = *RowOf(*card.boxes.layout).habits;
  card.crop = habits.crop;
  card.anchor = habits.anchor;
  card.pad = habits.pad;
  if (card.channels != 3) return;
  card.color = habits.color;
  std::ranges::copy(habits.mean, card.mean.begin());
  std::ranges::copy(habits.std, card.std.begin());
}

void ReadPicture(CardReader& reader, ModelCard& card) {
  reader.Known({"tensor", "size", "multiple", "color", "mean", "std", "crop", "crop_fraction",
                "pad", "anchor"});
  std::string tensor = card.input;  // FindPicture has looked at it
  reader.Text("tensor", tensor);
  TakeHabits(card);
  ReadColor(reader, card);
  reader.PerChannel("mean", card.channels, false, card.mean);
  reader.PerChannel("std", card.channels, true, card.std);
  using Fit = ModelCard::Crop;
  reader.OneOf<Fit>(
      "crop", {{"center", Fit::kCenter}, {"squash", Fit::kSquash}, {"letterbox", Fit::kLetterbox}},
      card.crop);
  reader.Number("crop_fraction", 0.1, 1.0, card.crop_fraction);
  int pad = card.pad;
  reader.Whole("pad", 0, 255, pad);
  card.pad = static_cast<uint8_t>(pad);
  using Corner = ModelCard::Anchor;
  reader.OneOf<Corner>("anchor", {{"center", Corner::kCenter}, {"corner", Corner::kCorner}},
                       card.anchor);
}

/// Values of the inputs that are no pictures.
void ReadConstants(const Toml& table, const std::vector<Port>& inputs, CardReader& reader,
                   ModelCard& card) {
  std::vector<std::string> others;
  for (const Port& input : inputs) {
    if (input.name != card.input) others.push_back(input.name);
  }
  const auto number = [](const Toml& node) -> std::optional<double> {
    if (const auto value = node.number()) return value;
    const auto truth = node.yes();
    return truth ? std::optional(*truth ? 1.0 : 0.0) : std::nullopt;
  };
  reader.Known(others);
  for (const auto& [name, node] : table.table()) {
    std::vector<double>& values = card.constants[name];
    const size_t count = node.is_list() ? node.list().size() : 1;
    for (size_t i = 0; i < count; ++i) {
      const auto value = number(node.is_list() ? node.list()[i] : node);
      if (!value) return reader.Wrong(name.c_str(), "a number, true, false or a list of these");
      values.push_back(*value);
    }
    if (values.empty()) reader.Wrong(name.c_str(), "a number, true, false or a list of these");
  }
}

struct KindWord {
  const char* word;
  ModelCard::Kind kind;
};
constexpr KindWord kKinds[] = {
    {"logits", ModelCard::Kind::kLogits},   {"probabilities", ModelCard::Kind::kProbabilities},
    {"boxes", ModelCard::Kind::kBoxes},     {"mask", ModelCard::Kind::kMask},
    {"numbers", ModelCard::Kind::kNumbers}, {"raw", ModelCard::Kind::kOther},
    {"other", ModelCard::Kind::kOther}};

/// The output that results are read from, and what it means: in the card's words, else by its
/// shape. Of several outputs without a word from the card none can be told from the others.
void ReadOutput(CardReader& output, const std::vector<Port>& outputs, ModelCard& card) {
  output.Known({"tensor", "kind", "labels", "positive", "threshold", "top", "layout", "scores",
                "least_score", "overlap", "most", "strides", "sizes", "ratios", "channels",
                "units"});
  std::string kind;
  const bool named = output.Find("tensor") != nullptr;
  output.Text("tensor", card.output);
  const auto port = std::ranges::find(outputs, card.output, &Port::name);
  if (port == outputs.end()) {
    std::vector<std::string> names;
    for (const Port& p : outputs) names.push_back(p.name);
    return output.Set("'output.tensor' is '" + card.output + "', which the model does not give" +
                      DidYouMean(card.output, names));
  }
  card.output_index = static_cast<size_t>(port - outputs.begin());
  output.Text("kind", kind);
  card.kind_said = output.Find("kind") != nullptr;
  const bool told = (outputs.size() == 1 || named) && ClassesByShape(*port, card.picture()) > 0;
  card.kind = told ? ModelCard::Kind::kLogits : ModelCard::Kind::kOther;
  if (!card.kind_said) return;
  const auto word = std::ranges::find(kKinds, kind, &KindWord::word);
  if (word == std::end(kKinds)) {
    return output.Wrong(
        "kind", "\"logits\", \"probabilities\", \"boxes\", \"mask\", \"numbers\" or \"raw\"");
  }
  card.kind = word->kind;
}

/// Whether the file says the outputs' shapes, so that what they are has been guessed if it can be.
bool AreDeclared(const std::vector<Port>& outputs) {
  return std::ranges::all_of(
      outputs, [](const Port& p) { return p.shape.rank() > 0 && p.shape.IsStatic(); });
}

Status ReadTables(const Toml& root, const std::string& where, const std::filesystem::path& folder,
                  const std::vector<Port>& inputs, const std::vector<Port>& outputs,
                  const CardOptions& options, ModelCard& card) {
  Status status;
  CardReader top(root, "", where, status);
  top.Known({"name", "description", "input", "constants", "output", "verdict", "exit", "integers"});
  top.Text("name", card.name);
  top.Text("description", card.description);

  CardReader input(root["input"], "input.", where, status);
  ReadSize(input, options, card);
  CardReader constants(root["constants"], "constants.", where, status);
  ReadConstants(root["constants"], inputs, constants, card);
  CardReader output(root["output"], "output.", where, status);
  ReadOutput(output, outputs, card);
  ReadBoxRules(output, outputs, card);
  ReadLabels(output, folder, card);
  CheckBoxLabels(output, outputs, card);
  ReadMaskRules(output, outputs, card);
  ReadNumberRules(output, outputs, card);
  ReadPicture(input, card);
  CardReader verdict(root["verdict"], "verdict.", where, status);
  if (card.kind != ModelCard::Kind::kOther || card.kind_said || AreDeclared(outputs)) {
    ReadVerdictRules(verdict, card);
  }
  std::string positive;
  output.Text("positive", positive);
  if (!positive.empty()) {
    const auto label = std::find(card.labels.begin(), card.labels.end(), positive);
    if (label == card.labels.end()) {
      output.Set("'output.positive' is '" + positive + "', which is not among the labels" +
                 DidYouMean(positive, card.labels));
    }
    card.positive = static_cast<int>(label - card.labels.begin());
  }
  ReadExits(root, where, status, card);
  ReadIntegers(root, where, status, card);
  output.Number("threshold", 0, 1, card.threshold);
  double told = card.top;
  output.Number("top", 0, 255, told);
  card.top = static_cast<int>(told);
  return status;
}

}  // namespace

PictureInput ModelCard::picture() const {
  return {input, dtype, channels, width, height, channels_last, batched, batch};
}

std::string ModelCard::LabelOf(int label) const {
  if (label >= 0 && static_cast<size_t>(label) < labels.size())
    return labels[static_cast<size_t>(label)];
  return label < 0 ? "output" : "class " + std::to_string(label);
}

Result<ModelCard> ParseCard(std::string_view toml, const std::string& where,
                            const std::filesystem::path& folder, const std::vector<Port>& inputs,
                            const std::vector<Port>& outputs, const CardOptions& options) {
  ModelCard card;
  if (outputs.empty()) return Fail(ErrorCode::kUnsupported, where, "the model has no output");
  card.output = outputs[0].name;
  FOGLINE_TRY(const Toml root, Toml::Parse(toml, where));
  FOGLINE_CHECK(ReadInput(inputs, root, where, card));
  FOGLINE_CHECK(ReadTables(root, where, folder, inputs, outputs, options, card));
  const Port& output = outputs[card.output_index];
  if (IsClasses(card.kind) && !IsFloating(output.dtype)) {
    return Fail(
        ErrorCode::kUnsupported, where,
        "gives '{}' as {}, and scores are read from floating-point numbers: export it with such an "
        "output, or say kind = \"raw\" under [output] of its card to go without",
        output.name, DTypeName(output.dtype));
  }
  return card;
}

Result<ModelCard> LoadCard(const std::filesystem::path& model, const std::vector<Port>& inputs,
                           const std::vector<Port>& outputs, const CardOptions& options) {
  std::filesystem::path file = model;
  file.replace_extension(".toml");
  std::string text;
  std::error_code unknown;  // then reading it says why
  const bool there = std::filesystem::exists(file, unknown) || unknown;
  if (there) {
    FOGLINE_TRY(text, ReadTextFile(file));
  }
  FOGLINE_TRY(ModelCard card, ParseCard(text, there ? file.string() : model.string(),
                                        model.parent_path(), inputs, outputs, options));
  if (card.name.empty()) card.name = model.stem().string();
  return card;
}

}  // namespace fogline
