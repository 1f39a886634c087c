#include "profile/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"

namespace fogline {
namespace {

TEST(Library, EveryMachineReadsAndSaysWhereItsNumbersComeFrom) {
  size_t devices = 0;
  for (const LibraryFile& file : LibraryFiles()) {
    if (file.folder == "links") continue;
    const auto machine = FindMachine(std::string(file.name), "--edge");
    ASSERT_TRUE(machine) << machine.error().ToString();
    EXPECT_EQ(machine->name, file.name);
    EXPECT_FALSE(machine->compute.source.empty()) << file.name;
    EXPECT_TRUE(machine->fit) << file.name;
    if (file.folder == "devices") {
      ++devices;
      ASSERT_TRUE(machine->power && machine->purchase) << file.name;
      EXPECT_FALSE(machine->power->source.empty() || machine->purchase_source.empty());
    } else {
      ASSERT_TRUE(machine->rent) << file.name;
      EXPECT_FALSE(machine->rent->source.empty()) << file.name;
    }
  }
  EXPECT_GE(devices, 28U);
  EXPECT_EQ(FindMachine("raspberry-pi-3b-plus", "--edge")->power->busy, Watts(5.1));
}

// What is not published is not made up: GPUs ran the benchmark's integers on their CPU.
TEST(Library, FactorsForIntegersComeWithTheirErrorOrNotAtAll) {
  size_t known = 0, unknown = 0;
  for (const LibraryFile& file : LibraryFiles()) {
    if (file.folder == "links") continue;
    const Machine machine = FindMachine(std::string(file.name), "--edge").value();
    const auto& integers = machine.compute.integers;
    (integers ? known : unknown) += 1;
    const bool gpu = machine.compute.engine.find("GPU") != machine.compute.engine.npos;
    EXPECT_EQ(!integers, gpu) << file.name;
    EXPECT_EQ(file.text.find("in 8-bit integers is unknown") != file.text.npos, gpu) << file.name;
    if (!integers) continue;
    EXPECT_GT(integers->error.left_out_median, 0) << file.name;
    EXPECT_GE(integers->error.networks, 6) << file.name;
    EXPECT_FALSE(integers->source.empty()) << file.name;
    for (const double factor : integers->of_float) EXPECT_GT(factor, 0) << file.name;
  }
  EXPECT_GT(known, 50U);
  EXPECT_GT(unknown, 0U);
}

TEST(Library, EveryLinkReads) {
  for (const char* name : {"ethernet", "wifi", "3g", "4g", "5g", "nb-iot"}) {
    const auto link = FindLink(name, "--link");
    ASSERT_TRUE(link) << link.error().ToString();
    EXPECT_FALSE(link->source.empty()) << name;
  }
}

TEST(Library, MistypedNamesGetTheNearest) {
  const auto device = FindMachine("jetson-nanno", "--edge");
  EXPECT_EQ(device.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(device.error().ToString(), testing::HasSubstr("did you mean 'jetson-nano'"));
  EXPECT_THAT(FindLink("4gg", "--link").error().ToString(),
              testing::HasSubstr("did you mean '4g'"));
}

TEST(Machine, RefusesWhatMakesNoSense) {
  const auto message = [](const std::string& text) {
    const auto machine = ParseMachine(text, "a.toml");
    return machine ? std::string() : machine.error().ToString();
  };
  const std::string compute =
      "[compute]\nwinograd=1\ndense=1\npointwise=1\ndepthwise=1\nweights=1\nmemory=1\nlayers=";
  EXPECT_EQ(message("name='a'\n" + compute + "1\n"), "");
  EXPECT_EQ(message("name='a'\n" + compute + "-1\n"),
            "a.toml: 'compute.layers' is -1, less than 0");
  EXPECT_EQ(message("name='a'\n" + compute + "'x'\n"), "a.toml: 'compute.layers' is not a number");
  EXPECT_EQ(message("name='a'\n"), "a.toml: lacks the table [compute]");
  EXPECT_EQ(message(compute + "1\n"), "a.toml: lacks the text 'name'");
  EXPECT_THAT(message("name="), testing::HasSubstr("a.toml: line 1: "));
  EXPECT_EQ(message("name='a'\n" + compute + "1\n[rent]\neuro_per_hour=1\nvcpus=1\nbaseline=2\n"),
            "a.toml: 'rent.baseline' is a share, at most 1");
  EXPECT_EQ(message("name='a'\n" + compute + "nan\n"), "a.toml: 'compute.layers' is not a number");
}

TEST(Machine, CreditsMakeABusyBurstableDearer) {
  const auto t2 = FindMachine("t2.micro", "--cloud");
  ASSERT_TRUE(t2);
  const double flat = PriceOfBusyVcpu(*t2->rent, 0.95, true).value();
  const double billed = PriceOfBusyVcpu(*t2->rent, 0.95).value();
  EXPECT_NEAR(flat, 0.01031 / 0.95, 1e-4);
  // 0.85 of a vCPU beyond the baseline at 0.046 euro an hour.
  EXPECT_NEAR(billed, (0.01031 + 0.85 * 0.046) / 0.95, 1e-4);
  const auto c6i = FindMachine("c6i.large", "--cloud");
  EXPECT_EQ(PriceOfBusyVcpu(*c6i->rent, 0.95), PriceOfBusyVcpu(*c6i->rent, 0.95, true));
}

TEST(Link, InlineForm) {
  const auto link = ParseInlineLink("up=8Mbps,down=30Mbps,rtt=40ms,loss=0.1%,price=5");
  ASSERT_TRUE(link) << link.error().ToString();
  EXPECT_EQ(link->up, MegabitsPerSecond(8));
  EXPECT_EQ(link->down, MegabitsPerSecond(30));
  EXPECT_EQ(link->rtt, Milliseconds(40));
  EXPECT_DOUBLE_EQ(link->loss, 0.001);
  EXPECT_EQ(link->price, EuroPerGigabyte(5));
  EXPECT_EQ(ParseInlineLink("up=62.5kbps,rtt=1.6s")->up, MegabitsPerSecond(0.0625));
  EXPECT_EQ(ParseInlineLink("up=1Gbps")->down, MegabitsPerSecond(1000));
  for (const char* bad : {"", "up=0Mbps", "up=-1Mbps", "up=8Mps", "upp=8Mbps", "down=8Mbps",
                          "up=", "up=8Mbps,rtt=-1ms", "up=8Mbps,loss=100%", "up=nanMbps", "up"}) {
    const auto failed = ParseInlineLink(bad);
    ASSERT_FALSE(failed) << bad;
    EXPECT_EQ(failed.error().code, ErrorCode::kUsage) << bad;
  }
}

TEST(Link, LossBoundsTheRate) {
  LinkProfile link;
  link.rtt = Milliseconds(100);
  EXPECT_EQ(link.EffectiveRate(MegabitsPerSecond(50)), MegabitsPerSecond(50));
  link.loss = 0.01;
  EXPECT_NEAR(link.EffectiveRate(MegabitsPerSecond(50)).value(), 1.413, 0.01);
  EXPECT_EQ(link.EffectiveRate(MegabitsPerSecond(1)), MegabitsPerSecond(1));
}

TEST(Trace, MahimahiCountsPackets) {
  // Two packets at 0 ms, one at 9 ms: 4,500 bytes every 10 ms are 3.6 Mbit/s.
  const auto trace = Trace::Parse("0\n0\n9\n", "t.up");
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_DOUBLE_EQ(trace->MeanRate().value(), 3.6);
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(3000), Milliseconds(0)).value(), 1);
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(4500), Milliseconds(0)).value(), 10);
  // From 5 ms: the packet at 9 ms, then the loop's first two.
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(4500), Milliseconds(5)).value(), 6);
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(45000), Milliseconds(0)).value(), 100);
}

TEST(Trace, SecondsAndMegabits) {
  const auto trace = Trace::Parse("0.0\t8\n1.0 0\n2.0\t8\n", "t");
  ASSERT_TRUE(trace);
  EXPECT_DOUBLE_EQ(trace->MeanRate().value(), 4);
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(500000), Milliseconds(0)).value(), 500);
  // Half a megabyte from the middle of the outage waits for its end.
  EXPECT_DOUBLE_EQ(trace->TransferTime(Bytes(500000), Milliseconds(1500)).value(), 1000);
  const Summary summary = trace->TransferTimes(Bytes(1000));
  EXPECT_LT(summary.p50, summary.p95);
  EXPECT_NEAR(summary.max, 1001, 1);
}

TEST(Trace, RefusesNonsense) {
  for (const char* bad : {"", "x\n", "5\n3\n", "1 2 3\n", "0 0\n1 0\n", "0 -1\n", "0 1\n5\n"}) {
    EXPECT_FALSE(Trace::Parse(bad, "t")) << bad;
  }
}

TEST(Trace, ReadsTheRecordedOnes) {
  const std::filesystem::path folder = std::filesystem::path(FOGLINE_SHARED_DATA) / "traces";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared data at " << folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto link = FindLink(entry.path().string(), "--link");
    ASSERT_TRUE(link) << link.error().ToString();
    EXPECT_GT(link->up.value(), 0.1) << entry.path();
    EXPECT_LT(link->up.value(), 100) << entry.path();
    const Summary one = link->trace->TransferTimes(Bytes(10000));
    EXPECT_LE(one.p50, one.p99);
  }
}

TEST(FindLink, TakesALinkOfTheLibraryWithChanges) {
  const LinkProfile plain = FindLink("4g", "--link").value();
  const LinkProfile changed = FindLink("4g,up=3,rtt=80ms,price=0", "--link").value();
  EXPECT_EQ(changed.up, MegabitsPerSecond(3));
  EXPECT_EQ(changed.down, plain.down);
  EXPECT_EQ(changed.rtt, Milliseconds(80));
  EXPECT_EQ(changed.price, EuroPerGigabyte(0));
  EXPECT_EQ(changed.radio, plain.radio);
  EXPECT_EQ(FindLink("4g,upp=3", "--link").error().code, ErrorCode::kUsage);
  EXPECT_EQ(FindLink("4g,up=0", "--link").error().code, ErrorCode::kUsage);
}

TEST(FindLibraryLink, LooksAtNoFile) {
  const std::string here = __FILE__;
  EXPECT_EQ(FindLibraryLink(here, "link").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FindLibraryMachine(here, "edge").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace fogline
