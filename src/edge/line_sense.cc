#include "edge/line_sense.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fogline {
namespace {

/// No line's delay is below such a share of the least time; what a longer memory found of it may
/// have changed by so much.
constexpr double kLeastDelay = 0.3, kDelayVaries = 0.05;
constexpr size_t kLate = 100;  // frames that the least time is of
/// What a byte costs varies from frame to frame by so much of itself.
constexpr double kVaries = 0.5;
/// A time beyond so many times the expected one, and beyond the margin, is not believed further: a
/// stall of ten seconds is not ten seconds for every frame to come. Whoever judges choices looks
/// further, since a choice is to blame for what a stall did to it.
constexpr double kBeyond = 3, kBeyondJudge = 20, kBeyondMs = 100;
/// A change is where times are so many deviations off, and off by such factors, twice in a row.
constexpr double kOddDeviations = 2.5, kOddFast = 0.6, kOddSlow = 2.5;
constexpr int kOddFrames = 2, kAlarm = 10;
constexpr double kKept = 0.05;       // of what the short memories hold, after a change
constexpr double kForgetful = 100;   // frames; longer memories keep what they have
constexpr double kGain = 0.05;       // of variances
constexpr double kWarm = 12;         // frames until what varies is known well enough to cut
constexpr double kMostVariance = 8;  // times the known one, of a single frame

constexpr double kUnsettled = 15;  // frames after a change

double Square(double a) { return a * a; }

bool Forgets(size_t memory) { return LineSense::kMemories[memory] < kForgetful; }

}  // namespace

double LineSense::jitter_ms() const { return std::sqrt(Square(Quantum()) + jitter_); }

/// How much a frame says about the line, against one whose time varies by the jitter alone.
double LineSense::Weight(double bytes, double ms_per_byte) const {
  return 1 / (1 + Square(kVaries * bytes * ms_per_byte / jitter_ms()));
}

double LineSense::Cut(const Met& met, double beyond) const {
  if (!known()) return met.network_ms;
  const double expected = fits_[0].At(met.bytes);
  return std::min(met.network_ms, std::max(beyond * expected, expected + kBeyondMs));
}

/// Wi-Fi became 3G, or the other way round: what short memories hold is of another line.
void LineSense::LookForChange(double bytes, double ms) {
  if (alarm_ > 0) --alarm_;
  if (!known()) return;
  const double expected = fits_[1].At(bytes);
  const double off = Weight(bytes, fits_[1].ms_per_byte()) * Square(ms - expected) / variance_;
  const bool odd =
      off > Square(kOddDeviations) && (ms < kOddFast * expected || ms > kOddSlow * expected);
  if (!odd) {
    odd_ = 0;
  } else {
    odd_ = ms < expected ? std::min(odd_, 0) - 1 : std::max(odd_, 0) + 1;
  }
  if (std::abs(odd_) < kOddFrames) return;
  if (odd_ < 0) alarm_ = kAlarm;
  odd_ = 0;
  since_change_ = 0;
  for (size_t m = 0; m < kCount; ++m) {
    if (Forgets(m)) fits_[m].Fade(kKept);
  }
}

void LineSense::LearnJitter(double bytes, double ms, double weight) {
  const double off = Square(ms - fits_[1].At(bytes));
  const double gain = std::max(kGain, 1 / heard_);
  const bool warm = heard_ >= kWarm;
  const double seen = weight * off;
  variance_ += gain * ((warm ? std::min(seen, kMostVariance * variance_) : seen) - variance_);
  variance_ = std::max(variance_, Square(Quantum()));
  const double rate = std::min(fits_[1].ms_per_byte(), fits_.back().ms_per_byte());
  const double rest = off - Square(kVaries * bytes * rate);
  const double most = kMostVariance * (jitter_ + Square(Quantum()));
  jitter_ = std::max(0.0, jitter_ + gain * ((warm ? std::min(rest, most) : rest) - jitter_));
}

LineSense::Lesson LineSense::Hear(const Met& met) {
  const double ms = Cut(met, kBeyond);
  LookForChange(met.bytes, ms);
  late_.push_back(ms);
  if (late_.size() > kLate) late_.pop_front();
  least_ = *std::ranges::min_element(late_);

  const double slow = std::max(fits_.back().ms_per_byte(), 1e-6);
  const double weight = Weight(met.bytes, slow);
  const LineFit& middle = fits_[kCount / 2];
  const double delay = std::max(least_, std::min(middle.delay_ms(), ms));
  Lesson lesson{ms, 0, 1 - weight, met.stretch};
  lesson.ms_per_byte = lesson.weight * std::max(0.0, Cut(met, kBeyondJudge) - delay) / met.bytes +
                       (1 - lesson.weight) * middle.ms_per_byte();

  ++heard_;
  ++since_change_;
  LearnJitter(met.bytes, ms, weight);
  for (size_t m = 0; m < kCount; ++m) {
    fits_[m].Add(met.bytes, ms, weight);
    Load& load = loads_[m];
    for (double* sum : {&load.sum, &load.weight, &load.frames}) *sum *= 1 - 1 / kMemories[m];
    if (!met.stretch) continue;
    load.sum += met.cloud_ms * *met.stretch;
    load.weight += met.cloud_ms;
    load.frames += 1;
    load.stretch = load.sum / load.weight;
  }
  // Of the delay the longest memory believes anything up to what frames took; each shorter one
  // what the next longer one found.
  const double mean = fits_.back().mean_ms();
  LineFit::Belief belief{mean / 2, Square(mean / 2)};
  for (size_t m = kCount; m-- > 0;) {
    // What is of before a change says nothing of the delay after it.
    if (since_change_ < kUnsettled && m + 1 < kCount && Forgets(m) && !Forgets(m + 1)) {
      const double now = fits_[m].mean_ms();
      belief = {now / 2, Square(now / 2)};
    }
    fits_[m].Fit(belief, variance_, kLeastDelay * least_);
    belief.delay_ms = std::min(fits_[m].delay_ms(), fits_[m].mean_ms());
    belief.variance =
        Square(kDelayVaries * belief.delay_ms + Quantum()) + fits_[m].delay_variance();
  }
  return lesson;
}

}  // namespace fogline
