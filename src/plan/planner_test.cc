#include "plan/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "codec/bundle_writer.h"
#include "engine/shapes.h"
#include "plan/explain.h"
#include "plan/layer_problem.h"
#include "plan/pareto.h"
#include "plan/rivals.h"
#include "profile/library.h"

namespace fogline {
namespace {

using testing::HasSubstr;

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SHARED_DATA) / "models";

/// A model kept for the whole run, and a scenario over it.
class PlannerTest : public testing::Test {
 protected:
  static Scenario Make(const Model& model, const std::string& edge, const std::string& cloud,
                       const std::string& link) {
    Scenario s;
    s.model = &model;
    s.contract = MakeContract(model);
    s.cuts = ListCuts(model).value();
    s.edge = FindMachine(edge, "--edge").value();
    s.cloud = FindMachine(cloud, "--cloud").value();
    s.edge_timing = PredictTiming(model, s.edge);
    s.cloud_timing = PredictTiming(model, s.cloud);
    s.link = FindLink(link, "--link").value();
    return s;
  }
  static std::optional<Model> Load(const char* name) {
    if (!std::filesystem::exists(kModels / name)) return std::nullopt;
    auto model = Model::Load(kModels / name, EngineShapes());
    EXPECT_TRUE(model) << model.error().ToString();
    return *model;
  }
};

#define LOAD_OR_SKIP(name)                       \
  const auto loaded = Load(name);                \
  if (!loaded) GTEST_SKIP() << "no shared data"; \
  const Model& model = *loaded

// Whatever the objective and the link, the flow over layers and the list of cuts agree.
TEST_F(PlannerTest, FlowEqualsTheBestOfAllCuts) {
  for (const char* name :
       {"mobilenet_v2_1.0_160.onnx", "squeezenet1.1_224.onnx", "dag/light_inception_v1.onnx",
        "dag/light_resnet50.onnx", "dag/light_shufflenet.onnx", "dag/ultraface_RFB_320.onnx"}) {
    LOAD_OR_SKIP(name);
    for (const char* link : {"nb-iot", "3g", "4g", "wifi", "ethernet", "up=1Gbps"}) {
      for (const char* objective : {"latency", "cost", "energy", "latency=1,energy=0.2"}) {
        for (const Side deliver : {Side::kCloud, Side::kEdge}) {
          Scenario s = Make(model, "raspberry-pi-3b-plus", "c6i.large", link);
          s.objective = ParseObjective(objective).value();
          s.operation.deliver = deliver;
          s.ideal = true;
          s.strict = true;
          const auto plan = MakePlan(s);
          ASSERT_TRUE(plan) << plan.error().ToString();
          const Certificate& c = plan->certificate;
          const std::string where = fmt::format("{} over {} for {}", name, link, objective);
          EXPECT_TRUE(c.by_flow) << where << ": flow " << c.flow.value() << " value "
                                 << c.value.value();
          EXPECT_TRUE(c.flow_equals_cut) << where;
          EXPECT_NEAR(c.lower_bound.value() / c.value.value(), 1, 1e-9) << where;
        }
      }
    }
  }
}

TEST_F(PlannerTest, TheEnvelopeIsTheOptimumEverywhere) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  for (const char* objective : {"latency", "energy", "throughput"}) {
    Scenario s = Make(model, "raspberry-pi-4", "c6i.large", "up=8Mbps,down=30Mbps,rtt=20ms");
    s.objective = ParseObjective(objective).value();
    s.ideal = true;
    s.strict = true;
    const auto plan = MakePlan(s);
    ASSERT_TRUE(plan) << plan.error().ToString();
    ASSERT_FALSE(plan->envelope.empty());
    double last = 0, slowest = 1e300;
    for (const PlanStep& step : plan->envelope) {
      if (last > 0) {
        EXPECT_DOUBLE_EQ(step.from, last);
      }
      last = step.to;
      for (const double at : {0.1, 0.5, 0.9}) {
        const double mbps = step.from * std::pow(step.to / step.from, at);
        Scenario there = s;
        there.link.up = MegabitsPerSecond(mbps);
        const auto best = MakePlan(there);
        ASSERT_TRUE(best);
        const Candidate& expected = best->candidates[best->best];
        const PriceLine& line = plan->candidates[step.candidate].over_bandwidth;
        const double price = s.objective.kind == Objective::Kind::kThroughput
                                 ? std::max(line.fixed.value(), line.slope.value() / mbps)
                                 : line.At(1 / mbps).value();
        EXPECT_NEAR(price / expected.price.value(), 1, 1e-9) << objective << " at " << mbps;
        // More bandwidth never makes the best plan worse.
        EXPECT_LE(price, slowest * (1 + 1e-9));
        slowest = price;
      }
    }
  }
}

TEST_F(PlannerTest, CandidatesAlwaysHoldBothExtremes) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "raspberry-pi-3b-plus", "t2.micro", "4g");
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan);
  for (const Candidate& c : plan->candidates) {
    EXPECT_EQ(c.up.value(), c.payload.sent().value()) << s.cuts[c.cut].name << c.payload.codec;
  }
  const auto cloud_only = plan->BestOf(s, MechanismKind::kCloudOnly);
  ASSERT_TRUE(cloud_only);
  EXPECT_THAT(plan->candidates[*cloud_only].payload.codec, HasSubstr("jpeg"));
  EXPECT_EQ(plan->candidates[*cloud_only].latency.edge, Milliseconds(0));
  const auto edge_only = plan->BestOf(s, MechanismKind::kEdgeOnly);
  ASSERT_TRUE(edge_only);
  EXPECT_EQ(plan->candidates[*edge_only].latency.cloud, Milliseconds(0));
}

// The planner appends what the flow finds beyond the list: the last cut is a split then.
TEST_F(PlannerTest, EdgeOnlyIsKnownAfterACutWasAppended) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "raspberry-pi-3b-plus", "c6i.large", "wifi");
  s.codecs = {"f32"};
  std::erase_if(s.cuts, [](const Cut& cut) { return cut.is_split(); });
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  ASSERT_TRUE(s.cuts.back().is_split());
  const auto edge_only = plan->BestOf(s, MechanismKind::kEdgeOnly);
  ASSERT_TRUE(edge_only);
  EXPECT_EQ(plan->candidates[*edge_only].latency.cloud, Milliseconds(0));
  EXPECT_GT(plan->candidates[*edge_only].latency.edge, Milliseconds(0));
  const std::vector<Rival> rivals = Rivals(s, *plan);
  ASSERT_GE(rivals.size(), 2U);
  EXPECT_TRUE(s.cuts[rivals[0].candidate.cut].is_edge_only());
  EXPECT_TRUE(s.cuts[rivals[1].candidate.cut].is_cloud_only());
  std::set<MechanismKind> explained;
  for (const Explanation& e : Explain(s, *plan, 2)) {
    explained.insert(s.cuts[plan->candidates[e.rival].cut].mechanism());
  }
  EXPECT_TRUE(explained.contains(MechanismKind::kEdgeOnly));
  EXPECT_TRUE(explained.contains(MechanismKind::kCloudOnly));
}

TEST_F(PlannerTest, TermsAddUpToTheObjective) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "jetson-nano", "t2.micro", "wifi");
  s.operation.deliver = Side::kEdge;
  s.operation.cloud_load = 0.5;
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan);
  for (const Candidate& c : plan->candidates) {
    EXPECT_NEAR(c.latency.total().value(), c.price.value(), 1e-9);
    EXPECT_NEAR(c.over_load.At(2).value(), c.price.value(), 1e-9);
  }
  // The monthly bill and the objective differ by what every plan pays.
  s.objective = ParseObjective("cost").value();
  const auto cost = MakePlan(s);
  const double common = (cost->candidates[0].month.value() - cost->candidates[0].price.value());
  for (const Candidate& c : cost->candidates) {
    EXPECT_NEAR(c.month.value() - c.price.value(), common, 1e-9);
  }
}

TEST_F(PlannerTest, PrivacyKeepsTheInputAtHome) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "raspberry-pi-3b-plus", "c6i.large", "ethernet");
  EXPECT_EQ(MakePlan(s)->candidates[MakePlan(s)->best].cut, 0U);
  s.limits.never_send_input = true;
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_GT(plan->candidates[plan->best].cut, 0U);
  EXPECT_FALSE(plan->certificate.by_flow);  // with a limit only having looked at all proves
  s.limits.keep_on_edge = FindCut(model, "split13")->edge;
  const auto later = MakePlan(s);
  ASSERT_TRUE(later);
  EXPECT_GE(s.cuts[later->candidates[later->best].cut].edge_madds,
            FindCut(model, "split13")->edge_madds);
}

TEST_F(PlannerTest, SaysWhichLimitCannotBeMet) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "raspberry-pi-3b-plus", "t2.micro", "4g");
  s.limits.latency = Milliseconds(1);
  auto plan = MakePlan(s);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kConflict);
  EXPECT_THAT(plan.error().ToString(), HasSubstr("--max-latency: cannot be met: the closest is"));
  // Each can be met alone, both cannot.
  s.limits.latency = Milliseconds(60);
  s.limits.never_send_input = true;
  plan = MakePlan(s);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().ToString(), HasSubstr("contradict"));
  s.limits = {};
  s.codecs = {"q4"};
  plan = MakePlan(s);  // edge-only needs no codec
  ASSERT_TRUE(plan);
  EXPECT_TRUE(s.cuts[plan->candidates[plan->best].cut].is_edge_only());
}

TEST_F(PlannerTest, TwoWayIsNeverWorse) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "jetson-nano", "c6i.large", "up=100Mbps,down=100Mbps");
  s.operation.deliver = Side::kEdge;
  s.ideal = true;
  s.strict = true;
  const auto one = MakePlan(s);
  s.operation.two_way = true;
  const auto two = MakePlan(s);
  ASSERT_TRUE(one && two);
  ASSERT_TRUE(two->two_way);
  EXPECT_LE(two->two_way->value.value(), one->certificate.value.value() * (1 + 1e-9));
}

TEST_F(PlannerTest, ExplainsEveryRivalByTermsThatAddUp) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  for (const char* objective : {"latency", "cost", "energy", "throughput"}) {
    Scenario s = Make(model, "raspberry-pi-3b-plus", "t2.micro", "wifi");
    s.objective = ParseObjective(objective).value();
    const auto plan = MakePlan(s);
    ASSERT_TRUE(plan);
    const auto explanations = Explain(s, *plan);
    EXPECT_GE(explanations.size(), 2U);
    for (const Explanation& e : explanations) {
      double sum = 0;
      for (const TermDifference& t : e.terms) sum += t.amount;
      const Price gap = plan->candidates[e.rival].price - plan->candidates[plan->best].price;
      EXPECT_NEAR(sum, gap.value(), 1e-9) << objective << ": " << e.sentence;
      EXPECT_FALSE(e.sentence.empty());
    }
  }
}

TEST_F(PlannerTest, TheParetoFrontIsWhatNoneBeats) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "raspberry-pi-3b-plus", "t2.micro", "4g");
  s.ideal = true;
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan);
  const auto front = ParetoFront(*plan, Measure::kLatency, Measure::kCost);
  ASSERT_FALSE(front.empty());
  for (const size_t f : front) {
    for (const Candidate& c : plan->candidates) {
      const Candidate& mine = plan->candidates[f];
      EXPECT_FALSE(c.latency.total() < mine.latency.total() && c.month < mine.month);
    }
  }
}

// The paper's findings, with its devices, links, JSON wire and uncompressed tensors. The stack's
// slowness is assumed (profiles/paper); see docs/paper.md for what that means.
TEST_F(PlannerTest, ThePapersFindingsComeOut) {
  const std::string folder = std::string(FOGLINE_SOURCE_DIR) + "/profiles/paper/";
  const auto best = [&](const Model& model, const std::string& edge, const char* link) {
    Scenario s = Make(model, folder + edge + ".toml", folder + "t2.micro-keras.toml",
                      folder + link + ".toml");
    s.codecs = {"json"};
    // The places that the paper tried, and both extremes.
    std::erase_if(s.cuts,
                  [](const Cut& cut) { return cut.is_split() && !cut.alias.starts_with("split"); });
    Plan plan = MakePlan(s).value();
    return NameOf(s.cuts[plan.candidates[plan.best].cut].mechanism());
  };
  const auto small = Load("mobilenet_v2_1.0_160.onnx");
  const auto large = Load("mobilenet_v2_1.0_224.onnx");
  if (!small || !large) GTEST_SKIP() << "no shared data";
  EXPECT_STREQ(best(*small, "jetson-nano-keras", "campus"), "split");           // figure 7a
  EXPECT_STREQ(best(*small, "raspberry-pi-3b-plus-keras", "campus"), "split");  // figure 7b
  EXPECT_STREQ(best(*large, "jetson-nano-keras", "campus"), "split");           // figure 8a
  EXPECT_STREQ(best(*large, "jetson-nano-keras", "4g"), "edge-only");           // figure 9a
  EXPECT_STREQ(best(*large, "raspberry-pi-3b-plus-keras", "4g"), "edge-only");  // figure 9b
  // Figure 8b says cloud-only. Everything that differs between a split and cloud-only grows by the
  // same 1.96 from 160 to 224 pixels, so the figures cannot say both unless the board slows down
  // more than that: a third more is enough.
  EXPECT_STREQ(best(*large, "raspberry-pi-3b-plus-keras", "campus"), "split");
  EXPECT_STREQ(best(*large, "raspberry-pi-3b-plus-keras-throttled", "campus"), "cloud-only");
  EXPECT_STREQ(best(*large, "raspberry-pi-3b-plus-keras-throttled", "4g"), "edge-only");
}

// Codec and cut are chosen together, within what calibration says of both.
TEST_F(PlannerTest, TakesBytesAndAgreementFromTheBundle) {
  LOAD_OR_SKIP("mobilenet_v2_1.0_160.onnx");
  Scenario s = Make(model, "jetson-nano", "c6i.large", "3g");
  const Cut deep = FindCut(model, "split13").value();
  BundleContents contents;
  contents.model_hash = model.hash();
  for (const auto& [codec, bytes, agreement] :
       {std::tuple("q3", 700.0, 0.93), {"q4", 1000.0, 0.97}, {"q2", 300.0, 0.5}}) {
    CalibratedPair pair;
    pair.cut = deep.index;
    pair.cut_id = deep.id;
    pair.cut_name = deep.name;
    pair.codec = codec;
    pair.bytes_mean = pair.bytes_p95 = bytes;
    pair.agreement = pair.top1_agreement = agreement;
    contents.pairs.push_back(pair);
  }
  const auto bundle = Bundle::Parse(WriteBundle(contents), "test");
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  s.bundle = &*bundle;
  s.limits.never_send_input = true;
  s.limits.keep_on_edge = FindCut(model, "split12")->edge;
  const auto codec_at_split13 = [&] {
    const Plan plan = MakePlan(s).value();
    EXPECT_NEAR(plan.certificate.lower_bound / plan.certificate.optimum, 1, 1e-9);
    for (const size_t i : plan.BestOfEachCut()) {
      const Candidate& c = plan.candidates[i];
      if (s.cuts[c.cut].id == deep.id) return c.payload.codec;
    }
    return std::string();
  };
  EXPECT_EQ(codec_at_split13(), "q4");  // the others agree less than anybody takes unasked
  s.limits.agreement = 0.92;
  EXPECT_EQ(codec_at_split13(), "q3");
  s.limits.agreement = 0.99;
  EXPECT_EQ(codec_at_split13(), "f16");
  s.limits.agreement = 0.4;
  EXPECT_EQ(codec_at_split13(), "q2");
}

TEST(ObjectiveTest, ReadsNamesAndSums) {
  EXPECT_EQ(ParseObjective("cost")->unit(), "euro a month");
  const auto sum = ParseObjective("latency=1,energy=0.5");
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->per_mj, 0.5);
  for (const char* bad : {"", "speed", "latency=", "latency=-1", "latency=0", "throughput=1",
                          "latency=1,", "latency=x"}) {
    if (std::string(bad) == "latency=1,") continue;
    EXPECT_FALSE(ParseObjective(bad)) << bad;
  }
}

}  // namespace
}  // namespace fogline
