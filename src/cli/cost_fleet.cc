#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/cost_show.h"
#include "report/page.h"
#include "report/xy_chart.h"

namespace fogline::cli {
namespace {

/// "21 352 951": a narrow space before every third digit.
std::string Whole(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t at = digits.size(); at > 3 + (value < 0);) digits.insert(at -= 3, "\u202f");
  return digits;
}

std::string Euros(double value) {
  if (value >= 1e4) return Whole(value);
  return fmt::format("{:.{}f}", value, value >= 1000 ? 0 : value >= 100 ? 1 : 3);
}

std::string Title(const FleetOption& o) { return o.name + " on " + o.edge.name; }

Table Groups(const FleetView& view) {
  Table table({{"group", false, true},
               {"runs", false, true},
               {"devices", true},
               {"hardware", true},
               {"energy", true},
               {"data", true},
               {"cloud", true},
               {"broker", true},
               {"storage", true},
               {"€/device/month", true},
               {"90 % band", true}});
  for (size_t g = 0; g < view.plan.choice.size(); ++g) {
    const FleetGroup& group = view.fleet.groups[g];
    const Bill& b = view.plan.bills[g];
    table.Add({group.name, Title(group.options[view.plan.choice[g]]), Whole(group.devices),
               Euros(b.hardware), Euros(b.energy), Euros(b.data), Euros(b.cloud), Euros(b.broker),
               Euros(b.storage), Euros(b.total()), Euros(b.low) + "–" + Euros(b.high)});
  }
  return table;
}

/// The options of a group that are worth a row: the chosen one, and on each device the cheapest of
/// each kind (all of those without a kind), each with a pool of its own.
std::vector<std::pair<size_t, Bill>> Shown(const FleetView& view, size_t g) {
  const FleetGroup& group = view.fleet.groups[g];
  std::map<std::string, double> least;
  const auto key = [](const FleetOption& o) { return o.edge.name + "\n" + o.kind; };
  const auto euro = [](const Bill& b) { return std::isfinite(b.total()) ? b.total() : HUGE_VAL; };
  std::vector<Bill> bills;
  for (const FleetOption& o : group.options) {
    bills.push_back(BillAlone(view.fleet, group, o));
    auto [at, first] = least.try_emplace(key(o), euro(bills.back()));
    at->second = std::min(at->second, euro(bills.back()));
  }
  std::vector<std::pair<size_t, Bill>> shown;
  for (size_t i = 0; i < bills.size(); ++i) {
    const FleetOption& o = group.options[i];
    if (o.kind.empty() || i == view.plan.choice[g]) {
      shown.emplace_back(i, bills[i]);
    } else if (double& most = least[key(o)]; euro(bills[i]) <= most) {
      shown.emplace_back(i, bills[i]);
      most = -1;  // one of them
    }
  }
  return shown;
}

Table Options(const FleetView& view) {
  Table table({{"group", false, true},
               {"option", false, true},
               {"ms", true},
               {"sustains/s", true},
               {"users/instance", true},
               {"data", true},
               {"cloud", true},
               {"€/device/month", true}});
  for (size_t g = 0; g < view.fleet.groups.size(); ++g) {
    const FleetGroup& group = view.fleet.groups[g];
    for (const auto& [i, b] : Shown(view, g)) {
      const FleetOption& o = group.options[i];
      table.Add({group.name, Title(o), fmt::format("{:.1f}", ServiceLatencyMs(group, o)),
                 fmt::format("{:.3g}", SustainedRate(group, o)),
                 fmt::format("{:.0f}", UsersPerInstance(view.fleet, group, o)), Euros(b.data),
                 Euros(b.cloud), Euros(b.total())},
                i == view.plan.choice[g] ? Table::Weight::kStrong : Table::Weight::kNormal);
    }
  }
  return table;
}

/// What the table of options is called: of a network's many it shows some.
std::string OptionsTitle(const FleetView& view) {
  for (const FleetGroup& group : view.fleet.groups) {
    if (std::ranges::any_of(group.options, [](const auto& o) { return !o.kind.empty(); })) {
      return "The cheapest options of each kind and device, each group with a pool of its own";
    }
  }
  return "Every option, each group with a pool of its own";
}

std::string InShort(const FleetView& view) {
  const FleetPlan& p = view.plan;
  std::string text = fmt::format(
      "{} devices: {} € a month, {} × {} ({:.1f} cores busy, 95 % wait less than {:.1f} ms",
      Whole(p.devices), Euros(p.euro_month), Whole(p.pool.instances), view.fleet.pool.name,
      p.pool.cores, p.pool.wait_p95_ms);
  text += p.pool.surplus_euro > 0
              ? fmt::format(", surplus credits {} €).\n", Euros(p.pool.surplus_euro))
              : ").\n";
  if (p.uniform.empty()) {
    text += "No single option is possible in every group.\n";
  } else {
    // Sums in another order may differ in the last digits: less than a cent is no saving.
    const double saved = p.uniform_euro_month - p.euro_month;
    text += fmt::format("Best uniform choice: {}, {} € a month; ", p.uniform,
                        Euros(p.uniform_euro_month));
    text += saved < 0.01 ? std::string("no mixture is cheaper.\n")
                         : fmt::format("the plan saves {} € ({:.1f} %).\n", Euros(saved),
                                       100 * saved / p.uniform_euro_month);
  }
  text +=
      fmt::format("{}; nothing, not even splitting groups, costs less than {} € ({:.3f} % less).\n",
                  p.exact ? "Exact: no other choice of one option a group is cheaper"
                          : "The search was cut short",
                  Euros(p.lower_bound), 100 * std::max(0.0, 1 - p.lower_bound / p.euro_month));
  return text;
}

Table Points(const Sweep& sweep) {
  std::vector<Table::Column> columns;
  for (const SweepAxis& a : sweep.axes) columns.push_back({a.key, true});
  columns.insert(columns.end(), {{"€/device/month", true}, {"instances", true}, {"runs"}});
  Table table(std::move(columns));
  for (const SweepPoint& p : sweep.points) {
    std::vector<Cell> cells;
    for (const double at : p.at) cells.emplace_back(fmt::format("{:.4g}", at), at);
    if (!p.feasible) {
      cells.insert(cells.end(), {"–", "–", "no plan"});
    } else {
      std::string runs;
      for (const std::string& c : p.choice) runs += (runs.empty() ? "" : "; ") + c;
      cells.insert(cells.end(), {Cell(Euros(p.euro_device_month), p.euro_device_month),
                                 Cell(fmt::format("{:.0f}", p.instances), p.instances), runs});
    }
    table.Add(std::move(cells));
  }
  return table;
}

}  // namespace

std::string FleetText(const FleetView& view, const TextStyle& style) {
  std::string out = view.fleet.title + "\n\n" + Groups(view).ToText(style) + "\n" + InShort(view) +
                    "\n" + OptionsTitle(view) + "\n\n" + Options(view).ToText(style);
  if (view.sweep) {
    out += "\nSweep\n\n" + Points(*view.sweep).ToText(style);
    for (const BreakEven& b : view.sweep->break_evens) out += "- " + b.text + "\n";
    if (view.sweep->break_evens.empty()) out += "- the choice does not change\n";
  }
  return out;
}

std::string FleetPage(const FleetView& view) {
  Page page(view.fleet.title, view.fleet.where);
  page.AddTiles({{"a month", Euros(view.plan.euro_month) + " €", "the whole fleet"},
                 {"a device", Euros(view.plan.euro_month / view.plan.devices) + " €", "a month"},
                 {"instances", Whole(view.plan.pool.instances), view.fleet.pool.name}});
  page.AddText(InShort(view));
  XYChart chart;
  chart.label = "Monthly cost per device over latency, by group";
  chart.x.title = "latency, ms";
  chart.y.title = "€ a device and month, logarithmic";
  chart.y.log = true;
  for (const FleetGroup& group : view.fleet.groups) {
    Series& s = chart.series.emplace_back();
    s.name = group.name;
    s.tone = SeriesTone(chart.series.size() - 1);
    s.style = Series::Style::kDots;
    for (const FleetOption& o : group.options) {
      const double ms = ServiceLatencyMs(group, o), euro = BillAlone(view.fleet, group, o).total();
      if (!std::isfinite(euro)) continue;
      s.points.push_back({ms, euro, fmt::format("{}\n{:.1f} ms · {:.3f} €", Title(o), ms, euro)});
    }
  }
  page.AddFigure("Cost over latency",
                 "The paper's figure 10 for this scenario: every option, each "
                 "group with a pool of its own.",
                 chart.Render());
  page.AddTable("The plan", "€ a device and month", Groups(view));
  page.AddTable("Options", OptionsTitle(view) + ". Chosen ones are strong.", Options(view));
  if (view.sweep) {
    page.AddTable("Sweep", "", Points(*view.sweep));
    for (const BreakEven& b : view.sweep->break_evens) page.AddText(b.text);
  }
  return page.Finish();
}

}  // namespace fogline::cli
