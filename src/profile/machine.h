// A machine that can run layers: an edge device or a cloud instance, from a TOML file of the
// library or of the user.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace fogline {

/// What a layer costs a machine to run, by sort of work. The same features, in the same units, as
/// profiles/fit/networks.py.
struct LayerFeatures {
  enum Index { kWinograd, kDense, kPointwise, kDepthwise, kWeights, kMemory, kLayers, kCount };

  std::array<double, kCount> amounts{};  // 10^9 MAdds (four sorts), 10^6 bytes (two), layers
  bool integers = false;  // computes in 8 bits; the amounts are of the same layer in float32
};

/// Names of the features as they stand in the TOML files.
std::string_view FeatureName(LayerFeatures::Index index);

struct FitError {
  int networks = 0;
  // Relative; each network predicted by a fit to the others.
  double left_out_median = 0;
  double left_out_p90 = 0;
};

/// What a layer in 8-bit integers takes of its time in float, by feature
/// (profiles/fit/integers.py).
struct IntegerFactors {
  std::array<double, LayerFeatures::kCount> of_float{};
  FitError error;  // of whole networks' ratios
  std::string source;
};

/// Time as a non-negative sum over features.
struct ComputeModel {
  std::array<double, LayerFeatures::kCount> ms_per_unit{};
  std::optional<IntegerFactors> integers;  // absent: unknown
  int threads = 1;                         // that one image runs on
  double relative_speed = 1;  // one thread against the thread that codecs were timed on
  std::string engine, source;

  /// Layers in integers as float ones where nothing is known of them.
  Milliseconds TimeOf(const LayerFeatures& layer) const;
};

struct Power {
  Watts idle, busy;
  std::string source;
};

/// What a rented machine costs. A burstable one includes `baseline` of each vCPU in its price.
struct Rent {
  EuroPerHour price;
  int vcpus = 1;
  double baseline = 1;
  EuroPerHour surplus;  // per vCPU beyond the baseline; 0: none to be had, it throttles
  std::string source;
};

struct Machine {
  std::string name, title;
  std::string where;  // file it was read from, for messages
  double memory_gb = 0;
  ComputeModel compute;
  std::optional<FitError> fit;
  std::optional<Power> power;
  std::optional<Euro> purchase;
  std::string purchase_source;
  std::optional<Rent> rent;
};

/// Reads the TOML text of a machine. kInvalid names the key at fault: one that is missing, negative
/// or of the wrong type.
Result<Machine> ParseMachine(std::string_view toml, const std::string& where);

/// Euro for keeping one vCPU busy for an hour, at most `load` of the machine in use. A burstable
/// instance either pays for what goes beyond its baseline or stays within it, whichever is cheaper;
/// with `ignore_credits` it is billed as if it could run flat out, as the paper does.
EuroPerHour PriceOfBusyVcpu(const Rent& rent, double load, bool ignore_credits = false);

}  // namespace fogline
