// The link in user space: it must carry every byte, and never faster than told. That it takes as
// long as the kernel's own shaping does is measured by bench/relay_bench.
#include "lab/relay.h"

#include <gtest/gtest.h>

#include <string>

#include "lab/test_sink.h"

namespace fogline {
namespace {

TEST(Relay, CarriesEveryByteAndIsNeverFasterThanTold) {
  constexpr size_t kBytes = 100'000;
  const Sink sink(kBytes);
  LinkShape shape;
  shape.up_mbps = 16;
  shape.delay_ms = 10;
  shape.jitter_ms = 4;
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay) << relay.error().ToString();
  const double ms = TransferMs("127.0.0.1", (*relay)->port(), kBytes);
  EXPECT_GE(ms, 50.0 + 2 * 10);
  EXPECT_EQ((*relay)->up_bytes(), kBytes);
  EXPECT_EQ((*relay)->down_bytes(), 1U);
}

TEST(Relay, ALostSegmentStallsWhatFollows) {
  constexpr size_t kBytes = 100'000;
  const Sink sink(kBytes);
  LinkShape shape;
  shape.loss = 0.1;
  shape.delay_ms = 5;
  // Of 70 segments about seven are lost, each a round trip at least.
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay);
  EXPECT_GE(TransferMs("127.0.0.1", (*relay)->port(), kBytes), 20);
  EXPECT_EQ(StallMs(shape, true), 10);
  EXPECT_EQ(StallMs(shape, false), 200);
}

TEST(Relay, PlaysBackATrace) {
  constexpr size_t kBytes = 45'000;
  const Sink sink(kBytes);
  LinkShape shape;
  // A packet of 1,500 bytes every 2 ms: 6 Mbit/s.
  std::string text;
  for (int ms = 2; ms <= 1000; ms += 2) text += std::to_string(ms) + "\n";
  shape.up_trace = *Trace::Parse(text, "trace");
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay);
  EXPECT_GE(TransferMs("127.0.0.1", (*relay)->port(), kBytes), 55);
}

TEST(Relay, SaysWhereItCannotListen) {
  const auto relay = Relay::Start("192.0.2.1", 1, {});
  ASSERT_FALSE(relay);
  EXPECT_EQ(relay.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace fogline
