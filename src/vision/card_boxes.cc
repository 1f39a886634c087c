#include "vision/card_boxes.h"

#include <fmt/format.h>

#include <algorithm>

#include "vision/box_layout.h"
#include "vision/findings.h"

namespace fogline {
namespace {

constexpr size_t kMostLevels = 16, kMostSizes = 64;

/// A file may leave shapes out; they come as those of scalars.
bool IsUndeclared(std::span<const Port> outputs) {
  return std::ranges::any_of(
      outputs, [](const Port& p) { return p.shape.rank() == 0 || !p.shape.IsStatic(); });
}

void ReadAnchors(CardReader& output, BoxRules& rules) {
  if (const Toml* node = output.Find("strides")) {
    const auto strides = NumbersWithin(*node, 1, 4096, kMostLevels);
    if (!strides) return output.Wrong("strides", "a list of pixels between cells, as in [8, 16]");
    rules.strides.clear();
    for (const double stride : *strides) rules.strides.push_back(static_cast<int>(stride));
  }
  if (const Toml* node = output.Find("sizes")) {
    rules.sizes.clear();
    for (const Toml& level : node->list()) {
      const auto sizes = NumbersWithin(level, 1, 65536, kMostSizes);
      if (!sizes) break;
      rules.sizes.push_back(*sizes);
    }
    if (rules.sizes.empty() || rules.sizes.size() != rules.strides.size() ||
        rules.sizes.size() != node->list().size()) {
      return output.Wrong("sizes",
                          "a list of anchors' sides in pixels for each of 'strides', as "
                          "in [[16, 32], [64]]");
    }
  }
  if (const Toml* node = output.Find("ratios")) {
    const auto ratios = NumbersWithin(*node, 0.01, 100, kMostSizes);
    if (!ratios) return output.Wrong("ratios", "a list of ratios of width to height, as in [1, 2]");
    rules.ratios = *ratios;
  }
}

void ReadLayout(CardReader& output, BoxRules& rules) {
  std::vector<std::pair<std::string, std::optional<BoxLayout>>> words;
  for (const LayoutRow& row : BoxLayouts()) words.emplace_back(row.word, row.layout);
  output.OneOf<std::optional<BoxLayout>>("layout", words, rules.layout);
}

std::string Describe(std::span<const Port> outputs) {
  std::string all;
  for (size_t i = 0; i < std::min<size_t>(outputs.size(), 12); ++i) {
    all += (i > 0 ? ", " : "") + outputs[i].shape.ToString();
  }
  return all + (outputs.size() > 12 ? ", …" : "");
}

}  // namespace

void ReadBoxRules(CardReader& output, std::span<const Port> outputs, ModelCard& card) {
  BoxRules& rules = card.boxes;
  ReadLayout(output, rules);
  const bool may_guess =
      !card.kind_said && card.kind == ModelCard::Kind::kOther && output.Find("tensor") == nullptr;
  if (rules.layout && !card.kind_said) card.kind = ModelCard::Kind::kBoxes;
  if (card.kind != ModelCard::Kind::kBoxes && !may_guess) {
    if (rules.layout) output.Wrong("kind", "\"boxes\" where a layout is named");
    return;
  }
  if (!rules.layout) {
    rules.layout = GuessBoxLayout(outputs, card.picture());
    rules.guessed = rules.layout.has_value();
    if (rules.guessed) card.kind = ModelCard::Kind::kBoxes;
  }
  if (card.kind != ModelCard::Kind::kBoxes) return;
  if (!rules.layout) {
    if (IsUndeclared(outputs)) return;  // nobody knows yet
    return output.Set(fmt::format(
        "'output.layout' is missing, and the outputs' shapes ({}) are of no layout that could be "
        "guessed; docs/vision.md lists all",
        Describe(outputs)));
  }
  rules = WithAnchors(*rules.layout, rules);
  ReadAnchors(output, rules);
  output.OneOf<std::optional<bool>>("scores", {{"logits", true}, {"probabilities", false}},
                                    rules.logits);
  output.Number("least_score", 0, 1, rules.least_score);
  output.Number("overlap", 0, 1, rules.overlap);
  output.Whole("most", 1, static_cast<int>(kMaxBoxes), rules.most);
  if (*rules.layout == BoxLayout::kSsd && rules.sizes.empty()) {
    return output.Set("'output.strides' and 'output.sizes' must say what anchors \"ssd\" has");
  }
  if (IsUndeclared(outputs) || FindBoxHead(*rules.layout, outputs, card.picture(), rules)) return;
  output.Set(fmt::format("'output.layout' is \"{}\", whose outputs are {}, and these are {}",
                         NameOf(*rules.layout), ShapesOf(*rules.layout, card.picture(), rules),
                         Describe(outputs)));
}

void CheckBoxLabels(CardReader& output, std::span<const Port> outputs, ModelCard& card) {
  const bool said = output.Find("labels") != nullptr;
  if (card.kind != ModelCard::Kind::kBoxes || !card.boxes.layout || !said) return;
  const auto head = FindBoxHead(*card.boxes.layout, outputs, card.picture(), card.boxes);
  if (!head || head->classes == 0 || head->classes == card.labels.size()) return;
  if (card.labels.empty()) {
    // The card wants numbers, whatever the network may have been trained on.
    for (size_t i = 0; i < head->classes; ++i) card.labels.push_back(fmt::format("class {}", i));
    return;
  }
  output.Set(fmt::format("'output.labels' are {}, and the outputs tell {} classes apart",
                         card.labels.size(), head->classes));
}

}  // namespace fogline
