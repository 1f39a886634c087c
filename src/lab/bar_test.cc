#include "lab/bar.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

constexpr const char* kReport = R"({"images":4,"stored":4,"bytes_mean":1234.5,
  "latency_ms":{"p50":40.0,"p95":50},"hypothetical_ms":{"p50":30.0,"p95":31},
  "stages_ms":{"read":{"p50":1.0,"p95":2},"resize":{"p50":1.0,"p95":1},"prefix":{"p50":10.0,"p95":11.4},
  "network":{"p50":15.0,"p95":25}}})";

TEST(Bar, IsReadFromAnEdgesReport) {
  Bar bar;
  ASSERT_TRUE(ReadReport(kReport, bar));
  EXPECT_EQ(bar.pictures, 4);
  EXPECT_EQ(bar.true_ms, 40);
  EXPECT_EQ(bar.hypothetical_ms, 30);
  EXPECT_EQ(bar.measured_ms, 28);  // without reading and resizing
  EXPECT_NEAR(bar.spread, 1.4 / 28, 1e-9);
  EXPECT_EQ(bar.stage("prefix"), 10);
  EXPECT_EQ(bar.stage("suffix"), 0);
}

TEST(Bar, RefusesWhatIsNoReport) {
  Bar bar;
  EXPECT_FALSE(ReadReport("", bar));
  EXPECT_FALSE(ReadReport("[]", bar));
  EXPECT_FALSE(ReadReport(R"({"images":4,"stored":0,"bytes_mean":0,"latency_ms":{"p50":0},
    "hypothetical_ms":{"p50":0},"stages_ms":{}})",
                          bar));
}

Bar MakeBar(WireKind wire, const char* cut, double forecast, double measured) {
  Bar bar;
  bar.wire = wire;
  bar.cut = cut;
  bar.forecast.edge = forecast;
  bar.measured_ms = measured;
  return bar;
}

TEST(Bar, RegretIsWhatThePlansChoiceCosts) {
  const std::vector<Bar> bars{MakeBar(WireKind::kFogline, "cloud-only", 20, 24),
                              MakeBar(WireKind::kFogline, "split3", 21, 22),
                              MakeBar(WireKind::kJson, "cloud-only", 90, 100),
                              MakeBar(WireKind::kJson, "edge-only", 50, 40)};
  const auto choices = ChoicesOf(bars);
  ASSERT_EQ(choices.size(), 2U);
  EXPECT_EQ(choices[0].planned, 0U);
  EXPECT_EQ(choices[0].best, 1U);
  EXPECT_NEAR(choices[0].regret, 24.0 / 22 - 1, 1e-9);
  EXPECT_EQ(choices[1].planned, 3U);
  EXPECT_EQ(choices[1].regret, 0);
  const ForecastError error = ErrorOf({&bars[0], &bars[2], &bars[3]});
  EXPECT_NEAR(error.median, 4.0 / 24, 1e-9);
  EXPECT_NEAR(error.worst, 0.25, 1e-9);
}

}  // namespace
}  // namespace fogline
