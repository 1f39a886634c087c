#include "cost/fleet_network.h"

#include <algorithm>
#include <iterator>

#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

bool NoBetter(const FleetOption& a, const FleetOption& b) {
  return a.edge_ms >= b.edge_ms && a.cloud_ms >= b.cloud_ms && a.bytes >= b.bytes;
}

/// Keeps what nothing else equals or beats. Only options that send as often are compared.
std::vector<FleetOption> Undominated(const std::vector<FleetOption>& all) {
  std::vector<FleetOption> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    bool beaten = false;
    for (size_t j = 0; j < all.size() && !beaten; ++j) {
      if (i == j || all[i].sent_share != all[j].sent_share || !NoBetter(all[i], all[j])) continue;
      beaten = !NoBetter(all[j], all[i]) || j < i;  // of equals the first stays
    }
    if (!beaten) kept.push_back(all[i]);
  }
  return kept;
}

/// What runs where, in the words of the paper, and the codec.
void Name(const std::vector<Cut>& cuts, const Candidate& c, FleetOption& option) {
  const Cut& cut = cuts[c.cut];
  option.kind = NameOf(cut.mechanism());
  const std::string& at = !cut.is_split() ? option.kind : cut.alias.empty() ? cut.name : cut.alias;
  option.name = cut.is_edge_only() ? at : at + " " + c.payload.codec;
}

}  // namespace

FleetOption OptionOf(const Scenario& s, const Candidate& c) {
  FleetOption option;
  option.edge = s.edge;
  option.edge_ms = (c.latency.edge + c.latency.encode).value();
  const double unload = 1 - s.operation.cloud_load;
  option.cloud_ms = (c.latency.decode + c.latency.cloud).value() * unload * s.cloud.compute.threads;
  if (c.up > Bytes(0)) option.bytes = (c.up + kMessageOverhead).value();
  return option;
}

Result<std::vector<FleetOption>> OptionsOf(const FleetNetwork& network, const std::string& where) {
  const std::string blame = where + ": network.";
  LoadOptions load;
  load.shapes = network.shapes;
  FOGLINE_TRY(const Network loaded,
              ReadNetwork(network.model, {.side = 0, .load = std::move(load), .in_memory = false}));
  const Model& model = loaded.model;
  const std::optional<Bundle> bundle = BundleBeside(model, network.model);
  FOGLINE_TRY(const std::vector<Cut> cuts, ListCuts(model));
  // No term that goes into an option depends on the link; each group has its own.
  FOGLINE_TRY(const LinkProfile link, FindLink("ethernet", where));
  std::vector<FleetOption> options;
  for (const std::string& name : network.edge) {
    FOGLINE_TRY(PlanSide edge, LoadSide(model, name, blame + "edge"));
    FOGLINE_TRY(PlanSide cloud, LoadSide(model, network.cloud, where + ": pool.machine"));
    const double spread =
        network.time_spread.value_or(edge.machine.fit ? edge.machine.fit->left_out_p90 : 0);
    FOGLINE_TRY(const Scenario scenario,
                MakeScenario(network.request, loaded, cuts, bundle ? &*bundle : nullptr,
                             std::move(edge), std::move(cloud), link));
    std::vector<FleetOption> found;
    for (const Candidate& c : EnumerateCandidates(scenario)) {
      if (!c.feasible() || !c.runnable()) continue;
      FleetOption option = OptionOf(scenario, c);
      Name(cuts, c, option);
      if (scenario.cuts[c.cut].is_edge_only()) option.sent_share = network.result_share;
      option.cloud_ms += network.message_ms;
      option.stored_bytes = network.stored_bytes;
      option.time_spread = spread;
      option.bytes_spread = network.bytes_spread;
      found.push_back(std::move(option));
    }
    if (found.empty()) {
      return Fail(ErrorCode::kConflict, where,
                  "no cut and codec of {} keeps to the limits of [network]; lower min_agreement or "
                  "min_accuracy",
                  network.model.string());
    }
    std::ranges::move(Undominated(found), std::back_inserter(options));
  }
  return options;
}

}  // namespace fogline
