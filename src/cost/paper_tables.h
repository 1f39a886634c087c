// Section 5.2 of Leroy & Goedemé 2021 as a calculation: tables 3 to 6 from their constants, every
// cell beside the printed one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fogline {

/// What the paper's tables are made of; scenarios/paper.toml holds it.
struct PaperConstants {
  struct Device {
    std::string key, title;
    double euro = 0, watts = 0;      // purchase; worst-case power
    std::vector<double> latency_ms;  // by mechanism, for figure 10
  };
  struct Mechanism {
    std::string key, title;
    double users_per_instance = 0;  // measured by the authors at `cpu_load`
  };
  std::string where;
  double euro_per_kwh = 0;
  double hour_step_euro = 0;  // the paper rounds an hour's electricity to this before going on
  double hours_per_month = 0;
  double devices = 0;
  double hardware_months = 0;
  double cpu_load = 0;
  double cpu_baseline = 0;  // share of a core that the instance's credits sustain
  double instance_euro_per_month = 0;
  std::string latency_source;
  std::vector<Device> device_kinds;
  std::vector<Mechanism> mechanisms;
};

/// How a computed number stands to the printed one.
enum class CellMatch {
  kRounded,    // rounds to it
  kTruncated,  // equals it when cut off instead of rounded
  kDiffers,
};

struct PaperCell {
  double value = 0;     // with the paper's own intermediate rounding
  double exact = 0;     // without
  std::string printed;  // as it stands in the paper, without the euro sign
  CellMatch match = CellMatch::kDiffers;
};

/// A table by rows; a cell that the paper leaves empty is absent.
struct PaperTable {
  struct Column {
    std::string key, title;
  };
  struct Row {
    std::string key, title;
    std::vector<std::optional<PaperCell>> cells;  // by column
  };
  std::string key, title;
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// A dot of figure 10.
struct PaperDot {
  std::string device, mechanism;
  double latency_ms = 0, euro_per_user_month = 0;
};

struct PaperTables {
  std::vector<PaperTable> tables;        // 3, 4, 5, 6
  std::vector<PaperDot> figure10;        // empty without latencies
  std::vector<std::string> differences;  // sentences
};

/// Whether a scenario's text is a reproduction of the paper (has a table [paper]).
bool IsPaperScenario(std::string_view toml);

/// Reads scenarios/paper.toml's [paper]. kInvalid names the key that is missing or wrong.
Result<PaperConstants> ParsePaperConstants(std::string_view toml, const std::string& where);

/// Computes the tables and holds each cell against [printed] of the same text.
///   energy/hour  = kW · €/kWh                        instances = ⌈devices / users per instance⌉
///   energy/month = round(energy/hour) · hours         cloud     = instances · €/instance-month
///   fleet/month  = devices · (purchase / months + energy/month) + cloud
Result<PaperTables> MakePaperTables(const PaperConstants& constants, std::string_view toml);

/// Compares a number with a printed decimal, at the printed number of decimals.
CellMatch Compare(double value, std::string_view printed);

}  // namespace fogline
