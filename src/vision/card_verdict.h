// What a card says of the verdict.
#pragma once

#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

/// Reads [verdict], whose keys are those of the card's kind; what it names must be among the card's
/// labels, where it has some.
void ReadVerdictRules(CardReader& verdict, ModelCard& card);

}  // namespace fogline
