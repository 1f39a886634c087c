#include "cost/paper_tables.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "base/toml_reader.h"

namespace fogline {
namespace {

using Cells = std::vector<std::optional<PaperCell>>;

/// The printed texts of a row, from [printed.TABLE].
class Printed {
 public:
  Printed(const Toml& root, std::string where) : root_(root), where_(std::move(where)) {}

  Result<std::string> At(const std::string& table, const std::string& row, size_t column) const {
    const auto text = root_["printed"][table][row][column].text();
    if (!text) {
      return Fail(ErrorCode::kInvalid, where_, "lacks the text 'printed.{}.{}[{}]'", table, row,
                  column);
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size()) {
      return Fail(ErrorCode::kInvalid, where_, "'printed.{}.{}[{}]' is no decimal: {}", table, row,
                  column, Printable(*text));
    }
    return *text;
  }

  /// Adds a row of cells; `values` holds pairs of (with the paper's rounding, exact).
  Status Add(PaperTable& table, const std::string& key, const std::string& title,
             const std::vector<std::pair<double, double>>& values, size_t first_column) const {
    PaperTable::Row row{key, title, Cells(table.columns.size())};
    for (size_t i = 0; i < values.size(); ++i) {
      PaperCell cell{values[i].first, values[i].second, {}, CellMatch::kDiffers};
      FOGLINE_TRY(cell.printed, At(table.key, key, i));
      cell.match = Compare(cell.value, cell.printed);
      row.cells[first_column + i] = std::move(cell);
    }
    table.rows.push_back(std::move(row));
    return {};
  }

 private:
  const Toml& root_;
  std::string where_;
};

struct Energy {
  double hour, month;              // euro a device, the paper's way
  double exact_hour, exact_month;  // without its rounding
};

Energy EnergyOf(const PaperConstants& c, const PaperConstants::Device& device) {
  Energy e{};
  e.exact_hour = device.watts / 1000 * c.euro_per_kwh;
  e.hour = c.hour_step_euro > 0 ? std::round(e.exact_hour / c.hour_step_euro) * c.hour_step_euro
                                : e.exact_hour;
  e.month = e.hour * c.hours_per_month;
  e.exact_month = e.exact_hour * c.hours_per_month;
  return e;
}

double Instances(const PaperConstants& c, const PaperConstants::Mechanism& m) {
  return std::ceil(c.devices / m.users_per_instance);
}

Result<PaperTable> DeviceTable(const PaperConstants& c, const Printed& printed) {
  PaperTable table{"table3", "Table 3: costs of an edge device", {}, {}};
  std::vector<std::pair<double, double>> price, kw, hour, month;
  for (const auto& d : c.device_kinds) {
    table.columns.push_back({d.key, d.title});
    const Energy e = EnergyOf(c, d);
    price.emplace_back(d.euro, d.euro);
    kw.emplace_back(d.watts / 1000, d.watts / 1000);
    // The printed hour is the rounded one, so the comparison is with the exact figure.
    hour.emplace_back(e.exact_hour, e.exact_hour);
    month.emplace_back(e.month, e.exact_month);
  }
  FOGLINE_CHECK(printed.Add(table, "purchase_euro", "Purchase price, €", price, 0));
  FOGLINE_CHECK(printed.Add(table, "energy_kw", "Energy usage, kW", kw, 0));
  FOGLINE_CHECK(printed.Add(table, "energy_hour_euro", "Energy costs/hour, €", hour, 0));
  FOGLINE_CHECK(
      printed.Add(table, "energy_month_euro", "Energy costs/month per device, €", month, 0));
  return table;
}

Result<PaperTable> CloudTable(const PaperConstants& c, const Printed& printed) {
  PaperTable table{
      "table4", fmt::format("Table 4: cloud processing of {:.0f} users", c.devices), {}, {}};
  std::vector<std::pair<double, double>> users, instances, month, user;
  for (const auto& m : c.mechanisms) {
    table.columns.push_back({m.key, m.title});
    const double n = Instances(c, m), euro = n * c.instance_euro_per_month;
    users.emplace_back(m.users_per_instance, m.users_per_instance);
    instances.emplace_back(n, n);
    month.emplace_back(euro, euro);
    user.emplace_back(euro / c.devices, euro / c.devices);
  }
  FOGLINE_CHECK(printed.Add(table, "users_per_instance", "Users/instance", users, 0));
  FOGLINE_CHECK(printed.Add(table, "instances", "Instances total", instances, 0));
  FOGLINE_CHECK(printed.Add(table, "month_euro", "Total costs/month, €", month, 0));
  FOGLINE_CHECK(printed.Add(table, "user_month_euro", "Monthly costs/user, €", user, 0));
  return table;
}

Result<PaperTable> TotalTable(const PaperConstants& c, const PaperConstants::Device& device,
                              const std::string& key, const Printed& printed,
                              std::vector<PaperDot>& dots) {
  PaperTable table{key,
                   fmt::format("Table {}: total costs with a {}", key.back(), device.title),
                   {{"edge", "Edge devices"}},
                   {}};
  for (const auto& m : c.mechanisms) table.columns.push_back({m.key, m.title});
  const Energy e = EnergyOf(c, device);
  const double purchase = device.euro * c.devices, spread = purchase / c.hardware_months;
  const double energy = e.month * c.devices, exact_energy = e.exact_month * c.devices;
  FOGLINE_CHECK(
      printed.Add(table, "purchase_euro", "Total purchase price, €", {{purchase, purchase}}, 0));
  FOGLINE_CHECK(
      printed.Add(table, "purchase_month_euro", "Purchase per month, €", {{spread, spread}}, 0));
  FOGLINE_CHECK(printed.Add(table, "energy_month_euro", "Energy costs/month, €",
                            {{energy, exact_energy}}, 0));
  const double edge = spread + energy, exact_edge = spread + exact_energy;
  FOGLINE_CHECK(
      printed.Add(table, "edge_month_euro", "Total for edge device, €", {{edge, exact_edge}}, 0));
  std::vector<std::pair<double, double>> cloud, total, user;
  for (size_t i = 0; i < c.mechanisms.size(); ++i) {
    const double euro = Instances(c, c.mechanisms[i]) * c.instance_euro_per_month;
    cloud.emplace_back(euro, euro);
    total.emplace_back(edge + euro, exact_edge + euro);
    user.emplace_back((edge + euro) / c.devices, (exact_edge + euro) / c.devices);
    if (i < device.latency_ms.size()) {
      dots.push_back(
          {device.key, c.mechanisms[i].key, device.latency_ms[i], (edge + euro) / c.devices});
    }
  }
  FOGLINE_CHECK(printed.Add(table, "cloud_month_euro", "Cloud costs/month, €", cloud, 1));
  FOGLINE_CHECK(printed.Add(table, "total_month_euro", "Total cost per month, €", total, 1));
  FOGLINE_CHECK(printed.Add(table, "user_month_euro", "Total monthly cost per user, €", user, 1));
  return table;
}

std::vector<std::string> ListDifferences(const PaperConstants& c, const Toml& root,
                                         const std::vector<PaperTable>& tables) {
  std::vector<std::string> list;
  for (const PaperTable& table : tables) {
    for (const auto& row : table.rows) {
      for (size_t i = 0; i < row.cells.size(); ++i) {
        if (!row.cells[i]) continue;
        const PaperCell& cell = *row.cells[i];
        const std::string at =
            fmt::format("{}, {}, {}", table.key, row.title, table.columns[i].title);
        if (cell.match == CellMatch::kTruncated) {
          list.push_back(fmt::format("{}: printed {}, computed {:.6g}: cut off, not rounded", at,
                                     cell.printed, cell.value));
        } else if (cell.match == CellMatch::kDiffers) {
          list.push_back(
              fmt::format("{}: printed {}, computed {:.8g}", at, cell.printed, cell.value));
        }
        if (std::abs(cell.exact - cell.value) > 1e-9 * std::abs(cell.value)) {
          list.push_back(fmt::format(
              "{}: {:.8g} without the paper's rounding of an hour's electricity to {:g} €", at,
              cell.exact, c.hour_step_euro));
        }
      }
    }
  }
  const double printed_month = 0.01 * c.hours_per_month;
  list.push_back(fmt::format(
      "table4: its totals imply {:g} € an instance-month ({:.6f} € an hour over {:g} h); table 2 "
      "prints €.01 an hour, which would be {:.2f} €",
      c.instance_euro_per_month, c.instance_euro_per_month / c.hours_per_month, c.hours_per_month,
      printed_month));
  if (c.cpu_baseline > 0 && c.cpu_baseline < c.cpu_load) {
    list.push_back(fmt::format(
        "table4: {:.0f} % CPU cannot be sustained: the credits earn {:.0f} % of a core, so {:.1f} "
        "times as many instances (or surplus credits) would be needed",
        c.cpu_load * 100, c.cpu_baseline * 100, c.cpu_load / c.cpu_baseline));
  }
  for (const Toml& note : root["printed"]["notes"].list()) {
    if (const auto text = note.text()) list.push_back(*text);
  }
  return list;
}

}  // namespace

CellMatch Compare(double value, std::string_view printed) {
  const size_t dot = printed.find('.');
  const size_t decimals = dot == std::string_view::npos ? 0 : printed.size() - dot - 1;
  const double unit = std::pow(10, -static_cast<double>(decimals));
  double number = 0;
  std::from_chars(printed.data(), printed.data() + printed.size(), number);
  // A hair of tolerance: 7.527 · 500 is not exact in binary.
  const double hair = 1e-6 * unit + 1e-12 * std::abs(value);
  if (std::abs(value - number) <= unit / 2 + hair) return CellMatch::kRounded;
  if (value >= number - hair && value < number + unit) return CellMatch::kTruncated;
  return CellMatch::kDiffers;
}

bool IsPaperScenario(std::string_view text) {
  const auto root = Toml::Parse(text, "");
  return root && root->Has("paper");
}

Result<PaperConstants> ParsePaperConstants(std::string_view text, const std::string& where) {
  FOGLINE_TRY(const Toml root, Toml::Parse(text, where));
  static const std::string kTop[] = {"name", "title", "paper", "printed"};
  FOGLINE_CHECK(TomlReader(root, where).OnlyKeys(kTop));
  const Toml& paper = root["paper"];
  if (!paper.is_table()) return Fail(ErrorCode::kInvalid, where, "lacks the table [paper]");
  static const std::string kPaper[] = {
      "electricity_euro_per_kwh", "hour_step_euro", "hours_per_month", "devices",
      "hardware_months",          "cpu_load",       "cpu_baseline",    "instance_euro_per_month",
      "latency_source",           "device",         "mechanism"};
  const TomlReader reader(paper, where, "paper.");
  FOGLINE_CHECK(reader.OnlyKeys(kPaper));
  PaperConstants c;
  c.where = where;
  FOGLINE_TRY(c.euro_per_kwh, reader.Number("electricity_euro_per_kwh", 0));
  FOGLINE_TRY(c.hour_step_euro, reader.NumberOr("hour_step_euro", 0, 0));
  FOGLINE_TRY(c.hours_per_month, reader.NumberOr("hours_per_month", 1, 730));
  FOGLINE_TRY(c.devices, reader.Number("devices", 1));
  FOGLINE_TRY(c.hardware_months, reader.Number("hardware_months", 1e-3));
  FOGLINE_TRY(c.cpu_load, reader.Number("cpu_load", 1e-3));
  FOGLINE_TRY(c.cpu_baseline, reader.NumberOr("cpu_baseline", 0, 0));
  FOGLINE_TRY(c.instance_euro_per_month, reader.Number("instance_euro_per_month", 0));
  FOGLINE_TRY(c.latency_source, reader.Text("latency_source"));
  for (const Toml& one : paper["mechanism"].list()) {
    if (!one.is_table()) continue;
    const std::string prefix = fmt::format("paper.mechanism[{}].", c.mechanisms.size());
    static const std::string kKeys[] = {"key", "title", "users_per_instance"};
    const TomlReader each(one, where, prefix);
    FOGLINE_CHECK(each.OnlyKeys(kKeys));
    PaperConstants::Mechanism m;
    FOGLINE_TRY(m.key, each.Text("key"));
    FOGLINE_TRY(m.title, each.Text("title"));
    FOGLINE_TRY(m.users_per_instance, each.Number("users_per_instance", 1e-9));
    c.mechanisms.push_back(std::move(m));
  }
  for (const Toml& one : paper["device"].list()) {
    if (!one.is_table()) continue;
    const std::string prefix = fmt::format("paper.device[{}].", c.device_kinds.size());
    static const std::string kKeys[] = {"key", "title", "euro", "watts", "latency_ms"};
    const TomlReader each(one, where, prefix);
    FOGLINE_CHECK(each.OnlyKeys(kKeys));
    PaperConstants::Device d;
    FOGLINE_TRY(d.key, each.Text("key"));
    FOGLINE_TRY(d.title, each.Text("title"));
    FOGLINE_TRY(d.euro, each.Number("euro", 0));
    FOGLINE_TRY(d.watts, each.Number("watts", 0));
    for (const Toml& t : one["latency_ms"].list()) d.latency_ms.push_back(t.number().value_or(0));
    c.device_kinds.push_back(std::move(d));
  }
  if (c.device_kinds.size() != 2 || c.mechanisms.empty()) {
    return Fail(ErrorCode::kInvalid, where,
                "needs two [[paper.device]] (tables 5 and 6) and at least one [[paper.mechanism]]");
  }
  return c;
}

Result<PaperTables> MakePaperTables(const PaperConstants& c, std::string_view text) {
  FOGLINE_TRY(const Toml root, Toml::Parse(text, c.where));
  const Printed printed(root, c.where);
  PaperTables out;
  FOGLINE_TRY(PaperTable devices, DeviceTable(c, printed));
  FOGLINE_TRY(PaperTable cloud, CloudTable(c, printed));
  FOGLINE_TRY(PaperTable first, TotalTable(c, c.device_kinds[0], "table5", printed, out.figure10));
  FOGLINE_TRY(PaperTable second, TotalTable(c, c.device_kinds[1], "table6", printed, out.figure10));
  out.tables = {std::move(devices), std::move(cloud), std::move(first), std::move(second)};
  out.differences = ListDifferences(c, root, out.tables);
  return out;
}

}  // namespace fogline
