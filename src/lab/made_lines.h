// Lines that nobody recorded, made from a seed: for tests, and for a report without recordings.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lab/adapt_line.h"

namespace fogline {

enum class MadeLine {
  kConstant,
  kIndependent,  // the rate of each moment by itself
  kDrifting,     // a rate that wanders, in the logarithm
  kRegimes,      // Wi-Fi, LTE, 3G and worse, for minutes each
  kAlternating,  // between two rates, every so many pictures
  kBursts,       // packets in bunches at random
  kLoaded,       // a cloud that is busy for minutes
  kOutages,      // now and then nothing at all
};
std::span<const MadeLine> MadeLines();
const char* NameOf(MadeLine kind);

/// The same line for the same seed, on every machine. 1,200 pictures, one each half a second or
/// so.
AdaptWorld MakeLine(MadeLine kind, uint64_t seed);

/// Wi-Fi, LTE, 3G, nothing for ten seconds, and Wi-Fi again, each for `pictures` pictures.
AdaptWorld MakeJourney(int pictures);

}  // namespace fogline
