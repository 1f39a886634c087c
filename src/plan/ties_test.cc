// Rivals within the uncertainty of the times, and which of them is taken; what edge and cloud run.
#include "plan/ties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "codec/bundle_writer.h"
#include "engine/shapes.h"
#include "plan/explain.h"
#include "plan/planner.h"
#include "plan/request.h"
#include "plan/words.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kLitter = std::string(FOGLINE_SOURCE_DIR) + "/models/litter.onnx";

class TiesTest : public testing::Test {
 protected:
  TiesTest() : model_(ReadNetwork(kLitter).value().model), bundle_(BundleBeside(model_, kLitter)) {}

  Scenario Make(const char* edge, const char* cloud, const char* link) const {
    Scenario s;
    s.model = &model_;
    s.contract = MakeContract(model_);
    s.cuts = ListCuts(model_).value();
    s.bundle = bundle_ ? &*bundle_ : nullptr;
    s.edge = FindMachine(edge, "").value();
    s.cloud = FindMachine(cloud, "").value();
    s.edge_timing = PredictTiming(model_, s.edge);
    s.cloud_timing = PredictTiming(model_, s.cloud);
    s.link = FindLink(link, "").value();
    return s;
  }

  Model model_;
  std::optional<Bundle> bundle_;
};

// For any machines, links, objectives and limits: exactly those that lie within the uncertainty
// tie, all keep to the limits and run, none of them agrees better than the plan, and of those that
// agree as well none costs less.
TEST_F(TiesTest, ThePlanIsThePreferredOfThoseThatTie) {
  std::mt19937 random(17);
  const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
  const char* edges[] = {"raspberry-pi-3b-plus", "raspberry-pi-4", "jetson-nano",
                         "jetson-agx-orin"};
  const char* clouds[] = {"t2.micro", "c6i.large", "c7g.large"};
  const char* objectives[] = {"latency", "cost", "energy", "throughput", "latency=1,cost=20"};
  size_t tied = 0, moved = 0;
  for (int round = 0; round < 200; ++round) {
    Scenario s = Make(pick(edges), pick(clouds), "4g");
    s.link.up = MegabitsPerSecond(0.05 * std::pow(2000, (random() % 1000) / 1000.0));
    s.objective = ParseObjective(pick(objectives)).value();
    if (round % 3 == 0) s.limits.latency = Milliseconds(20 + random() % 300);
    const auto plan = MakePlan(s);
    if (!plan) continue;
    const std::vector<Candidate>& all = plan->candidates;
    const Candidate& cheapest = all[plan->optimum()];
    const Candidate& best = all[plan->best];
    std::vector<bool> ties(all.size());
    for (const Tie& tie : plan->ties) ties[tie.candidate] = true;
    EXPECT_TRUE(ties[plan->best]);
    for (size_t i = 0; i < all.size(); ++i) {
      if (!plan->Usable(i)) {
        EXPECT_FALSE(ties[i]);
        continue;
      }
      const double gap = (all[i].price - cheapest.price).value();
      const double off = UncertaintyBetween(s, all[i], cheapest).value();
      EXPECT_GE(gap, 0);
      EXPECT_EQ(ties[i], gap <= off + 1e-12 * cheapest.price.value());
      if (!ties[i]) continue;
      EXPECT_LE(all[i].payload.agreement.value_or(-1), best.payload.agreement.value_or(-1));
      if (all[i].payload.agreement == best.payload.agreement &&
          all[i].payload.exact == best.payload.exact) {
        EXPECT_GE(all[i].month, best.month);
      }
    }
    tied += plan->ties.size() > 1 ? 1 : 0;
    moved += plan->best != plan->optimum() ? 1 : 0;
    EXPECT_EQ(TiesText(s, *plan).empty(), plan->ties.size() == 1);
    s.strict = true;
    const auto strict = MakePlan(s);
    ASSERT_TRUE(strict);
    EXPECT_EQ(strict->best, plan->optimum());
    EXPECT_EQ(strict->certificate.value, strict->certificate.optimum);
    EXPECT_EQ(strict->certificate.optimum, plan->certificate.optimum);
  }
  EXPECT_GT(tied, 20U);
  EXPECT_GT(moved, 5U);
}

// What both run on a machine is off by one factor and cancels out: codecs at one cut differ by what
// the link and the codecs take, which is known.
TEST_F(TiesTest, WhatBothDoCancelsOut) {
  Scenario s = Make("jetson-nano", "t2.micro", "4g");
  ASSERT_GT(s.edge_timing.relative_error, 0);
  EXPECT_EQ(s.edge_timing.relative_error, s.edge.fit->left_out_median);
  Candidate a, b;
  a.parts = {Price(20), Price(10), Price(3), {}, {}};
  b.parts = {Price(20), Price(10), Price(4), {}, {}};
  EXPECT_NEAR(UncertaintyBetween(s, a, b).value(), 0, 1e-12);
  b.parts.edge = Price(30);
  EXPECT_NEAR(UncertaintyBetween(s, a, b).value(), 10 * s.edge_timing.relative_error, 1e-12);
  b.parts.cloud = Price(0);
  EXPECT_NEAR(UncertaintyBetween(s, a, b).value(),
              std::hypot(10 * s.edge_timing.relative_error, 10 * s.cloud_timing.relative_error),
              1e-12);
  // A pipeline that waits for its link does not care how fast its device is, up to a point.
  a.parts = {Price(10), Price(1), Price(50), {}, {}, true};
  b.parts = {Price(20), Price(1), Price(51), {}, {}, true};
  EXPECT_EQ(UncertaintyBetween(s, a, b), Price(0));
  b.parts.link = Price(20);
  EXPECT_GT(UncertaintyBetween(s, a, b), Price(0));
}

// Of two networks on one machine its factor is off for both alike, and what integers take of the
// time in float for the one in integers alone.
TEST_F(TiesTest, ANetworkInIntegersIsOffByItsFactorsOnTop) {
  Scenario whole = Make("raspberry-pi-4", "t2.micro", "4g");
  Scenario integers = Make("raspberry-pi-4", "t2.micro", "4g");
  integers.edge_timing.integers_error = 0.2;
  Candidate a, b;
  a.parts = {Price(30), Price(0), Price(3), {}, {}};
  b.parts = {Price(20), Price(0), Price(3), {}, {}};
  EXPECT_NEAR(UncertaintyAcross(whole, a, integers, b).value(),
              std::hypot(10 * whole.edge_timing.relative_error, 20 * 0.2), 1e-12);
  EXPECT_NEAR(UncertaintyAcross(integers, b, whole, a).value(),
              UncertaintyAcross(whole, a, integers, b).value(), 1e-12);
  EXPECT_NEAR(UncertaintyBetween(integers, a, b).value(), 10 * integers.edge_timing.error(), 1e-12);
}

// Halves that were measured are off by their own spread; the same half is off alike.
TEST_F(TiesTest, AMeasuredHalfIsOffByItsSpread) {
  Scenario s = Make("jetson-nano", "t2.micro", "4g");
  s.edge_timing.relative_error = s.cloud_timing.relative_error = 0;
  Candidate a, b;
  a.cut = 1;
  b.cut = 2;
  a.parts = {Price(20), Price(10), Price(3), Price(3), Price(0)};
  b.parts = {Price(25), Price(5), Price(3), Price(0), Price(4)};
  EXPECT_NEAR(UncertaintyBetween(s, a, b).value(), 5, 1e-12);
  b.cut = 1;
  EXPECT_NEAR(UncertaintyBetween(s, a, b).value(), 0, 1e-12);
  for (const Cut& cut : s.cuts) {
    s.edge_timing.prefix[cut.id] = {Milliseconds(10), Milliseconds(12)};
  }
  const auto candidates = CandidatesAt(s, s.cuts.size() / 2);
  ASSERT_FALSE(candidates.empty());
  EXPECT_NEAR(candidates.front().parts.edge_spread.value(), 2, 1e-9);
  EXPECT_THAT(UncertaintyText(s), HasSubstr("spread of the measured runs"));
}

TEST_F(TiesTest, AMachineThatStatesNoErrorHasNone) {
  Scenario s = Make("jetson-nano", "t2.micro", "4g");
  s.edge.fit.reset();
  s.edge_timing = PredictTiming(model_, s.edge);
  EXPECT_EQ(s.edge_timing.relative_error, 0);
  EXPECT_THAT(UncertaintyText(s), AllOf(HasSubstr("edge jetson-nano: none stated"),
                                        HasSubstr("cloud t2.micro: 8.6 %")));
}

TEST_F(TiesTest, AgreementComesFirstThenMoney) {
  std::vector<Candidate> c(5);
  c[0].payload.agreement = 0.96;
  c[0].month = Euro(1);
  c[1].payload.agreement = 1;
  c[1].month = Euro(9);
  c[2].payload.agreement = 1;
  c[2].payload.exact = true;
  c[2].month = Euro(8);
  c[3] = c[2];
  c[3].month = Euro(7);
  c[4].month = Euro(0);  // nobody knows how well it agrees
  std::vector<Tie> ties;
  const size_t order[] = {4, 0, 1, 2, 3};  // each is preferred to all before it
  for (const size_t i : order) {
    ties.push_back({i, Price(0), Price(0)});
    EXPECT_EQ(Preferred(c, ties), i);
  }
}

// A codec of which calibration says nothing is left alone; what changes nothing stays.
TEST_F(TiesTest, WhatNobodyMeasuredIsNotTakenUnasked) {
  Scenario s = Make("jetson-nano", "t2.micro", "3g");
  const Cut deep = FindCut(model_, "split13").value();
  const Cut input = FindCut(model_, "input").value();
  BundleContents contents;
  contents.model_hash = model_.hash();
  const auto add = [&](const Cut& cut, const char* codec, double bytes, double metric) {
    CalibratedPair pair;
    pair.cut = cut.index;
    pair.cut_id = cut.id;
    pair.cut_name = cut.name;
    pair.codec = codec;
    pair.bytes_mean = pair.bytes_p95 = bytes;
    pair.user_metric = metric;
    contents.pairs.push_back(pair);
  };
  add(deep, "q2", 300, 0.5);
  add(deep, "q6", 900, 0.8);
  add(deep, "f32", 9000, 0.83);
  add(input, "jpeg:50", 400, 0.6);
  const auto bundle = Bundle::Parse(WriteBundle(contents), "test");
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  s.bundle = &*bundle;
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  for (size_t i = 0; i < plan->candidates.size(); ++i) {
    const std::string& codec = plan->candidates[i].payload.codec;
    EXPECT_FALSE(plan->Usable(i) && (codec.starts_with("q") || codec == "jpeg:50")) << codec;
  }
  EXPECT_THAT(NotesOf(s, *plan), testing::Contains(HasSubstr("how well its codecs agree")));
  // What the user measured may stand for it, and the whole network has it too.
  s.limits.metric = 0.75;
  for (const Candidate& c : EnumerateCandidates(s)) {
    if (c.payload.codec == "q6" || c.payload.codec == "f32" || c.payload.codec == "verdict") {
      EXPECT_TRUE(c.feasible()) << c.payload.codec;
    }
    if (c.payload.codec == "q2" || c.payload.codec == "jpeg:50") {
      EXPECT_FALSE(c.feasible()) << c.payload.codec;
    }
  }
  s.limits.metric = 0.9;
  const auto none = MakePlan(s);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().ToString(), HasSubstr("--min-metric: cannot be met"));
}

TEST_F(TiesTest, OnlyWhatRunsIsRecommended) {
  const std::filesystem::path path =
      std::filesystem::path(FOGLINE_SHARED_DATA) / "models/dag/light_inception_v1.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data";
  const Model model = Model::Load(path, EngineShapes()).value();
  Scenario s = Make("raspberry-pi-4", "c6i.large", "wifi");
  s.model = &model;
  s.contract = MakeContract(model);
  s.bundle = nullptr;
  s.cuts = ListCuts(model).value();
  s.edge_timing = PredictTiming(model, s.edge);
  s.cloud_timing = PredictTiming(model, s.cloud);
  size_t several = 0, better = 0;
  for (const double mbps : {2.0, 8.0, 30.0, 100.0, 300.0}) {
    s.link.up = MegabitsPerSecond(mbps);
    // Several tensors cross like one.
    s.operation.deliver = Side::kCloud;
    s.limits.never_send_input = true;
    s.ideal = false;
    const auto all = MakePlan(s);
    ASSERT_TRUE(all) << all.error().ToString();
    EXPECT_FALSE(all->beyond);
    for (const Candidate& c : all->candidates) {
      const Cut& cut = s.cuts[c.cut];
      if (!cut.is_split()) continue;
      EXPECT_TRUE(c.runnable()) << cut.name;
      several += cut.tensors.size() > 1 ? 1 : 0;
    }
    // Results that are wanted back do not come: only the whole network on the edge runs.
    s.operation.deliver = Side::kEdge;
    s.limits.never_send_input = false;
    const auto plan = MakePlan(s);
    ASSERT_TRUE(plan) << plan.error().ToString();
    EXPECT_TRUE(plan->candidates[plan->best].runnable());
    for (const PlanStep& step : plan->envelope) {
      EXPECT_TRUE(plan->candidates[step.candidate].runnable());
    }
    s.ideal = true;
    const auto ideal = MakePlan(s);
    ASSERT_TRUE(ideal);
    EXPECT_EQ(plan->beyond.has_value(),
              ideal->certificate.optimum.value() < plan->certificate.optimum.value() * (1 - 1e-9));
    if (plan->beyond) {
      ++better;
      EXPECT_NEAR(plan->candidates[*plan->beyond].price.value(), ideal->certificate.optimum.value(),
                  1e-9 * plan->certificate.optimum.value());
      EXPECT_THAT(NotesOf(s, *plan), testing::Contains(HasSubstr("do not run it yet")));
    }
  }
  EXPECT_GT(several, 0U);
  EXPECT_GT(better, 0U);
}

TEST_F(TiesTest, SaysWhyWhatDoesNotRun) {
  Scenario s = Make("jetson-nano", "t2.micro", "wifi");
  s.codecs = {"f32", "jpeg:90", "json"};
  for (const Candidate& c : EnumerateCandidates(s)) {
    const bool picture = s.cuts[c.cut].is_cloud_only();
    if (picture && c.payload.codec == "f32") {
      EXPECT_THAT(c.not_runnable, HasSubstr("as jpeg, webp or json"));
    } else {
      EXPECT_THAT(c.not_runnable, IsEmpty());
    }
  }
  s.operation.deliver = Side::kEdge;
  for (const Candidate& c : EnumerateCandidates(s)) {
    EXPECT_EQ(c.runnable(), s.cuts[c.cut].is_edge_only());
  }
}

}  // namespace
}  // namespace fogline
