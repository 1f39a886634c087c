// Routes with an early exit among the candidates: what they cost is a mixture, and nothing is
// missed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/stats.h"
#include "engine/shapes.h"
#include "plan/plan_json.h"
#include "plan/planner.h"
#include "profile/library.h"
#include "vision/exit_cut.h"

namespace fogline {
namespace {

class GatesTest : public testing::Test {
 protected:
  GatesTest() : model_(Model::Load(FOGLINE_SOURCE_DIR "/models/litter.onnx", EngineShapes())) {}

  Scenario Make(const char* objective, const char* link, bool gates = true) const {
    Scenario s;
    s.model = &*model_;
    s.contract = MakeContract(*model_);
    s.cuts = ListCuts(*model_).value();
    s.edge = FindMachine("raspberry-pi-3b-plus", "--edge").value();
    s.cloud = FindMachine("c6i.large", "--cloud").value();
    s.edge_timing = PredictTiming(*model_, s.edge);
    s.cloud_timing = PredictTiming(*model_, s.cloud);
    s.link = FindLink(link, "--link").value();
    s.objective = ParseObjective(objective).value();
    s.codecs = {"f16", "jpeg:90"};
    s.strict = true;
    if (!gates) return s;
    for (const auto& [at, share, bound] :
         {std::tuple{"split3", 0.6, 0.008}, {"split6", 0.8, 0.01}}) {
      s.gates.push_back({at, FindCut(*model_, at).value(), GatePromise{0.97, share, bound}});
    }
    return s;
  }

  Result<Model> model_;
};

/// Of each plain candidate and each gate before it what a picture costs on average, reckoned from
/// the prices of both kinds of picture.
TEST_F(GatesTest, TheBestIsThatOfBruteForce) {
  ASSERT_TRUE(model_);
  int with = 0;
  for (const char* objective : {"latency", "cost", "energy", "latency=1,cost=200,energy=0.1"}) {
    for (const char* link : {"3g", "4g", "wifi", "ethernet"}) {
      Scenario s = Make(objective, link);
      const Scenario plain = Make(objective, link, false);
      const Pricing pricing(s.objective, s.operation, s.edge, s.cloud, s.link);
      const auto all = EnumerateCandidates(plain);
      const Candidate& end = all.back();
      ASSERT_TRUE(plain.cuts[end.cut].is_edge_only());
      double least = std::numeric_limits<double>::infinity();
      for (const Candidate& c : all) {
        if (!c.feasible() || !c.runnable()) continue;
        least = std::min(least, c.price.value());
        for (const PlannedGate& gate : s.gates) {
          const Cut& cut = plain.cuts[c.cut];
          if (cut.is_cloud_only() || !StandsBefore(gate.cut, cut)) continue;
          Milliseconds prefix;
          for (size_t n = 0; n < gate.cut.edge.size(); ++n) {
            if (gate.cut.edge[n]) prefix += s.edge_timing.layers[n];
          }
          const Price leaves = end.price - pricing.Edge(end.latency.edge) + pricing.Edge(prefix);
          const double share = gate.promise.sure_share;
          least = std::min(least, (leaves * share + c.price * (1 - share)).value());
        }
      }
      const auto plan = MakePlan(s);
      ASSERT_TRUE(plan) << plan.error().ToString();
      const Candidate& best = plan->candidates[plan->best];
      EXPECT_NEAR(best.price.value(), least, 1e-9 * std::abs(least)) << objective << " " << link;
      EXPECT_LE(plan->certificate.lower_bound.value(), best.price.value());
      with += best.gate.has_value();
    }
  }
  EXPECT_GT(with, 4) << "gates must be worth something somewhere";
}

TEST_F(GatesTest, SaysRouteExitAndAgreement) {
  ASSERT_TRUE(model_);
  Scenario s = Make("latency", "3g");
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan);
  const Candidate& best = plan->candidates[plan->best];
  ASSERT_TRUE(best.gate);
  const PlannedGate& gate = s.gates[*best.gate];
  EXPECT_THAT(ToString(RouteOf(s, best)), testing::HasSubstr("exit=" + gate.at + "@0.97:"));
  const Json json = PlanJson(ViewOf(s, *plan, Measure::kLatency, Measure::kCost));
  EXPECT_EQ(json["best"]["exit"]["at"], gate.at);
  EXPECT_DOUBLE_EQ(json["best"]["exit"]["sure_share"], gate.promise.sure_share);
  EXPECT_DOUBLE_EQ(json["best"]["exit"]["threshold"], 0.97);
  EXPECT_DOUBLE_EQ(json["best"]["exit"]["disagreement_bound"], gate.promise.disagreement_bound);
  // A limit on agreement counts what the gate may change.
  for (const Candidate& c : plan->candidates) {
    if (c.gate && s.cuts[c.cut].is_edge_only()) {
      EXPECT_NEAR(c.payload.agreement.value(), 1 - s.gates[*c.gate].promise.disagreement_bound,
                  1e-12);
    }
  }
  s.limits.agreement = 0.999;
  const auto strict = MakePlan(s);
  ASSERT_TRUE(strict);
  EXPECT_FALSE(strict->candidates[strict->best].gate);
}

/// The line over bandwidth is that of the price.
TEST_F(GatesTest, LinesAreThoseOfTheMixture) {
  ASSERT_TRUE(model_);
  for (const char* objective : {"latency", "cost", "throughput"}) {
    for (Scenario s = Make(objective, "4g"); const double rate : {0.5, 3.0, 40.0}) {
      const auto here = EnumerateCandidates(s);
      Scenario there = s;
      there.link.up = MegabitsPerSecond(rate);
      const auto moved = EnumerateCandidates(there);
      const double x = 1 / there.link.EffectiveRate(there.link.up).value();
      ASSERT_EQ(here.size(), moved.size());
      for (size_t i = 0; i < here.size(); ++i) {
        if (!here[i].gate) continue;
        const PriceLine& line = here[i].over_bandwidth;
        const double reckoned = here[i].parts.largest
                                    ? std::max(line.fixed.value(), line.slope.value() * x)
                                    : line.At(x).value();
        EXPECT_NEAR(reckoned, moved[i].price.value(), 1e-9 * moved[i].price.value())
            << objective << " " << ToString(RouteOf(s, here[i]));
      }
    }
  }
}

TEST(MixtureP95, IsThatOfDraws) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  const double kAt95 = 1.6448536269514722;
  const struct {
    double share, a, a95, b, b95;
  } kCases[] = {{0.6, 10, 12, 40, 50}, {0.97, 10, 12, 40, 50}, {0.95, 5, 5.5, 80, 100},
                {0, 10, 12, 40, 50},   {1, 10, 12, 40, 50},    {0.5, 10, 10, 20, 20}};
  for (const auto& c : kCases) {
    std::vector<double> times;
    std::bernoulli_distribution first(c.share);
    for (int i = 0; i < 200'000; ++i) {
      const bool one = first(random);
      const double median = one ? c.a : c.b, p95 = one ? c.a95 : c.b95;
      times.push_back(median + normal(random) * (p95 - median) / kAt95);
    }
    const Milliseconds p95 = MixtureP95(c.share, Milliseconds(c.a), Milliseconds(c.a95),
                                        Milliseconds(c.b), Milliseconds(c.b95));
    // Where the share stands right between both kinds, any time between them is the percentile.
    if (c.share == 0.95) {
      EXPECT_GT(p95.value(), c.a95);
      EXPECT_LT(p95.value(), c.b);
    } else {
      EXPECT_NEAR(p95.value(), Quantile(times, 0.95), 0.02 * p95.value()) << c.share;
    }
  }
}

}  // namespace
}  // namespace fogline
