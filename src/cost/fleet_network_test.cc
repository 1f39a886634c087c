#include "cost/fleet_network.h"

#include <gmock/gmock.h>

#include <set>

#include "base/file.h"
#include "cost/fleet_plan.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

using testing::HasSubstr;

const std::string kScenario = FOGLINE_SOURCE_DIR "/scenarios/million.toml";

FleetNetwork Litter() {
  FleetNetwork n;
  n.model = FOGLINE_SOURCE_DIR "/models/litter.onnx";
  n.edge = {"jetson-nano", "raspberry-pi-3b-plus"};
  n.cloud = "t2.micro";
  return n;
}

std::string ErrorOf(const std::string& text, const std::string& where = kScenario) {
  const auto fleet = ParseFleet(text, where);
  return fleet ? "no error" : fleet.error().ToString();
}

/// The shipped scenario with one piece of its text changed.
std::string With(const std::string& from, const std::string& to) {
  std::string text = ReadTextFile(kScenario).value();
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// The devices' own planner says the same: nothing is lost on the way but what cannot win.
TEST(FleetNetwork, OptionsAreThePlannersCandidates) {
  const FleetNetwork network = Litter();
  const auto options = OptionsOf(network, "x.toml");
  ASSERT_TRUE(options) << options.error().ToString();
  const Network loaded = ReadNetwork(network.model).value();
  const Model& model = loaded.model;
  const auto bundle = BundleBeside(model, network.model);
  ASSERT_TRUE(bundle);
  for (const std::string& edge : network.edge) {
    const Scenario s =
        MakeScenario({}, loaded, ListCuts(model).value(), &*bundle,
                     LibrarySide(model, edge, "").value(),
                     LibrarySide(model, "t2.micro", "").value(), FindLink("4g", "").value())
            .value();
    size_t met = 0;
    for (const Candidate& c : EnumerateCandidates(s)) {
      if (!c.feasible() || !c.runnable()) continue;
      FleetOption mine = OptionOf(s, c);
      mine.cloud_ms += network.message_ms;
      bool covered = false;
      for (const FleetOption& o : *options) {
        if (o.edge.name != edge) continue;
        covered = covered || (o.edge_ms <= mine.edge_ms && o.cloud_ms <= mine.cloud_ms &&
                              o.bytes <= mine.bytes);
        met += o.edge_ms == mine.edge_ms && o.cloud_ms == mine.cloud_ms && o.bytes == mine.bytes;
      }
      EXPECT_TRUE(covered) << edge << " cut " << c.cut << " " << c.payload.codec;
    }
    const auto here = std::ranges::count(*options, edge, [](const auto& o) { return o.edge.name; });
    EXPECT_GE(met, static_cast<size_t>(here));
    EXPECT_GT(here, 10);
  }
}

TEST(FleetNetwork, NothingKeptBeatsAnother) {
  const auto options = OptionsOf(Litter(), "x.toml").value();
  std::set<std::string> kinds;
  for (const FleetOption& a : options) {
    kinds.insert(a.kind);
    for (const FleetOption& b : options) {
      if (&a == &b || a.edge.name != b.edge.name) continue;
      EXPECT_FALSE(a.edge_ms <= b.edge_ms && a.cloud_ms <= b.cloud_ms && a.bytes <= b.bytes)
          << a.name << " beats " << b.name;
    }
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"cloud-only", "split", "edge-only"}));
}

TEST(FleetNetwork, LimitsHold) {
  FleetNetwork network = Litter();
  network.request.never_send_input = true;
  network.request.codecs = "f16";
  network.result_share = 0.1;
  const auto options = OptionsOf(network, "x.toml").value();
  for (const FleetOption& o : options) {
    EXPECT_NE(o.kind, "cloud-only");
    EXPECT_TRUE(o.kind == "edge-only" || o.name.ends_with(" f16")) << o.name;
    EXPECT_EQ(o.sent_share, o.kind == "edge-only" ? 0.1 : 1.0);
  }
  network.request.min_agreement = 1.5;
  EXPECT_THAT(OptionsOf(network, "x.toml").error().ToString(), HasSubstr("x.toml"));
}

TEST(FleetNetwork, TheShippedScenarioIsPlanned) {
  const auto fleet = ParseFleet(ReadTextFile(kScenario).value(), kScenario);
  ASSERT_TRUE(fleet) << fleet.error().ToString();
  const auto plan = PlanFleet(*fleet);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_TRUE(plan->exact);
  EXPECT_EQ(plan->devices, 1e6);
}

// Read from the scenario as from the command line.
TEST(FleetNetwork, TheScenariosLimitsAreItsOwn) {
  const auto fleet = ParseFleet(
      With("min_agreement = 0.95", "min_agreement = 0.95\nnever_send_input = true"), kScenario);
  ASSERT_TRUE(fleet) << fleet.error().ToString();
  for (const FleetGroup& group : fleet->groups) {
    for (const FleetOption& o : group.options) EXPECT_NE(o.kind, "cloud-only");
  }
  EXPECT_THAT(ErrorOf(With("min_agreement = 0.95", "min_metric = \"x\"")), HasSubstr("min_metric"));
}

TEST(FleetNetwork, BadInputIsNamed) {
  EXPECT_THAT(ErrorOf(With("min_agreement", "min_agrement")),
              HasSubstr("'network.min_agrement' on line 20 (did you mean 'min_agreement'?)"));
  EXPECT_THAT(ErrorOf(With("litter.onnx", "liter.onnx")), HasSubstr("liter.onnx"));
  EXPECT_THAT(ErrorOf(With("model = ", "# ")), HasSubstr("lacks the text 'network.model'"));
  EXPECT_THAT(ErrorOf(With("edge = [\"jetson-nano\"", "edge = [\"jetson-nan\"")),
              HasSubstr("network.edge: "));
  EXPECT_THAT(ErrorOf(With("edge = [\"jetson-nano\", \"raspberry-pi-3b-plus\"]", "edge = []")),
              HasSubstr("lacks 'network.edge'"));
  EXPECT_THAT(ErrorOf(With("edge = [\"jetson-nano\"", "edge = [\"t2.micro\"")),
              HasSubstr("lacks the number 'price.euro'"));
  EXPECT_THAT(ErrorOf(With("min_agreement = 0.95", "min_agreement = 2")),
              HasSubstr("'network.min_agreement' is 2, more than 1"));
  EXPECT_THAT(ErrorOf(With("min_agreement = 0.95", "shape = {image = \"1x3xbig\"}")),
              HasSubstr("network.shape.image"));
  EXPECT_THAT(ErrorOf(With("min_agreement = 0.95", "codec = \"q99z\"")), HasSubstr("q99z"));
}

}  // namespace
}  // namespace fogline
