#include "vision/card.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace fogline {
namespace {

constexpr int kDefaultSide = 224;
constexpr int kMaxSide = 8192;

/// Reads keys of one TOML table; the first problem is kept and everything after it is skipped.
class Reader {
 public:
  Reader(const toml::table& table, std::string prefix, std::string where, Status& status)
      : table_(table), prefix_(std::move(prefix)), where_(std::move(where)), status_(status) {}

  /// Refuses keys that nothing reads: a mistyped one would otherwise be ignored silently.
  void Known(const std::vector<std::string>& keys) {
    for (const auto& [key, value] : table_) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        Set("unknown key '" + prefix_ + name + "'" + DidYouMean(name, keys));
      }
    }
  }
  void Text(const char* key, std::string& out) {
    if (const auto* node = Find(key)) {
      if (const auto value = node->value<std::string>()) {
        out = *value;
      } else {
        Wrong(key, "a text");
      }
    }
  }
  void Number(const char* key, double low, double high, double& out) {
    if (const auto* node = Find(key)) {
      const auto value = node->value<double>();
      if (!value || !(*value >= low && *value <= high)) {
        return Wrong(key, fmt::format("a number from {} to {}", low, high));
      }
      out = *value;
    }
  }
  void Triple(const char* key, bool nonzero, std::array<float, 3>& out) {
    if (const auto* node = Find(key)) {
      const auto* array = node->as_array();
      if (array == nullptr || array->size() != 3) return Wrong(key, "three numbers");
      for (size_t i = 0; i < 3; ++i) {
        const auto value = (*array)[i].value<double>();
        if (!value || (nonzero && *value == 0)) return Wrong(key, "three numbers, none of them 0");
        out[i] = static_cast<float>(*value);
      }
    }
  }
  const toml::node* Find(const char* key) const { return status_ ? table_.get(key) : nullptr; }
  void Wrong(const char* key, const std::string& wanted) {
    Set("'" + prefix_ + key + "' must be " + wanted);
  }
  void Set(const std::string& message) {
    if (status_) status_ = Fail(ErrorCode::kInvalid, where_, "{}", message);
  }

 private:
  const toml::table& table_;
  std::string prefix_, where_;
  Status& status_;
};

/// Finds the one image-like input and its layout.
Status ReadInput(const std::vector<Port>& inputs, const std::string& where, ModelCard& card) {
  const auto is_image = [](const Port& p) {
    return p.shape.rank() == 4 && (p.dtype == DType::kF32 || p.dtype == DType::kU8) &&
           (p.shape[1] == 3 || p.shape[3] == 3);
  };
  std::string all;
  for (const Port& p : inputs) {
    all += fmt::format("{}'{}' {} {}", all.empty() ? "" : ", ", p.name, DTypeName(p.dtype),
                       p.shape.ToString());
  }
  if (inputs.size() != 1 || !is_image(inputs[0])) {
    return Fail(ErrorCode::kUnsupported, where,
                "takes {}, not an image (one float32 or uint8 input of 1x3xHxW or 1xHxWx3)",
                all.empty() ? "no input" : all);
  }
  const Port& port = inputs[0];
  if (port.shape[0] > 1) {
    return Fail(
        ErrorCode::kUnsupported, where,
        "takes {} pictures at once ('{}' is {}), and Fogline gives one: export it with a batch "
        "of 1, or an open one",
        port.shape[0], port.name, port.shape.ToString());
  }
  card.input = port.name;
  card.dtype = port.dtype;
  card.channels_last = port.shape[1] != 3;
  const int64_t height = port.shape[card.channels_last ? 1 : 2];
  const int64_t width = port.shape[card.channels_last ? 2 : 3];
  if (height > kMaxSide || width > kMaxSide) {
    return Fail(ErrorCode::kUnsupported, where, "takes pictures of {}x{}, beyond {} a side", width,
                height, kMaxSide);
  }
  card.height = static_cast<int>(height);
  card.width = static_cast<int>(width);
  return {};
}

void ReadSize(Reader& reader, int side, ModelCard& card) {
  if (side > 0) {
    if ((card.height > 0 && card.height != side) || (card.width > 0 && card.width != side)) {
      return reader.Set(
          fmt::format("the model takes {}x{}, not {}x{}", card.width, card.height, side, side));
    }
    card.width = card.height = side;
  } else if (const auto* node = reader.Find("size")) {
    int64_t height = 0, width = 0;
    if (const auto one = node->value<int64_t>()) {
      height = width = *one;
    } else if (const auto* array = node->as_array(); array != nullptr && array->size() == 2) {
      height = (*array)[0].value_or<int64_t>(0);
      width = (*array)[1].value_or<int64_t>(0);
    }
    if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
      return reader.Wrong("size", "a side in pixels, or [height, width]");
    }
    if ((card.height > 0 && card.height != height) || (card.width > 0 && card.width != width)) {
      return reader.Set(fmt::format("'input.size' is {}x{}, but the model takes {}x{}", width,
                                    height, card.width, card.height));
    }
    card.height = static_cast<int>(height);
    card.width = static_cast<int>(width);
  }
}

void ReadLabels(Reader& reader, const std::filesystem::path& folder, ModelCard& card) {
  const auto* node = reader.Find("labels");
  if (node == nullptr) return;
  if (const auto file = node->value<std::string>()) {
    const auto text = ReadTextFile(folder / *file);
    if (!text) return reader.Set("'output.labels': " + text.error().ToString());
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      card.labels.push_back(line);
    }
    return;
  }
  const auto* array = node->as_array();
  if (array == nullptr) return reader.Wrong("labels", "a list of texts or the name of a file");
  for (const auto& label : *array) {
    const auto text = label.value<std::string>();
    if (!text) return reader.Wrong("labels", "a list of texts or the name of a file");
    card.labels.push_back(*text);
  }
}

Status ReadTables(const toml::table& root, const std::string& where,
                  const std::filesystem::path& folder, const std::vector<Port>& outputs, int side,
                  ModelCard& card) {
  Status status;
  Reader top(root, "", where, status);
  top.Known({"name", "description", "input", "output"});
  top.Text("name", card.name);
  top.Text("description", card.description);

  static const toml::table kNone;
  const auto* input_table = root["input"].as_table();
  Reader input(input_table != nullptr ? *input_table : kNone, "input.", where, status);
  input.Known({"tensor", "size", "color", "mean", "std", "crop", "crop_fraction"});
  std::string tensor = card.input, color = "rgb", crop = "center";
  input.Text("tensor", tensor);
  if (tensor != card.input) {
    input.Set("'input.tensor' is '" + tensor + "', but the model's input is '" + card.input + "'");
  }
  ReadSize(input, side, card);
  input.Text("color", color);
  if (color != "rgb" && color != "bgr") input.Wrong("color", "\"rgb\" or \"bgr\"");
  card.bgr = color == "bgr";
  input.Triple("mean", false, card.mean);
  input.Triple("std", true, card.std);
  input.Text("crop", crop);
  if (crop != "center" && crop != "squash") input.Wrong("crop", "\"center\" or \"squash\"");
  card.crop = crop == "squash" ? ModelCard::Crop::kSquash : ModelCard::Crop::kCenter;
  input.Number("crop_fraction", 0.1, 1.0, card.crop_fraction);

  const auto* output_table = root["output"].as_table();
  Reader output(output_table != nullptr ? *output_table : kNone, "output.", where, status);
  output.Known({"tensor", "kind", "labels", "positive", "threshold"});
  std::string kind = card.kind == ModelCard::Kind::kOther ? "other" : "logits", positive;
  output.Text("tensor", card.output);
  const auto port = std::find_if(outputs.begin(), outputs.end(),
                                 [&](const Port& p) { return p.name == card.output; });
  if (port == outputs.end()) {
    std::vector<std::string> names;
    for (const Port& p : outputs) names.push_back(p.name);
    output.Set("'output.tensor' is '" + card.output + "', which the model does not give" +
               DidYouMean(card.output, names));
  } else {
    card.output_index = static_cast<size_t>(port - outputs.begin());
  }
  output.Text("kind", kind);
  if (kind != "logits" && kind != "probabilities" && kind != "other") {
    output.Wrong("kind", "\"logits\", \"probabilities\" or \"other\"");
  }
  card.kind = kind == "logits"          ? ModelCard::Kind::kLogits
              : kind == "probabilities" ? ModelCard::Kind::kProbabilities
                                        : ModelCard::Kind::kOther;
  ReadLabels(output, folder, card);
  output.Text("positive", positive);
  if (!positive.empty()) {
    const auto label = std::find(card.labels.begin(), card.labels.end(), positive);
    if (label == card.labels.end()) {
      output.Set("'output.positive' is '" + positive + "', which is not among the labels" +
                 DidYouMean(positive, card.labels));
    }
    card.positive = static_cast<int>(label - card.labels.begin());
  }
  output.Number("threshold", 0, 1, card.threshold);
  return status;
}

}  // namespace

Shape ModelCard::input_shape() const {
  return channels_last ? Shape{1, height, width, 3} : Shape{1, 3, height, width};
}

std::string ModelCard::LabelOf(int label) const {
  if (label >= 0 && static_cast<size_t>(label) < labels.size())
    return labels[static_cast<size_t>(label)];
  return label < 0 ? "output" : "class " + std::to_string(label);
}

Result<ModelCard> ParseCard(std::string_view toml, const std::string& where,
                            const std::filesystem::path& folder, const std::vector<Port>& inputs,
                            const std::vector<Port>& outputs, int side) {
  ModelCard card;
  FOGLINE_CHECK(ReadInput(inputs, where, card));
  if (outputs.empty()) return Fail(ErrorCode::kUnsupported, where, "the model has no output");
  card.output = outputs[0].name;
  // Several outputs, or an output that is no vector of classes, is a detector or a dense network.
  const Shape& shape = outputs[0].shape;
  size_t long_dimensions = 0;
  for (size_t d = 1; d < shape.rank(); ++d) long_dimensions += shape[d] != 1 ? 1 : 0;
  if (outputs.size() > 1 || long_dimensions > 1) {
    card.kind = ModelCard::Kind::kOther;
  }
  try {
    const toml::table root = toml::parse(toml);
    FOGLINE_CHECK(ReadTables(root, where, folder, outputs, side, card));
  } catch (const toml::parse_error& e) {
    return Fail(ErrorCode::kInvalid, where, "line {}: {}", e.source().begin.line,
                Printable(e.description()));
  }
  const Port& output = outputs[card.output_index];
  if (card.kind != ModelCard::Kind::kOther && output.dtype != DType::kF32) {
    return Fail(
        ErrorCode::kUnsupported, where,
        "gives '{}' as {}, and verdicts are read from float32: export it with a float32 output, "
        "or say kind = \"other\" under [output] of its card to go without",
        output.name, DTypeName(output.dtype));
  }
  if (card.height <= 0) card.height = kDefaultSide;
  if (card.width <= 0) card.width = kDefaultSide;
  return card;
}

InputSize CardInputSize(const std::filesystem::path& model) {
  std::filesystem::path file = model;
  const auto text = ReadTextFile(file.replace_extension(".toml"));
  if (!text) return {};
  try {
    const toml::table root = toml::parse(*text);
    const auto size = root["input"]["size"];
    if (const auto one = size.value<int64_t>())
      return {static_cast<int>(*one), static_cast<int>(*one)};
    if (const auto* pair = size.as_array(); pair != nullptr && pair->size() == 2) {
      return {static_cast<int>((*pair)[1].value_or<int64_t>(0)),
              static_cast<int>((*pair)[0].value_or<int64_t>(0))};
    }
  } catch (const toml::parse_error&) {
    return {};
  }
  return {};
}

Result<ModelCard> LoadCard(const std::filesystem::path& model, const std::vector<Port>& inputs,
                           const std::vector<Port>& outputs, int side) {
  std::filesystem::path file = model;
  file.replace_extension(".toml");
  std::string text;
  std::error_code unknown;  // then reading it says why
  const bool there = std::filesystem::exists(file, unknown) || unknown;
  if (there) {
    FOGLINE_TRY(text, ReadTextFile(file));
  }
  FOGLINE_TRY(ModelCard card, ParseCard(text, there ? file.string() : model.string(),
                                        model.parent_path(), inputs, outputs, side));
  if (card.name.empty()) card.name = model.stem().string();
  return card;
}

}  // namespace fogline
