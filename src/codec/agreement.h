// How well a codec must keep what the network says before anybody takes it unasked, and how well it
// does.
#pragma once

#include <optional>
#include <span>

#include "vision/findings.h"

namespace fogline {

/// Of 100 pictures at least 95 must keep their answer. The one default of plan, edge, demo, lab and
/// cost: a plan that took less would name bytes that the edge does not send.
inline constexpr double kLeastAgreement = 0.95;

/// How far other findings about some pictures agree with those of the whole model, 0…1. Of classes:
/// the share of pictures with the same one. Of boxes: mean average precision at an overlap of 0.5,
/// the whole model's boxes taken for the truth; `other` should hold unsure ones too (ForCurves), so
/// that a box does not count as lost which fell just below the card's least score. Of masks: the
/// mean intersection over union of the classes that the whole model's small masks have, over all
/// cells of all pictures. Nothing where findings cannot be compared: raw outputs and numbers, which
/// Reference compares, or no box in any picture.
std::optional<double> AgreementOf(std::span<const Findings> whole, std::span<const Findings> other);

}  // namespace fogline
