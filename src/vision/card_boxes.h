// What a card says of boxes and of the verdict on them.
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

/// Reads [verdict]; its classes must be among the card's labels, where it has some.
void ReadVerdictRules(CardReader& verdict, ModelCard& card);

}  // namespace fogline
