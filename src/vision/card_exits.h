// The [[exit]] tables of a model's card.
#pragma once

#include "base/toml.h"
#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

/// Reads them all; `top` keeps what is wrong.
void ReadExits(const Toml& root, const std::string& where, Status& status, ModelCard& card);

}  // namespace fogline
