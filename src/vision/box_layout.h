// The layouts of boxes as one table: what each is called, looks like, is decoded by, and which
// pictures its networks are wont to be fed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vision/box_decoders.h"
#include "vision/box_head.h"
#include "vision/card.h"

namespace fogline {

/// How the authors of a layout's networks prepare pictures; a card that says nothing else gets it.
struct PictureHabits {
  ModelCard::Color color = ModelCard::Color::kRgb;
  std::array<float, 3> mean{}, std{1, 1, 1};  // in the network's order of channels
  ModelCard::Crop crop = ModelCard::Crop::kSquash;
  ModelCard::Anchor anchor = ModelCard::Anchor::kCenter;
  uint8_t pad = 0;
};

struct LayoutRow {
  BoxLayout layout;
  std::string_view word;
  std::optional<BoxHead> (*find)(std::span<const Port>, const PictureInput&, const BoxRules&);
  BoxDecoder decode;
  const char* shapes;        // of its outputs, in words: N candidates, C classes
  bool logits = false;       // what its scores are unless the card or the graph says otherwise
  bool graph_tells = false;  // exports differ: a Sigmoid or Softmax at their end says which it is
  bool suppressed = false;   // by the network itself
  std::optional<PictureHabits> habits;
};

const LayoutRow& RowOf(BoxLayout layout);
/// The rules with the layout and the anchors that it has where the card names none.
BoxRules WithAnchors(BoxLayout layout, BoxRules rules);
std::span<const LayoutRow> BoxLayouts();

}  // namespace fogline
