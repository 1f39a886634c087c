#include "lab/made_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

namespace fogline {
namespace {

constexpr double kStepMs = 100;  // of a rate that changes
constexpr int kPictures = 1200;

struct Access {
  double mbps, round_trip_ms;
};
constexpr std::array<Access, 5> kAccess{{{40, 8}, {8, 45}, {1.5, 110}, {0.3, 150}, {0.1, 250}}};

/// The library's distributions differ from one to another: these do not.
class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed * 2654435761U + 1) {}

  double Share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  /// Between two bounds, each factor as likely as any other.
  double Between(double least, double most) { return least * std::pow(most / least, Share()); }
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Share()));
    return radius * std::cos(2 * std::numbers::pi * Share());
  }
  double Exponential(double mean) { return -mean * std::log(1 - Share()); }
  bool Coin() { return Share() < 0.5; }
  size_t Below(size_t n) { return static_cast<size_t>(Share() * static_cast<double>(n)); }

 private:
  std::mt19937_64 random_;
};

/// Rates as a trace's text.
class Rates {
 public:
  void Add(double ms, double mbps) {
    text_ += fmt::format("{:.4f} {:.6f}\n", at_ms_ / 1000, mbps);
    at_ms_ += ms;
  }
  double at_ms() const { return at_ms_; }
  Trace Take() {
    Add(0, 0);
    return *Trace::Parse(text_, "a made line");
  }

 private:
  std::string text_;
  double at_ms_ = 0;
};

Trace Bursts(Chance& chance, double length_ms) {
  const double mbps = chance.Between(0.2, 20);
  const double packet_ms = 1500 * 8 / (mbps * 1000);
  const double gap = std::min(150.0, chance.Between(1, 40) * packet_ms);
  std::string text;
  double at = 0;
  while (at < length_ms) {
    at += 1 + chance.Exponential(gap);
    const double packets = std::max(1.0, std::round(2 * gap / packet_ms * chance.Share()));
    for (int i = 0; i < static_cast<int>(packets); ++i) text += fmt::format("{:.0f}\n", at);
  }
  return *Trace::Parse(text, "a made line");
}

Trace Fading(Chance& chance, double length_ms, double length_of_fade) {
  Rates rates;
  const double middle = chance.Between(0.1, 20), spread = 0.3 + 0.9 * chance.Share();
  const double stays = std::exp(-kStepMs / length_of_fade);
  double level = chance.Normal();
  while (rates.at_ms() < length_ms) {
    level = stays * level + std::sqrt(1 - stays * stays) * chance.Normal();
    rates.Add(kStepMs, middle * std::exp(spread * level));
  }
  return rates.Take();
}

Trace Independent(Chance& chance, double length_ms) {
  Rates rates;
  const double middle = chance.Between(0.1, 30), spread = 0.2 + chance.Share();
  const double cell = chance.Between(20, 1000);
  while (rates.at_ms() < length_ms) {
    rates.Add(cell, middle * std::exp(spread * chance.Normal()));
  }
  return rates.Take();
}

Trace Alternating(Chance& chance, double length_ms, double period_ms) {
  Rates rates;
  const double one = chance.Between(0.1, 20), other = chance.Between(0.1, 20);
  const double turn = std::floor(chance.Between(1, 60)) * period_ms;
  for (bool first = true; rates.at_ms() < length_ms; first = !first) {
    rates.Add(turn, first ? one : other);
  }
  return rates.Take();
}

Trace Interrupted(Chance& chance, double length_ms, double period_ms) {
  Rates rates;
  const double middle = chance.Between(0.2, 20);
  while (rates.at_ms() < length_ms) {
    const double until = rates.at_ms() + period_ms * chance.Between(50, 400);
    while (rates.at_ms() < until) rates.Add(kStepMs, middle * std::exp(0.4 * chance.Normal()));
    rates.Add(chance.Between(2000, 30000), 0);
  }
  return rates.Take();
}

Trace ByRegimes(Chance& chance, double length_ms, AdaptWorld& world) {
  Rates rates;
  world.regimes.clear();
  while (rates.at_ms() < length_ms) {
    const Access& access = kAccess[chance.Below(kAccess.size())];
    world.regimes.push_back({rates.at_ms(), access.round_trip_ms, 1});
    const double until = rates.at_ms() + world.period_ms * chance.Between(20, 400);
    while (rates.at_ms() < until) {
      rates.Add(kStepMs, access.mbps * std::exp(0.3 * chance.Normal()));
    }
  }
  return rates.Take();
}

Trace Constant(double mbps, double length_ms) {
  Rates rates;
  rates.Add(length_ms, mbps);
  return rates.Take();
}

void LoadCloud(Chance& chance, double length_ms, AdaptWorld& world) {
  const double round_trip = world.regimes.front().round_trip_ms;
  world.regimes.clear();
  double at = 0;
  while (at < length_ms) {
    world.regimes.push_back({at, round_trip, chance.Coin() ? 1 : chance.Between(1, 20)});
    at += world.period_ms * chance.Between(20, 400);
  }
}

Trace MakeUplink(MadeLine kind, Chance& chance, double length_ms, AdaptWorld& world) {
  switch (kind) {
    case MadeLine::kConstant:
      return Constant(chance.Between(0.05, 50), length_ms);
    case MadeLine::kIndependent:
      return Independent(chance, length_ms);
    case MadeLine::kDrifting:
      return Fading(chance, length_ms, chance.Between(500, 60000));
    case MadeLine::kRegimes:
      return ByRegimes(chance, length_ms, world);
    case MadeLine::kAlternating:
      return Alternating(chance, length_ms, world.period_ms);
    case MadeLine::kBursts:
      return Bursts(chance, length_ms);
    case MadeLine::kLoaded:
      LoadCloud(chance, length_ms, world);
      return Constant(chance.Between(0.5, 30), length_ms);
    case MadeLine::kOutages:
      break;
  }
  return Interrupted(chance, length_ms, world.period_ms);
}

}  // namespace

std::span<const MadeLine> MadeLines() {
  static constexpr std::array kAll{MadeLine::kConstant, MadeLine::kIndependent, MadeLine::kDrifting,
                                   MadeLine::kRegimes,  MadeLine::kAlternating, MadeLine::kBursts,
                                   MadeLine::kLoaded,   MadeLine::kOutages};
  return kAll;
}

const char* NameOf(MadeLine kind) {
  static constexpr std::array kNames{"constant",    "independent", "drifting", "regimes",
                                     "alternating", "bursts",      "loaded",   "outages"};
  return kNames[static_cast<size_t>(kind)];
}

AdaptWorld MakeLine(MadeLine kind, uint64_t seed) {
  Chance chance(seed * 8 + static_cast<uint64_t>(kind));
  const double period = chance.Share() < 0.7 ? 500 : chance.Between(400, 2000);
  const double round_trip = chance.Between(5, 200);
  AdaptWorld world{NameOf(kind), Constant(1, 1000), {{0, round_trip, 1}}, 0, period, kPictures,
                   seed};
  if (chance.Coin()) world.jitter_ms = 0.3 * round_trip * chance.Share();
  world.uplink = MakeUplink(kind, chance, 1.2 * kPictures * period, world);
  return world;
}

AdaptWorld MakeJourney(int pictures) {
  Rates rates;
  AdaptWorld world{"journey", Constant(1, 1000), {}, 0, 500, 4 * pictures, 1};
  Chance chance(7);
  constexpr double kOutageMs = 10000;
  const double stage_ms = pictures * world.period_ms;
  for (const size_t stage : {0, 1, 2, 0}) {
    const Access& access = kAccess[stage];
    world.regimes.push_back({rates.at_ms(), access.round_trip_ms, 1});
    double until = rates.at_ms() + stage_ms;
    if (world.regimes.size() == 3) until -= kOutageMs;
    while (rates.at_ms() < until - kStepMs / 2) {
      rates.Add(kStepMs, access.mbps * std::exp(0.3 * chance.Normal()));
    }
    if (world.regimes.size() == 3) rates.Add(kOutageMs, 0);
  }
  world.uplink = rates.Take();
  return world;
}

}  // namespace fogline
