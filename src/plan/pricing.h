// What time, bytes and energy are worth under an objective: the one place where a scenario's units
// become prices.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "plan/envelope.h"
#include "plan/payload.h"
#include "profile/link.h"
#include "profile/machine.h"

namespace fogline {

/// What is minimised. Throughput is the period of a pipeline, the slowest stage's time; it is no
/// sum over layers, so it is searched over the listed cuts.
struct Objective {
  enum class Kind { kLatency, kCost, kEnergy, kThroughput, kWeighted };

  Kind kind = Kind::kLatency;
  double per_ms = 1;    // weight of a millisecond of latency
  double per_euro = 0;  // of a euro a device and month
  double per_mj = 0;    // of a millijoule of edge energy an image

  /// "ms", "euro a month", "mJ", or "points" for a weighted sum.
  std::string_view unit() const;
};

/// latency, cost, energy, throughput, or a weighted sum "latency=1,cost=200,energy=0.1".
Result<Objective> ParseObjective(std::string_view text);

/// How the fleet is used and billed.
struct Operation {
  double images_per_second = 1;           // a device, round the clock
  double lifetime_months = 12;            // over which a device's price is spread, as in the paper
  EuroPerKilowattHour electricity{0.20};  // the paper's figure for Belgian companies in 2020
  double cloud_load = 0;  // share of the cloud's time already taken: stretches its stages
  double fill = 0.95;     // share of an instance that may be used, as in the paper
  bool ignore_credits = false;
  Side deliver = Side::kCloud;  // where results are wanted
  bool two_way = false;         // tensors may come back down

  double images_per_month() const { return images_per_second * 3600 * kHoursPerMonth; }
};

/// Prices of one scenario. Bandwidth enters through x = 1 / (uplink in Mbit/s).
class Pricing {
 public:
  Pricing(const Objective& objective, const Operation& operation, const Machine& edge,
          const Machine& cloud, const LinkProfile& link);

  const Objective& objective() const { return objective_; }
  const Operation& operation() const { return operation_; }
  const LinkProfile& link() const { return link_; }
  /// x of the link as given, loss included.
  double x() const { return 1 / link_.EffectiveRate(link_.up).value(); }

  /// Of compute or coding time on either side, as profiled (load not yet applied).
  Price Edge(Milliseconds busy) const;
  Price Cloud(Milliseconds busy) const;
  /// Of a payload's bytes on their way up; its headers are in Crossing().
  PriceLine Up(Bytes payload) const;
  /// Of a whole message on its way down, headers included.
  Price Down(Bytes payload) const;
  /// Of using the link at all: its delay, and the headers of one message.
  PriceLine Crossing() const;

  /// The queueing that a loaded cloud adds: its stages take 1 / (1 − load) as long.
  Milliseconds Loaded(Milliseconds busy) const;
  Milliseconds UpTime(Bytes bytes) const;
  Milliseconds DownTime(Bytes bytes) const;
  /// The fixed part of an uplink and a downlink crossing.
  Milliseconds UpDelay() const { return link_.rtt / 2; }
  Milliseconds DownDelay() const;

  Millijoules EdgeEnergy(Milliseconds busy) const;
  Millijoules RadioEnergy(Bytes up, Bytes down) const;
  /// Euro a device and month, the device itself and its idle power included.
  Euro PerMonth(Milliseconds edge_busy, Milliseconds cloud_busy, Bytes up, Bytes down) const;
  /// What PerMonth grows by for one more of x: the radio is on for longer. Nothing when `up` is 0.
  double EuroPerX(Bytes up) const;

 private:
  Price Weigh(Milliseconds time, Euro month, Millijoules energy) const;
  Euro ElectricityPerMonth(Millijoules per_image) const;
  Euro CloudPerMonth(Milliseconds busy) const;

  Objective objective_;
  Operation operation_;
  Machine edge_, cloud_;
  LinkProfile link_;
};

}  // namespace fogline
