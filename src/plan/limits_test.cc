// A limit is a condition on the uplink and on the cloud's load: what the envelopes say for every
// value of them is what a plan made for that value says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "plan/planner.h"
#include "plan/request.h"
#include "plan/segments.h"
#include "plan/words.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

using testing::HasSubstr;
using testing::Not;

class LimitsTest : public testing::Test {
 protected:
  LimitsTest()
      : model_(ReadNetwork(std::string(FOGLINE_SOURCE_DIR) + "/models/litter.onnx").value().model),
        bundle_(BundleBeside(model_, std::string(FOGLINE_SOURCE_DIR) + "/models/litter.onnx")),
        cuts_(ListCuts(model_).value()) {}

  Scenario Make(const std::string& edge, const std::string& cloud, LinkProfile link) const {
    Scenario s;
    s.model = &model_;
    s.contract = MakeContract(model_);
    s.cuts = cuts_;
    s.bundle = bundle_ ? &*bundle_ : nullptr;
    s.edge = FindMachine(edge, "").value();
    s.cloud = FindMachine(cloud, "").value();
    s.edge_timing = PredictTiming(model_, s.edge);
    s.cloud_timing = PredictTiming(model_, s.cloud);
    s.link = std::move(link);
    return s;
  }
  Scenario Make(const std::string& edge, const std::string& cloud, const char* link) const {
    return Make(edge, cloud, FindLink(link, "").value());
  }

  /// The least price under the scenario as it stands; none when nothing keeps to the limits.
  static std::optional<double> Least(const Scenario& s) {
    std::optional<double> least;
    for (const Candidate& c : EnumerateCandidates(s)) {
      if (!c.feasible() || (!c.runnable() && !s.ideal)) continue;
      least = std::min(least.value_or(c.price.value()), c.price.value());
    }
    return least;
  }

  /// What the envelope has at a value of its parameter; none where it has no step.
  static const PlanStep* StepAt(const std::vector<PlanStep>& steps, double at) {
    for (const PlanStep& step : steps) {
      if (at >= step.from && at <= step.to) return &step;
    }
    return nullptr;
  }

  static double PriceOf(const Scenario& s, const PriceLine& line, double x) {
    return s.objective.kind == Objective::Kind::kThroughput
               ? std::max(line.fixed.value(), line.slope.value() * x)
               : line.At(x).value();
  }

  /// Both envelopes of a plan against plans made for `at` anew. Counts what was compared.
  static void CheckUplink(const Scenario& s, const Plan& plan, double mbps, size_t& checked) {
    // A hair from where something ends either answer is right.
    for (const PlanStep& step : plan.envelope) {
      if (std::abs(step.from / mbps - 1) < 1e-9 || std::abs(step.to / mbps - 1) < 1e-9) return;
    }
    Scenario there = s;
    there.link.up = MegabitsPerSecond(mbps);
    const auto least = Least(there);
    const PlanStep* step = StepAt(plan.envelope, mbps);
    ASSERT_EQ(step != nullptr, least.has_value())
        << mbps << " Mbit/s, nothing below " << plan.nothing_below;
    EXPECT_EQ(mbps < plan.nothing_below, !least.has_value()) << mbps;
    ++checked;
    if (step == nullptr) return;
    const double x = 1 / std::min(mbps, plan.fastest);
    const double price = PriceOf(s, plan.candidates[step->candidate].over_bandwidth, x);
    EXPECT_NEAR(price, *least, 1e-9 * std::abs(*least)) << mbps << " Mbit/s";
  }

  static void CheckLoad(const Scenario& s, const Plan& plan, double load, size_t& checked) {
    for (const PlanStep& step : plan.load_envelope) {
      if (std::abs(step.from - load) < 1e-9 || std::abs(step.to - load) < 1e-9) return;
    }
    Scenario there = s;
    there.operation.cloud_load = load;
    const auto least = Least(there);
    const PlanStep* step = StepAt(plan.load_envelope, load);
    ASSERT_EQ(step != nullptr, least.has_value())
        << "load " << load << ", nothing above " << plan.nothing_above_load;
    ++checked;
    if (step == nullptr) return;
    const double stretch = 1 / (1 - load);
    const double price = PriceOf(s, plan.candidates[step->candidate].over_load, stretch);
    EXPECT_NEAR(price, *least, 1e-9 * std::abs(*least)) << "load " << load;
  }

  Model model_;
  std::optional<Bundle> bundle_;
  std::vector<Cut> cuts_;
};

TEST_F(LimitsTest, EnvelopesAreThePlansMadeForEachUplinkAndLoad) {
  std::mt19937 random(11);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const auto log_uniform = [&](double low, double high) {
    return low * std::pow(high / low, uniform(0, 1));
  };
  const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
  const char* edges[] = {"raspberry-pi-3b-plus", "raspberry-pi-4", "jetson-nano",
                         "jetson-agx-orin"};
  const char* clouds[] = {"t2.micro", "c6i.large", "c7g.large"};
  const char* links[] = {"nb-iot", "3g", "4g", "wifi", "ethernet", "up=8Mbps,rtt=30ms,loss=2%"};
  const char* objectives[] = {
      "latency", "cost", "energy", "throughput", "latency=1,cost=20", "latency=1,energy=0.1"};
  size_t checked = 0, planned = 0, gaps = 0;
  for (int round = 0; round < 400; ++round) {
    Scenario s = Make(pick(edges), pick(clouds), pick(links));
    s.objective = ParseObjective(pick(objectives)).value();
    s.operation.images_per_second = log_uniform(0.01, 10);
    s.operation.cloud_load = uniform(0, 1) < 0.5 ? 0 : uniform(0, 0.9);
    s.ideal = uniform(0, 1) < 0.3;
    // Around what candidates have, so that each limit rules some out and some not.
    const std::vector<Candidate> all = EnumerateCandidates(s);
    const Candidate& like = all[random() % all.size()];
    const auto about = [&](double value) { return value * log_uniform(0.7, 1.5); };
    Limits& l = s.limits;
    if (uniform(0, 1) < 0.5) l.latency = like.latency_p95 * log_uniform(0.7, 1.5);
    l.latency_at_p95 = uniform(0, 1) < 0.5;
    if (uniform(0, 1) < 0.3) l.month = Euro(about(like.month.value()));
    if (uniform(0, 1) < 0.3) l.memory = Bytes(about(like.memory.value()));
    if (uniform(0, 1) < 0.3) {
      l.uplink_month = Bytes(about((like.up.value() + 131) * s.operation.images_per_month()));
    }
    if (uniform(0, 1) < 0.3) l.agreement = uniform(0.8, 1);
    if (uniform(0, 1) < 0.1) l.accuracy = uniform(0.8, 1);
    l.never_send_input = uniform(0, 1) < 0.2;
    if (uniform(0, 1) < 0.2) l.keep_on_edge = cuts_[random() % cuts_.size()].edge;

    const std::optional<double> here = Least(s);
    const auto plan = MakePlan(s);
    ASSERT_EQ(plan.has_value(), here.has_value());
    if (!plan) continue;
    ++planned;
    gaps += plan->nothing_below > 0 ? 1 : 0;
    EXPECT_NEAR(plan->certificate.optimum.value(), *here, 1e-9 * std::abs(*here));
    EXPECT_EQ(plan->certificate.by_flow && !l.Flags().empty(), false);
    std::vector<double> uplinks{s.link.up.value()};
    for (int i = 0; i < 5; ++i) uplinks.push_back(log_uniform(1e-3, 1e5));
    for (const PlanStep& step : plan->envelope) {
      for (const double edge : {step.from, step.to}) {
        uplinks.push_back(std::clamp(edge * (1 - 1e-6), 1e-3, 1e5));
        uplinks.push_back(std::clamp(edge * (1 + 1e-6), 1e-3, 1e5));
      }
    }
    for (const double mbps : uplinks) {
      CheckUplink(s, *plan, mbps, checked);
      if (HasFatalFailure()) return;
    }
    std::vector<double> loads{s.operation.cloud_load, uniform(0, 0.95), uniform(0, 0.95)};
    for (const PlanStep& step : plan->load_envelope) {
      loads.push_back(std::max(0.0, step.to - 1e-6));
      loads.push_back(std::min(0.95, step.to + 1e-6));
    }
    for (const double load : loads) {
      CheckLoad(s, *plan, load, checked);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(planned, 200U);
  EXPECT_GT(gaps, 20U);
  EXPECT_GT(checked, 3000U);
}

// The same recording at another mean: all its moments slowed down or sped up alike.
TEST_F(LimitsTest, APercentileOverARecordingBindsAtOtherUplinksToo) {
  const auto recording = [](double factor) {
    std::string text;
    for (int second = 0; second < 120; ++second) {
      text += fmt::format("{} {:.17g}\n", second, factor * (1 + second * 37 % 11));
    }
    LinkProfile link = LinkOfTrace(Trace::Parse(text, "recording").value(), "recording");
    link.rtt = Milliseconds(20);
    return link;
  };
  Scenario s = Make("raspberry-pi-3b-plus", "c6i.large", recording(1));
  s.limits.latency = Milliseconds(90);
  s.limits.latency_at_p95 = true;
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  size_t compared = 0;
  std::vector<double> uplinks{0.01, 0.1, 1, 10, 100};
  for (const PlanStep& step : plan->envelope) {
    uplinks.insert(uplinks.end(), {step.from * 1.0001, step.from * 0.9999});
  }
  for (const double mbps : uplinks) {
    if (mbps < 1e-3) continue;
    Scenario there = s;
    there.link = recording(mbps / s.link.up.value());
    const auto least = Least(there);
    const PlanStep* step = StepAt(plan->envelope, mbps);
    ASSERT_EQ(step != nullptr, least.has_value()) << mbps;
    if (step == nullptr) continue;
    ++compared;
    EXPECT_NEAR(plan->candidates[step->candidate].over_bandwidth.At(1 / mbps).value(), *least,
                1e-6 * *least)
        << mbps;
  }
  EXPECT_GT(compared, 4U);
}

// Edge-only takes longer than the limit on this board, and a picture takes seconds at 1 kbit/s.
TEST_F(LimitsTest, NothingIsSaidToKeepToALimitThatItBreaks) {
  Scenario s = Make("raspberry-pi-3b-plus", "t2.micro", "4g");
  s.strict = true;
  const double edge_only = EnumerateCandidates(s).back().latency.total().value();
  s.limits.latency = Milliseconds(edge_only * 0.9);
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_GT(plan->nothing_below, 0);
  EXPECT_DOUBLE_EQ(plan->envelope.front().from, plan->nothing_below);
  EXPECT_THAT(UplinkGapText(*plan), HasSubstr("nothing keeps to the limits below"));
  // And what breaks the limit here but not on a faster link is found there.
  s.link.up = MegabitsPerSecond(0.9 * plan->nothing_below);
  const auto slow = MakePlan(s);
  ASSERT_FALSE(slow);
  EXPECT_THAT(slow.error().message,
              HasSubstr(fmt::format("from {:.3g} Mbit/s up", plan->nothing_below)));
}

// A flow knows nothing of data volumes: with a limit it proves nothing, having looked at all does.
TEST_F(LimitsTest, AProofNamesItsMethodAndItsScope) {
  Scenario s = Make("raspberry-pi-3b-plus", "t2.micro", "4g");
  s.strict = true;
  const auto free = MakePlan(s);
  ASSERT_TRUE(free);
  ASSERT_TRUE(free->certificate.by_flow);
  EXPECT_THAT(ProofText(s, *free), HasSubstr("maximum flow"));
  const Candidate& best = free->candidates[free->best];
  s.limits.uplink_month = Bytes(best.up.value() * s.operation.images_per_month() / 2);
  const auto plan = MakePlan(s);
  ASSERT_TRUE(plan) << plan.error().ToString();
  const Certificate& c = plan->certificate;
  EXPECT_GT(c.value, free->certificate.value);
  EXPECT_FALSE(c.by_flow);
  EXPECT_EQ(c.lower_bound, c.value);
  EXPECT_THAT(ProofText(s, *plan), Not(HasSubstr("flow")));
  EXPECT_THAT(ProofText(s, *plan),
              HasSubstr(fmt::format("all {} candidates", plan->candidates.size())));
  EXPECT_THAT(ProofText(s, *plan), HasSubstr("keep to --max-data"));
  // A limit that binds nothing here would bind elsewhere: still no flow.
  s.limits = {};
  s.limits.memory = Bytes(1e12);
  EXPECT_FALSE(MakePlan(s)->certificate.by_flow);
}

// Any segments, against looking at each of them everywhere.
TEST(SegmentsTest, TheLowerEnvelopeIsTheLeastThatStillHolds) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> value(0, 100);
  size_t gaps = 0;
  for (int round = 0; round < 3000; ++round) {
    const bool larger = round % 2 == 1;
    std::vector<PriceSegment> segments;
    for (int i = 0; i < 1 + round % 25; ++i) {
      // Whole numbers now and then, for ties; ends before, within and beyond the range.
      const auto draw = [&] {
        return round % 3 == 0 ? std::floor(value(random) / 20) : value(random);
      };
      segments.push_back(
          {{Price(draw()), Price(draw())}, larger, draw() - 5, static_cast<size_t>(i)});
    }
    const auto pieces = LowerEnvelopeOf(segments, 1, 50);
    double at = 1;
    for (const SegmentPiece& piece : pieces) {
      ASSERT_EQ(piece.from, at);
      ASSERT_GT(piece.to, piece.from);
      ASSERT_LE(piece.to, segments[piece.plan].until);
      for (const double share : {0.001, 0.3, 0.7, 0.999}) {
        const double x = piece.from + share * (piece.to - piece.from);
        double least = std::numeric_limits<double>::infinity();
        for (const PriceSegment& s : segments) {
          if (s.until >= x) least = std::min(least, s.At(x).value());
        }
        ASSERT_NEAR(segments[piece.plan].At(x).value(), least, 1e-9 * (1 + least));
      }
      at = piece.to;
    }
    gaps += at < 50 ? 1 : 0;
    for (const PriceSegment& s : segments) EXPECT_TRUE(at == 50 || s.until <= at);
  }
  EXPECT_GT(gaps, 100U);
}

}  // namespace
}  // namespace fogline
