// How often something happens that was seen so many times: exact bounds, none of them by the normal
// curve.
#pragma once

#include <cstdint>

namespace fogline {

/// The chance of at most `hits` in `trials` independent ones of chance `p` each. 1 for hits ≥
/// trials.
double BinomialAtMost(int64_t hits, int64_t trials, double p);

/// Clopper and Pearson's bounds (1934), each by itself at this confidence: with `hits` of `trials`
/// seen, the chance of a hit is at most ChanceAtMost (at least ChanceAtLeast), wrongly said with a
/// chance of 1 − confidence or less. Without trials 1 (0).
double ChanceAtMost(int64_t hits, int64_t trials, double confidence);
double ChanceAtLeast(int64_t hits, int64_t trials, double confidence);

/// The fewest trials of which none must be a hit for ChanceAtMost to be `p`, above 0 and below 1,
/// or less.
int64_t TrialsFor(double p, double confidence);

}  // namespace fogline
