// What a card says of boxes.
#pragma once

#include <span>

#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

/// Reads the layout and what belongs to it, or guesses it where the card says nothing of the
/// outputs' kind; then the card's kind is boxes. A layout that the outputs' shapes do not fit is
/// refused with those that would.
void ReadBoxRules(CardReader& output, std::span<const Port> outputs, ModelCard& card);

/// Refuses labels that are not as many as the classes that the outputs tell apart; an empty list of
/// labels becomes numbers ("class 3").
void CheckBoxLabels(CardReader& output, std::span<const Port> outputs, ModelCard& card);

}  // namespace fogline
