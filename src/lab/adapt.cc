#include "lab/adapt.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/paths.h"
#include "base/process.h"
#include "edge/mechanism.h"
#include "lab/made_lines.h"
#include "plan/policy.h"
#include "plan/request.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

constexpr const char* kDevices[] = {"raspberry-pi-3b-plus", "raspberry-pi-4", "jetson-nano"};
constexpr const char* kCloud = "c6i.large";
constexpr const char* kLink = "4g";  // its round trip is that of the recordings, which have none
constexpr uint64_t kSeeds = 3;       // of each kind of made-up line
constexpr int kRunPictures = 1200;
constexpr double kPeriodMs = 500;
constexpr int kStage = 100;  // pictures of a journey's stage

struct Board {
  std::string name;
  std::vector<AdaptRoute> routes;
};

/// A policy's prices are a mean over pictures, which is what arithmetic needs of them.
Result<Board> BoardOf(const Network& network, const Bundle* bundle, const std::string& device) {
  FOGLINE_TRY(std::vector<Cut> cuts, ListCuts(network.model));
  FOGLINE_TRY(PlanSide edge, LibrarySide(network.model, device, "--edge"));
  FOGLINE_TRY(PlanSide cloud, LibrarySide(network.model, kCloud, "--cloud"));
  FOGLINE_TRY(LinkProfile link, FindLink(kLink, "--link"));
  FOGLINE_TRY(Scenario scenario, MakeScenario({}, network, std::move(cuts), bundle, std::move(edge),
                                              std::move(cloud), std::move(link)));
  FOGLINE_TRY(const Plan plan, MakePlan(scenario));
  FOGLINE_TRY(const Policy policy, PolicyOf(scenario, plan));
  Board board{device, {}};
  for (const PolicyRoute& r : policy.routes) {
    board.routes.push_back({ToString(r.route), r.edge_ms, r.bytes, r.cloud_ms});
  }
  return board;
}

Result<std::vector<Board>> Boards() {
  FOGLINE_TRY(const auto file, FindShipped("models/litter.onnx"));
  FOGLINE_TRY(const Network network, LoadNetwork(file));
  FOGLINE_TRY(const auto bundle, FindBundle(network, {}));
  std::vector<Board> boards;
  for (const char* device : kDevices) {
    FOGLINE_TRY(boards.emplace_back(), BoardOf(network, bundle ? &*bundle : nullptr, device));
  }
  return boards;
}

/// Every recording of a folder, by name.
Result<std::vector<AdaptWorld>> Recorded(const std::filesystem::path& data) {
  const auto inner = data / "traces";
  const auto folder = IsFolder(inner) ? inner : data;
  std::vector<AdaptWorld> worlds;
  FOGLINE_TRY(const auto entries, EntriesOf(folder));
  FOGLINE_TRY(const LinkProfile link, FindLink(kLink, "--link"));
  for (const std::filesystem::path& file : entries) {
    if (IsFolder(file)) continue;
    FOGLINE_TRY(const std::string text, ReadTextFile(file));
    auto uplink = Trace::Parse(text, file.string());
    if (!uplink) continue;  // a licence, a list of sources
    worlds.push_back({file.filename().string(),
                      *std::move(uplink),
                      {{0, link.rtt.value(), 1}},
                      0,
                      kPeriodMs,
                      kRunPictures,
                      1});
  }
  if (worlds.empty()) {
    return Fail(ErrorCode::kNotFound, data.string(),
                "has no recorded uplink, nor has a folder traces in it");
  }
  std::ranges::sort(worlds, {}, &AdaptWorld::name);
  return worlds;
}

AdaptRow RowOf(const AdaptWorld& world, const Board& board, bool recorded) {
  AdaptRow row;
  row.trace = world.name;
  row.device = board.name;
  row.recorded = recorded;
  for (size_t r = 0; r < board.routes.size(); ++r) {
    row.fixed.emplace_back(board.routes[r].name, RunFixed(world, board.routes, r).summary());
    if (row.fixed[r].second.mean < row.fixed[row.best].second.mean) row.best = r;
  }
  const AdaptRun steered = RunSteered(world, board.routes);
  row.steered = steered.summary();
  row.switches = steered.switches;
  row.probes = steered.probes;
  row.clairvoyant = RunClairvoyant(world, board.routes).summary();
  return row;
}

}  // namespace

Result<AdaptReport> RunAdaptLab(const AdaptOptions& options) {
  FOGLINE_TRY(const std::vector<Board> boards, Boards());
  const Board& first = boards.front();
  AdaptReport report{.rows = {},
                     .journey = MakeJourney(kStage),
                     .journey_device = first.name,
                     .journey_steered = {},
                     .journey_clairvoyant = {},
                     .journey_fixed = {}};
  const auto add = [&](const AdaptWorld& world, bool recorded) {
    for (const Board& board : boards) report.rows.push_back(RowOf(world, board, recorded));
  };
  if (!options.data.empty()) {
    FOGLINE_TRY(const auto recorded, Recorded(options.data));
    for (const AdaptWorld& world : recorded) add(world, true);
  }
  for (const MadeLine kind : MadeLines()) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      AdaptWorld world = MakeLine(kind, seed);
      world.name += fmt::format(" {}", seed);
      add(world, false);
    }
  }
  report.journey_steered = RunSteered(report.journey, first.routes);
  report.journey_clairvoyant = RunClairvoyant(report.journey, first.routes);
  for (size_t r = 0; r < first.routes.size(); ++r) {
    report.journey_fixed.emplace_back(first.routes[r].name,
                                      RunFixed(report.journey, first.routes, r));
  }
  return report;
}

Result<AdaptReport> WriteAdaptLab(const AdaptOptions& options) {
  FOGLINE_TRY(AdaptReport report, RunAdaptLab(options));
  FOGLINE_CHECK(MakeFolders(options.out));
  FOGLINE_CHECK(WriteFile(options.out / "results.json", AdaptJson(report) + "\n"));
  FOGLINE_CHECK(WriteFile(options.out / "report.html", AdaptPage(report)));
  return report;
}

}  // namespace fogline
