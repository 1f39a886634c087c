// The [[exit]] tables of a model's card.
#pragma once

#include <string>

#include "base/toml.h"
#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

/// Reads what was counted of one: pictures, thresholds, sure and differ.
void ReadCounted(CardReader& reader, EarlyExit& exit);
/// Writes that.
std::string CountedText(const EarlyExit& exit);

/// Reads them all; `top` keeps what is wrong.
void ReadExits(const Toml& root, const std::string& where, Status& status, ModelCard& card);

}  // namespace fogline
