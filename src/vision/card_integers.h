// The [integers] table of a model's card: what its maker measured of a network in 8-bit integers.
#pragma once

#include <cstdint>
#include <string>

#include "base/hash.h"
#include "base/toml.h"

namespace fogline {

struct ModelCard;

/// Written by `fogline quantize`; it speaks of the ONNX file beside the card and of the one that it
/// was made from.
struct IntegersNote {
  Sha256 of{};            // the float network's file
  double agreement = 0;   // share of pictures of which both say the same (codec/agreement.h)
  int64_t pictures = 0;   // that this was measured on
  bool two_fold = false;  // they were others than the ranges come from

  bool operator==(const IntegersNote&) const = default;
};

/// Reads it where there is one; `status` keeps what is wrong.
void ReadIntegers(const Toml& root, const std::string& where, Status& status, ModelCard& card);

/// The table as text, to be added to a card that has none.
std::string IntegersText(const IntegersNote& note);

}  // namespace fogline
