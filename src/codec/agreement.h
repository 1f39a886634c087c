// How well a codec must keep what the network says before anybody takes it unasked.
#pragma once

namespace fogline {

/// Of 100 pictures at least 95 must keep their answer. The one default of plan, edge, demo, lab and
/// cost: a plan that took less would name bytes that the edge does not send.
inline constexpr double kLeastAgreement = 0.95;

}  // namespace fogline
