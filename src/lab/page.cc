#include "lab/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/text.h"
#include "lab/charts.h"
#include "lab/results.h"
#include "report/page.h"

namespace fogline {
namespace {

/// "Jetson Nano (paced)".
std::string Labelled(const SuiteMachine& machine) {
  return fmt::format("{} ({})", machine.title, NameOf(machine.evidence));
}

/// As a sentence begins.
std::string Capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

std::vector<const Bar*> BarsWhere(const LabResult& result,
                                  const std::function<bool(const Bar&)>& wanted) {
  std::vector<const Bar*> bars;
  for (const Bar& bar : result.bars) {
    if (wanted(bar)) bars.push_back(&bar);
  }
  return bars;
}

void AddTiles(const LabResult& result, Page& page) {
  if (result.bars.empty()) return;
  const auto bars_of = [&](bool real) {
    return BarsWhere(result, [&](const Bar& bar) {
      const SuiteExperiment& e = result.suite.experiments[bar.experiment];
      return (result.suite.devices[e.device].evidence != Evidence::kPaced) == real;
    });
  };
  const ForecastError all = ErrorOf(BarsWhere(result, [](const Bar&) { return true; }));
  const ForecastError real = ErrorOf(bars_of(true)), paced = ErrorOf(bars_of(false));
  const RegretFigures regret = RegretOf(result);
  std::string split;
  if (real.bars > 0) split += fmt::format("{} on {} real bars", Percent(real.median), real.bars);
  if (real.bars > 0 && paced.bars > 0) split += ", ";
  if (paced.bars > 0) split += fmt::format("{} on {} paced", Percent(paced.median), paced.bars);
  const size_t unfair = UnfairBars(result);
  page.AddTiles({{"Forecast error, median", Percent(all.median), split},
                 {"Forecast error, worst", fmt::format("{:.0f} %", all.worst * 100),
                  fmt::format("{} bars, mean {}", all.bars, Percent(all.mean))},
                 {"Regret, median", Percent(regret.median),
                  fmt::format("worst {}; {} plans", Percent(regret.worst), result.choices.size())},
                 {"Machine too busy for", fmt::format("{} bars", unfair),
                  unfair == 0 ? "no slow outliers in computing" : "marked below; measure again"}});
}

void AddReading(const LabResult& result, Page& page) {
  if (result.bars.empty()) return;
  page.AddText(fmt::format(
      "A bar stacks the typical (p50) stages of one run: its own broker, link, "
      "cloud and device, each a process, as in the field, without waits in queues (the paper's "
      "\"hypothetical total\"); the dashed outline is the true total. Figures are p50 of whole "
      "pictures, which lies a little above the stacked stages where the machine was unquiet. The "
      "line across it is what fogline plan had said, and {:.2f} ms that "
      "broker, frame and store add to every frame, measured beforehand without a link. A "
      "forecast begins with the picture at the network's size and ends with the answer "
      "of the store, so reading and resizing are added to its line and left out of its "
      "error.",
      result.pipeline_ms));
  const bool paced = std::ranges::any_of(result.bars, [&](const Bar& bar) {
    return result.suite.devices[result.suite.experiments[bar.experiment].device].evidence ==
           Evidence::kPaced;
  });
  if (paced) {
    page.AddText(
        "Real: this machine as it is. Limited: held to a share of a core. Paced: layers and codecs "
        "run for "
        "real and then wait until the library's machine would be done, so on paced bars the "
        "forecast's computing is right by construction; what they test is bytes, the link and what "
        "the "
        "pipeline adds. Only real bars test how well computing itself is foretold.");
  }
  for (const std::string& note : result.notes) page.AddText("Note: " + note + ".");
}

/// One figure of the paper, or one experiment of a suite of one's own: a view for each wire.
void AddExperiments(const LabResult& result, Page& page) {
  const auto& experiments = result.suite.experiments;
  std::vector<bool> shown(experiments.size(), false);
  for (size_t i = 0; i < experiments.size(); ++i) {
    if (shown[i]) continue;
    std::vector<Page::View> views;
    for (size_t j = i; j < experiments.size(); ++j) {
      const SuiteExperiment& e = experiments[j];
      if (j != i && (e.paper.empty() || e.paper != experiments[i].paper)) continue;
      shown[j] = true;
      for (const WireKind wire : e.wires) {
        const auto bars =
            BarsWhere(result, [&](const Bar& b) { return b.experiment == j && b.wire == wire; });
        if (bars.empty()) continue;
        const ForecastError error = ErrorOf(bars);
        const auto choice = std::ranges::find_if(result.choices, [&](const PlanChoice& c) {
          return c.experiment == j && c.wire == wire;
        });
        const Bar &best = result.bars[choice->best], &planned = result.bars[choice->planned];
        std::string verdict = fmt::format("Fastest: {}, {:.1f} ms.", best.cut, best.measured_ms);
        verdict += choice->best == choice->planned
                       ? " So the plan had said."
                       : fmt::format(" The plan had said {}, {:.1f} ms: {} more.", planned.cut,
                                     planned.measured_ms, Percent(choice->regret));
        views.push_back(
            {(e.view.empty() ? "" : e.view + ", ") +
                 (wire == WireKind::kJson ? "JSON" : "Fogline's codecs"),
             StageChart(bars, e.title),
             fmt::format("{} and {} over {} ({}), {} pictures a bar. {} Forecasts are off by {} "
                         "(median of the bars).",
                         Capital(Labelled(result.suite.devices[e.device])),
                         Labelled(result.suite.clouds[e.cloud]),
                         result.suite.links[e.link].profile.title, bars[0]->medium,
                         bars[0]->pictures, verdict, Percent(error.median))});
      }
    }
    if (!views.empty()) page.AddFigure(experiments[i].title, "", views);
  }
}

void AddChoices(const LabResult& result, Page& page) {
  if (result.choices.empty()) return;
  Table table({{"experiment", false, true},
               {"wire"},
               {"planned"},
               {"fastest measured"},
               {"planned, ms", true},
               {"fastest, ms", true},
               {"regret", true},
               {"forecast error", true}});
  for (const PlanChoice& c : result.choices) {
    const Bar& planned = result.bars[c.planned];
    const Bar& best = result.bars[c.best];
    const ForecastError error = ErrorOf(BarsWhere(
        result, [&](const Bar& b) { return b.experiment == c.experiment && b.wire == c.wire; }));
    table.Add({result.suite.experiments[c.experiment].key, std::string(NameOf(c.wire)), planned.cut,
               best.cut, Cell(fmt::format("{:.1f}", planned.measured_ms), planned.measured_ms),
               Cell(fmt::format("{:.1f}", best.measured_ms), best.measured_ms),
               Cell(Percent(c.regret), c.regret), Cell(Percent(error.median), error.median)});
  }
  page.AddTable("What the plan chose, and what was fastest",
                "Regret: how much longer the planned cut took than the fastest one measured. "
                "Forecast error: median "
                "of the experiment's bars.",
                table);
}

void AddAllBars(const LabResult& result, Page& page) {
  if (result.bars.empty()) return;
  Table table({{"experiment"},
               {"wire"},
               {"cut"},
               {"codec"},
               {"device"},
               {"bytes", true},
               {"measured, ms", true},
               {"forecast, ms", true},
               {"error", true},
               {"hypothetical", true},
               {"true total", true},
               {"spread", true}});
  for (const Bar& b : result.bars) {
    const SuiteExperiment& e = result.suite.experiments[b.experiment];
    const bool fair = b.spread <= kFairSpread;
    table.Add({e.key, std::string(NameOf(b.wire)), b.cut, b.codec,
               std::string(NameOf(result.suite.devices[e.device].evidence)),
               Cell(HumanBytes(b.bytes), b.bytes),
               Cell(fmt::format("{:.2f}", b.measured_ms), b.measured_ms),
               Cell(fmt::format("{:.2f}", b.forecast.total()), b.forecast.total()),
               Cell(fmt::format("{:+.1f} %", b.error() * 100), b.error()),
               Cell(fmt::format("{:.2f}", b.hypothetical_ms), b.hypothetical_ms),
               Cell(fmt::format("{:.2f}", b.true_ms), b.true_ms),
               Cell(fair ? Percent(b.spread) : Percent(b.spread) + ", busy", b.spread)},
              fair ? Table::Weight::kNormal : Table::Weight::kWeak);
  }
  page.AddFolded("Every bar", table);
}

void AddCapacity(const LabResult& result, Page& page) {
  if (result.capacities.empty()) return;
  page.AddText(
      "Frames made beforehand, one a second and device, through a real broker to a cloud with one "
      "worker, "
      "held to one core. The load rises until answers take longer than a second (p95), fewer are "
      "stored "
      "than offered, or a backlog grows. The paper's figures are its Python stack on a t2.micro's "
      "vCPU.");
  page.AddFigure("Answers as the load rises",
                 "p95 from sending to the stored answer, by devices at one picture a second.",
                 CapacityChart(result));
  Table table({{"mechanism"},
               {"codec"},
               {"bytes", true},
               {"devices a core", true},
               {"wanted", true},
               {"paper", true},
               {"core's time a frame, µs", true},
               {"decode", true},
               {"suffix", true},
               {"all else", true},
               {"what gave in"}});
  for (const Capacity& c : result.capacities) {
    const SuiteCapacity& entry = result.suite.capacities[c.entry];
    const CapacityCost cost = CostOf(c);
    const auto number = [](double value) {
      return value > 0 ? Cell(fmt::format("{:.0f}", value), value) : Cell("");
    };
    table.Add({entry.title, c.codec, Cell(HumanBytes(c.frame_bytes), c.frame_bytes),
               number(c.devices), number(entry.wanted), number(entry.paper), number(cost.total_us),
               number(cost.decode_us), number(cost.suffix_us), number(cost.rest_us), cost.limit},
              c.devices >= entry.wanted ? Table::Weight::kNormal : Table::Weight::kStrong);
  }
  page.AddTable("Devices that one core serves",
                "All else: MQTT both ways, reading the frame, the store's share, answers, and the "
                "kernel's sockets.",
                table);
}

}  // namespace

std::string LabPage(const LabResult& result) {
  Page page(
      result.suite.title.empty() ? result.suite.name : result.suite.title,
      fmt::format("fogline lab {} · {} · {}{}", result.suite.name, result.machine, result.date,
                  result.quick ? " · a quick look: few pictures, no figures to publish" : ""));
  AddTiles(result, page);
  AddReading(result, page);
  const bool paper = std::ranges::any_of(result.suite.experiments,
                                         [](const SuiteExperiment& e) { return !e.paper.empty(); });
  if (paper && !result.models.empty()) {
    for (const ModelFacts& facts : result.models) {
      page.AddFigure(
          "Figure 4: what each layer of " + facts.key + " gives",
          "Bytes of each layer's output as 32-bit numbers; lines are the paper's split points.",
          LayerChart(facts));
    }
    page.AddFigure("Figure 5: how a split divides the work", "Multiply-accumulates on either side.",
                   WorkChart(result.models.front()));
    page.AddFigure("Figure 6: the whole network on each machine",
                   "Typical time of the network alone: edge-only on devices, cloud-only in clouds.",
                   MachineChart(result));
  }
  AddExperiments(result, page);
  if (paper) {
    page.AddFigure("Figure 10: money against latency",
                   "Euro a device and month at one picture a second, credits ignored as in the "
                   "paper, against the "
                   "measured hypothetical total; the experiments of figure 7.",
                   MoneyChart(result));
  }
  if (!result.bars.empty()) {
    page.AddFigure("Forecast against measurement",
                   "Each bar a dot; on the line the forecast was right.", ForecastChart(result));
  }
  AddChoices(result, page);
  AddAllBars(result, page);
  AddCapacity(result, page);
  return page.Finish();
}

}  // namespace fogline
