// The rate-fidelity curves of a calibration as a drawing.
#pragma once

#include <string>
#include <vector>

#include "codec/bundle.h"

namespace fogline {

/// One <svg> file of its own: bytes a picture (logarithmic) against top-1 agreement, a curve for
/// JPEG, for WebP and for each size of tensor that crosses (the deepest cut of that size), and a
/// dot where its JSON lies. Outputs that are no classes are drawn by 1 − relative error.
std::string RateFidelitySvg(const std::string& model, const std::vector<CalibratedPair>& pairs);

}  // namespace fogline
