// What a card says of masks and of numbers.
#pragma once

#include <span>

#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

/// Reads how a mask is written, or guesses that there is one where the card says nothing of the
/// only output's kind; then the card's kind is mask. The labels must have been read.
void ReadMaskRules(CardReader& output, std::span<const Port> outputs, ModelCard& card);

/// Reads the units of numbers.
void ReadNumberRules(CardReader& output, std::span<const Port> outputs, ModelCard& card);

}  // namespace fogline
