#include "profile/machine.h"

#include <algorithm>

#include "base/toml_reader.h"

namespace fogline {
namespace {

constexpr std::array<std::string_view, LayerFeatures::kCount> kFeatureNames{
    "winograd", "dense", "pointwise", "depthwise", "weights", "memory", "layers"};

Result<ComputeModel> ReadCompute(const Toml& table, const std::string& where) {
  const TomlReader reader(table, where, "compute.");
  ComputeModel compute;
  double sum = 0;
  for (size_t f = 0; f < kFeatureNames.size(); ++f) {
    FOGLINE_TRY(compute.ms_per_unit[f], reader.Number(kFeatureNames[f], 0));
    sum += compute.ms_per_unit[f];
  }
  if (sum <= 0) return Fail(ErrorCode::kInvalid, where, "[compute] runs everything in no time");
  FOGLINE_TRY(const double threads, reader.NumberOr("threads", 1, 1));
  compute.threads = static_cast<int>(threads);
  FOGLINE_TRY(compute.relative_speed, reader.NumberOr("relative_speed", 1e-4, 1));
  FOGLINE_TRY(compute.engine, reader.Text("engine"));
  FOGLINE_TRY(compute.source, reader.Text("source"));
  return compute;
}

Result<FitError> ReadFitError(const TomlReader& reader) {
  FOGLINE_TRY(const double networks, reader.Number("networks", 1));
  FOGLINE_TRY(const double error, reader.Number("left_out_median_error", 0));
  FOGLINE_TRY(const double p90, reader.NumberOr("left_out_p90_error", 0, error));
  return FitError{static_cast<int>(networks), error, p90};
}

Result<IntegerFactors> ReadIntegers(const Toml& table, const std::string& where) {
  const TomlReader reader(table, where, "integers.");
  IntegerFactors factors;
  for (size_t f = 0; f < kFeatureNames.size(); ++f) {
    FOGLINE_TRY(factors.of_float[f], reader.Number(kFeatureNames[f], 0));
  }
  FOGLINE_TRY(factors.error, ReadFitError(reader));
  FOGLINE_TRY(factors.source, reader.Text("source"));
  return factors;
}

Result<Power> ReadPower(const Toml& table, const std::string& where) {
  const TomlReader reader(table, where, "power.");
  Power power;
  FOGLINE_TRY(const double busy, reader.Number("busy_w", 0));
  FOGLINE_TRY(const double idle, reader.NumberOr("idle_w", 0, 0));
  if (idle > busy) return Fail(ErrorCode::kInvalid, where, "draws more idle than busy");
  power.busy = Watts(busy);
  power.idle = Watts(idle);
  FOGLINE_TRY(power.source, reader.Text("source"));
  return power;
}

Result<Rent> ReadRent(const Toml& table, const std::string& where) {
  const TomlReader reader(table, where, "rent.");
  Rent rent;
  FOGLINE_TRY(const double price, reader.Number("euro_per_hour", 0));
  FOGLINE_TRY(const double vcpus, reader.Number("vcpus", 1));
  FOGLINE_TRY(rent.baseline, reader.NumberOr("baseline", 0.01, 1));
  FOGLINE_TRY(const double surplus, reader.NumberOr("surplus_euro_per_vcpu_hour", 0, 0));
  if (rent.baseline > 1) {
    return Fail(ErrorCode::kInvalid, where, "'rent.baseline' is a share, at most 1");
  }
  rent.price = EuroPerHour(price);
  rent.vcpus = static_cast<int>(vcpus);
  rent.surplus = EuroPerHour(surplus);
  FOGLINE_TRY(rent.source, reader.Text("source"));
  return rent;
}

}  // namespace

std::string_view FeatureName(LayerFeatures::Index index) { return kFeatureNames.at(index); }

Milliseconds ComputeModel::TimeOf(const LayerFeatures& layer) const {
  double ms = 0;
  for (size_t f = 0; f < ms_per_unit.size(); ++f) {
    const double factor = layer.integers && integers ? integers->of_float[f] : 1;
    ms += ms_per_unit[f] * layer.amounts[f] * factor;
  }
  return Milliseconds(ms);
}

Result<Machine> ParseMachine(std::string_view toml, const std::string& where) {
  FOGLINE_TRY(const Toml table, Toml::Parse(toml, where));
  const TomlReader reader(table, where);
  Machine machine;
  machine.where = where;
  FOGLINE_TRY(machine.name, reader.Text("name"));
  if (machine.name.empty()) return Fail(ErrorCode::kInvalid, where, "lacks the text 'name'");
  FOGLINE_TRY(machine.title, reader.Text("title"));
  FOGLINE_TRY(machine.memory_gb, reader.NumberOr("memory_gb", 0, 0));
  const Toml* compute = reader.Table("compute");
  if (compute == nullptr) return Fail(ErrorCode::kInvalid, where, "lacks the table [compute]");
  FOGLINE_TRY(machine.compute, ReadCompute(*compute, where));
  if (const Toml* fit = reader.Table("fit")) {
    FOGLINE_TRY(machine.fit, ReadFitError(TomlReader(*fit, where, "fit.")));
  }
  if (const Toml* integers = reader.Table("integers")) {
    FOGLINE_TRY(machine.compute.integers, ReadIntegers(*integers, where));
  }
  if (const Toml* power = reader.Table("power")) {
    FOGLINE_TRY(machine.power, ReadPower(*power, where));
  }
  if (const Toml* price = reader.Table("price")) {
    const TomlReader of_price(*price, where, "price.");
    FOGLINE_TRY(const double euro, of_price.Number("euro", 0));
    machine.purchase = Euro(euro);
    FOGLINE_TRY(machine.purchase_source, of_price.Text("source"));
  }
  if (const Toml* rent = reader.Table("rent")) {
    FOGLINE_TRY(machine.rent, ReadRent(*rent, where));
  }
  return machine;
}

EuroPerHour PriceOfBusyVcpu(const Rent& rent, double load, bool ignore_credits) {
  const double vcpus = rent.vcpus;
  const EuroPerHour flat = rent.price / (vcpus * load);
  if (ignore_credits || rent.baseline >= load) return flat;
  const EuroPerHour within = rent.price / (vcpus * rent.baseline);
  if (rent.surplus <= EuroPerHour(0)) return within;
  const EuroPerHour beyond = flat + rent.surplus * ((load - rent.baseline) / load);
  return std::min(within, beyond);
}

}  // namespace fogline
