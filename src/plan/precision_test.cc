// Which of a network in float and in integers is run, and what a plan says of it.
#include "plan/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "engine/shapes.h"
#include "plan/request.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kModelFile =
    std::filesystem::path(FOGLINE_SOURCE_DIR) / "models" / "litter.onnx";

class PrecisionTest : public ::testing::Test {
 protected:
  PrecisionTest() : network_(ReadNetwork(kModelFile).value()) {
    bundle_ = BundleBeside(network_.model, kModelFile);
  }

  /// The litter network where every layer takes `pace` of its time, give or take a tenth unless it
  /// is the float one, and of which so many verdicts stay. Results are wanted at the edge, behind a
  /// slow line: all is a matter of its times.
  Scenario Make(double pace, double agreement, PlanRequest request = {}) const {
    request.deliver = "edge";
    PlanSide sides[2];
    const char* names[] = {"raspberry-pi-4", "t2.micro"};
    for (int i = 0; i < 2; ++i) {
      sides[i] = LibrarySide(network_.model, names[i], "--edge").value();
      for (Milliseconds& layer : sides[i].timing.layers) layer = layer * pace;
      sides[i].timing.integers_error = pace == 1 ? 0 : 0.1;
    }
    Scenario s = MakeScenario(request, network_, ListCuts(network_.model).value(),
                              bundle_ ? &*bundle_ : nullptr, std::move(sides[0]),
                              std::move(sides[1]), FindLibraryLink("3g", "--link").value())
                     .value();
    s.network_agreement = agreement;
    return s;
  }
  static std::vector<Precision> Both(Scenario& whole, Scenario& integers) {
    std::vector<Precision> all;
    all.push_back({"float.onnx", &whole, MakePlan(whole)});
    all.push_back({"int8.onnx", &integers, MakePlan(integers)});
    return all;
  }

  Network network_;
  std::optional<Bundle> bundle_;
};

// What the network in integers changes is changed at every cut and by every codec, on top of what
// these change; and nothing of it is exact.
TEST_F(PrecisionTest, WhatTheNetworkChangesComesOnTop) {
  const auto whole = EnumerateCandidates(Make(1, 1));
  const auto integers = EnumerateCandidates(Make(1, 0.9));
  ASSERT_EQ(whole.size(), integers.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(whole[i].payload.codec, integers[i].payload.codec);
    ASSERT_EQ(whole[i].payload.agreement.has_value(), integers[i].payload.agreement.has_value());
    if (!whole[i].payload.agreement) continue;
    EXPECT_NEAR(*integers[i].payload.agreement, *whole[i].payload.agreement - 0.1, 1e-12);
    EXPECT_FALSE(integers[i].payload.exact);
  }
}

TEST_F(PrecisionTest, IntegersAreTakenWhereTheyWinByMoreThanIsUncertain) {
  Scenario whole = Make(1, 1);
  for (const auto& [pace, taken] : {std::pair(0.4, true), {0.99, false}, {1.2, false}}) {
    Scenario integers = Make(pace, 0.97);
    const auto all = Both(whole, integers);
    const size_t chosen = ChoosePrecision(all).value();
    EXPECT_EQ(chosen, taken ? 1U : 0U) << pace;
    const auto texts = PrecisionTexts(all, chosen);
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_THAT(texts[0], AllOf(HasSubstr("int8.onnx"), HasSubstr("97 % of verdicts stay"),
                                HasSubstr(pace < 1 ? "less than in float" : "more than in float"),
                                HasSubstr(taken ? ": taken" : ": left")));
    const Json json = PrecisionJson(all, chosen);
    EXPECT_EQ(json[1]["chosen"], taken);
    EXPECT_EQ(json[0]["agreement"], 1);
  }
}

// The cheapest is asked for, or nothing is changed: then the least difference is enough.
TEST_F(PrecisionTest, TheLeastGainIsEnoughWhereNothingSpeaksAgainstIt) {
  PlanRequest strict;
  strict.strict = true;
  Scenario whole = Make(1, 1, strict), integers = Make(0.99, 0.97, strict);
  EXPECT_EQ(ChoosePrecision(Both(whole, integers)).value(), 1U);
  Scenario same = Make(1, 1), exact = Make(0.99, 1);
  EXPECT_EQ(ChoosePrecision(Both(same, exact)).value(), 1U);
}

TEST_F(PrecisionTest, LimitsHoldForEachNetwork) {
  PlanRequest request;
  request.min_agreement = 0.98;
  Scenario whole = Make(1, 1, request), integers = Make(0.4, 0.97, request);
  auto all = Both(whole, integers);
  EXPECT_EQ(ChoosePrecision(all).value(), 0U);
  EXPECT_THAT(PrecisionTexts(all, 0)[0], AllOf(HasSubstr("no plan"), HasSubstr("--min-agreement")));
  EXPECT_TRUE(PrecisionJson(all, 0)[1]["objective"].is_null());

  // The other way round: in float nothing is fast enough.
  PlanRequest fast;
  const double least = MakePlan(whole)->certificate.optimum.value();
  fast.max_latency = 0.8 * least;
  Scenario slow = Make(1, 1, fast), quick = Make(0.4, 0.97, fast);
  all = Both(slow, quick);
  EXPECT_EQ(ChoosePrecision(all).value(), 1U);
  EXPECT_THAT(PrecisionTexts(all, 1)[0], HasSubstr("in float nothing keeps to the limits"));

  fast.max_latency = 0.001;
  Scenario none = Make(1, 1, fast), neither = Make(0.4, 0.97, fast);
  const auto refused = ChoosePrecision(Both(none, neither));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
}

TEST_F(PrecisionTest, ANetworkOfAnotherOneIsRefused) {
  const auto unknown = AgreementOfIntegers(network_, network_);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("fogline quantize"));
  Network other = ReadNetwork(kModelFile).value();
  other.card.integers = IntegersNote{{}, 0.9, 100, true};
  const auto refused = AgreementOfIntegers(network_, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  other.card.integers->of = network_.model.hash();
  EXPECT_EQ(AgreementOfIntegers(network_, other).value(), 0.9);
}

}  // namespace
}  // namespace fogline
