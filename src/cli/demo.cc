// fogline demo: all of it on this machine.
#include "demo/demo.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "graph/cut.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

Json ToJson(const std::vector<DemoMechanism>& mechanisms) {
  Json list = Json::array();
  for (const DemoMechanism& m : mechanisms) {
    Json stages = Json::object();
    for (const auto& [stage, ms] : m.stages_p50_ms) stages[stage] = ms;
    list.push_back(
        {{"name", m.name},
         {"cut", m.cut},
         {"codec", m.codec},
         {"device", m.device},
         {"images", m.images},
         {"sent", m.sent},
         {"stored", m.stored},
         {"skipped", m.skipped},
         {"early", m.early},
         {"bytes_mean", m.bytes_mean},
         {"latency_ms",
          {{"p50", m.p50_ms}, {"p95", m.p95_ms}, {"hypothetical_p50", m.hypothetical_p50_ms}}},
         {"stages_ms", stages},
         {"overhead_ms", {{"p50", m.overhead_p50_ms}}},
         {"resident_bytes", m.resident_bytes}});
  }
  return {{"mechanisms", list}};
}

/// A stage that takes less is no row.
constexpr double kShownMs = 0.005;

/// What the split saves against sending pictures, in one sentence; nothing where one is missing.
std::string Conclusion(const std::vector<DemoMechanism>& mechanisms) {
  const auto of = [&](const char* name) {
    return std::ranges::find(mechanisms, name, &DemoMechanism::name);
  };
  const auto split = of(NameOf(MechanismKind::kSplit));
  const auto whole = of(NameOf(MechanismKind::kCloudOnly));
  if (split == mechanisms.end() || whole == mechanisms.end() || split->bytes_mean <= 0) return {};
  return fmt::format(
      "\nA picture is {:.0f} bytes behind {} and {:.0f} as {}: {} times as many. Next: fogline "
      "plan "
      "says where your own network and link should have the line, fogline demo --model runs it.\n",
      split->bytes_mean, split->cut, whole->bytes_mean, whole->codec,
      Figure(whole->bytes_mean / split->bytes_mean));
}

/// One row a mechanism: what it sent, what is stored, how long it took and where the time went.
void Print(const std::vector<DemoMechanism>& mechanisms) {
  const TextStyle style = StdoutStyle();
  Table table({{"mechanism"},
               {"cut", false, true},
               {"codec"},
               {"pictures", true, false, 2},
               {"sent", true, false, 2},
               {"stored", true},
               {"bytes", true},
               {"p50 ms", true},
               {"p95 ms", true},
               {"no waits", true, false, 1},
               {"overhead", true, false, 1}});
  for (const DemoMechanism& m : mechanisms) {
    table.Add({m.name, m.cut, m.codec, std::to_string(m.images), std::to_string(m.sent),
               std::to_string(m.stored), fmt::format("{:.0f}", m.bytes_mean),
               fmt::format("{:.2f}", m.p50_ms), fmt::format("{:.2f}", m.p95_ms),
               fmt::format("{:.2f}", m.hypothetical_p50_ms),
               fmt::format("{:.2f}", m.overhead_p50_ms)});
  }
  fmt::print("\n{}\n", table.ToText(style));
  for (const DemoMechanism& m : mechanisms) {
    if (m.early > 0) {
      fmt::print("{}: {} of {} pictures left early\n\n", m.name, m.early, m.images);
    }
  }
  Table stages({{"where the time goes (ms, p50)"}, {"", true}, {"", false, false, 1}});
  double most = 0;  // of all, so that bars compare
  for (const DemoMechanism& m : mechanisms) {
    for (const auto& [stage, ms] : m.stages_p50_ms) most = std::max(most, ms);
  }
  for (const DemoMechanism& m : mechanisms) {
    stages.Add({m.name}, Table::Weight::kStrong);
    for (const auto& [stage, ms] : m.stages_p50_ms) {
      if (ms < kShownMs) continue;
      stages.Add({"  " + stage, fmt::format("{:.2f}", ms),
                  StackedBar({{ms / most, Ink::kEdge}}, 30, style)});
    }
  }
  fmt::print("{}{}", stages.ToText(style), FitLines(Conclusion(mechanisms), style.width));
}

}  // namespace

void AddDemo(CommandLine& line) {
  struct Args {
    Common common;
    DemoOptions demo;
    std::string model, images;
    BasemapFlags basemap;
  };
  auto args = std::make_shared<Args>();
  Command command = line.Add("demo", "Runs broker, edges, cloud and map on this machine");
  AddCommon(command, args->common);
  command.AddFlag("--once", args->demo.once, "end when the pictures are through");
  command.Add("--model", args->model, "your ONNX file instead of the litter model");
  command.Add("--images", args->images,
              "your folder of pictures instead of the 40 that come along");
  AddRecursive(command, args->demo.recursive);
  command.Add("--cut", args->demo.cut,
              "where the split runs: an index of 'fogline inspect', or the tensors that cross "
              "(a,b; tensor:3 where a name is a number)");
  command.Add("--broker", args->demo.broker,
              "your broker, mqtt://host:port (default: one of its own)");
  command.Add(
      "--store", args->demo.store,
      "keep the detections, e.g. sqlite:litter.db; postgresql alone: in a PostgreSQL of its "
      "own while it runs");
  command.Add("--devices", args->demo.devices, "edges, by turns of each way (default: one of each)")
      .Range(1, 100);
  command.Add("--clouds", args->demo.clouds, "workers' processes that divide the frames")
      .Range(1, 16)
      .ShowDefault();
  command.Add("--rate", args->demo.rate, "pictures a second and edge; 0 is as fast as possible")
      .RateUpTo(1000)
      .ShowDefault();
  command
      .Add("--thumbnail", args->demo.thumbnail,
           "show small pictures on the map, longest side in pixels (they travel in the frames)")
      .Range(16, 320);
  command.Add("--port", args->demo.port, "of the map; a free one when it is taken").ShowDefault();
  command.Add("--address", args->demo.address, "of the map; 0.0.0.0 shows it to the network")
      .ShowDefault();
  AddBasemapFlags(command, args->basemap);
  command.Example("fogline demo", "the bundled pictures by three ways, with the map")
      .Example("fogline demo --model mine.onnx --images walk/", "your network and pictures");
  SetAction(command, std::shared_ptr<Common>(args, &args->common), [args]() -> Status {
    args->demo.basemap = args->basemap.basemap;
    args->demo.basemap_attribution = args->basemap.attribution;
    args->demo.model = args->model;
    args->demo.images = args->images;
    const bool json_wanted = args->common.json, once = args->demo.once;
    return RunDemo(args->demo, {.map_is_up =
                                    [&](const std::string& url) {
                                      fmt::print(stderr, "The map is live at {}\n", url);
                                    },
                                .pictures_are_through =
                                    [&](const std::vector<DemoMechanism>& mechanisms) {
                                      if (json_wanted) {
                                        fmt::print("{}\n", Dump(ToJson(mechanisms)));
                                      } else {
                                        Print(mechanisms);
                                        if (!once) fmt::print("\nThe map stays until Ctrl-C.\n");
                                      }
                                      std::fflush(stdout);
                                    }});
  });
}

}  // namespace fogline::cli
