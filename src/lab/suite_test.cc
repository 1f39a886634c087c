#include "lab/suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

const std::string kSmall = R"(
title = "small"
count = 8
[model.m]
file = "models/litter.onnx"
side = 160
[device.here]
[device.half]
cores = 0.5
[device.pi]
pace = "raspberry-pi-3b-plus"
[cloud.t2]
pace = "t2.micro"
[link.slow]
link = "up=5Mbps,down=20Mbps,rtt=50ms"
medium = "user"
jitter_ms = 3
[[experiment]]
key = "one"
model = "m"
device = "pi"
cloud = "t2"
link = "slow"
wires = ["json", "fogline"]
cuts = ["cloud-only", "split3"]
[[capacity]]
key = "late"
model = "m"
cut = "split13"
wanted = 1500
)";

std::string Without(std::string text, const std::string& line) {
  const size_t at = text.find(line);
  return at == std::string::npos ? text : text.erase(at, line.size());
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const auto suite = ParseSuite(text, "suite.toml");
  return suite ? "no error" : suite.error().ToString();
}

TEST(Suite, IsReadAsWritten) {
  const auto suite = ParseSuite(kSmall, "suite.toml");
  ASSERT_TRUE(suite) << suite.error().ToString();
  EXPECT_EQ(suite->name, "suite");
  EXPECT_EQ(suite->count, 8);
  EXPECT_EQ(suite->quick, 4);
  EXPECT_EQ(suite->models[0].side, 160);
  ASSERT_EQ(suite->devices.size(), 3U);
  for (const SuiteMachine& m : suite->devices) {
    const Evidence wanted = m.key == "here"   ? Evidence::kReal
                            : m.key == "half" ? Evidence::kLimited
                                              : Evidence::kPaced;
    EXPECT_EQ(m.evidence, wanted) << m.key;
  }
  const SuiteLink& link = suite->links[0];
  EXPECT_EQ(link.medium, Medium::kUser);
  EXPECT_EQ(link.profile.up.value(), 5);
  EXPECT_EQ(link.profile.rtt.value(), 50);
  EXPECT_EQ(link.jitter_ms, 3);
  const SuiteExperiment& e = suite->experiments[0];
  EXPECT_EQ(suite->devices[e.device].key, "pi");
  EXPECT_EQ(e.wires, (std::vector{WireKind::kJson, WireKind::kFogline}));
  EXPECT_EQ(e.cuts, (std::vector<std::string>{"cloud-only", "split3"}));
  EXPECT_EQ(suite->capacities[0].wanted, 1500);
}

TEST(Suite, WithoutCutsTakesThePapers) {
  const auto suite = ParseSuite(Without(kSmall, "cuts = [\"cloud-only\", \"split3\"]"), "s.toml");
  ASSERT_TRUE(suite);
  EXPECT_EQ(suite->experiments[0].cuts.size(), 16U);
  EXPECT_EQ(suite->experiments[0].cuts.front(), "cloud-only");
  EXPECT_EQ(suite->experiments[0].cuts.back(), "edge-only");
}

TEST(Suite, NamesWhatIsWrongAndWhatIsNear) {
  EXPECT_THAT(ErrorOf("titel = \"x\"\n" + kSmall), HasSubstr("unknown key 'titel'"));
  EXPECT_THAT(ErrorOf("titel = \"x\"\n" + kSmall), HasSubstr("'title'"));
  EXPECT_THAT(ErrorOf(With(kSmall, "device = \"pi\"", "device = \"pie\"")),
              HasSubstr("there is no [device.pie] (did you mean 'pi'"));
  EXPECT_THAT(ErrorOf(With(kSmall, "\"raspberry-pi-3b-plus\"", "\"raspberry-pi-3b\"")),
              HasSubstr("raspberry-pi-3b-plus"));
  EXPECT_THAT(ErrorOf(With(kSmall, "medium = \"user\"", "medium = \"kernal\"")),
              HasSubstr("(did you mean 'kernel'"));
  EXPECT_THAT(ErrorOf(With(kSmall, "\"fogline\"]", "\"foglin\"]")), HasSubstr("neither json nor"));
  EXPECT_THAT(ErrorOf(With(kSmall, "cores = 0.5", "cores = 0.5\npace = \"t2.micro\"")),
              HasSubstr("exclude each other"));
  EXPECT_THAT(ErrorOf(With(kSmall, "count = 8", "count = 8.5")), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf(With(kSmall, "key = \"one\"", "key = \"../one\"")),
              HasSubstr("'experiment[0].key'"));
  EXPECT_THAT(ErrorOf(With(kSmall, "key = \"late\"", "key = \"one\"")), HasSubstr("there twice"));
  EXPECT_THAT(ErrorOf(With(kSmall, "models/litter.onnx", "models/liter.onnx")),
              HasSubstr("'models/liter.onnx' is neither beside the suite"));
  EXPECT_THAT(ErrorOf(With(kSmall, "count = 8", "count = 0")), HasSubstr("from 1 to 100000"));
  EXPECT_THAT(ErrorOf(With(kSmall, "side = 160", "side = 7")),
              HasSubstr("'model.m.side' must be a whole number from 32"));
  EXPECT_THAT(ErrorOf(With(kSmall, "up=5Mbps", "up=5Mbpps")),
              HasSubstr("'link.slow.link': unknown unit 'Mbpps'"));
  EXPECT_THAT(ErrorOf(With(kSmall, "\"fogline\"]", "\"fogline\", \"fogline\"]")),
              HasSubstr("'fogline' is there twice"));
  EXPECT_THAT(ErrorOf("pictures = \"nowhere\"\n" + kSmall), HasSubstr("'nowhere' is neither"));
  const TempDir empty;
  EXPECT_THAT(ErrorOf("pictures = \"" + empty.path().string() + "\"\n" + kSmall),
              HasSubstr("holds no pictures"));
  EXPECT_THAT(ErrorOf("title = \"nothing\""), HasSubstr("has no [[experiment]]"));
}

TEST(Suite, EveryShippedOneIsReadable) {
  const std::filesystem::path data = FOGLINE_SHARED_DATA;
  for (const char* name : {"paper", "loopback", "capacity"}) {
    const auto suite = FindSuite(name);
    EXPECT_TRUE(suite) << name << ": " << suite.error().ToString();
  }
  const auto missing = FindSuite("papper");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("(did you mean 'paper'"));
  if (!std::filesystem::exists(data / "traces")) GTEST_SKIP() << "no recorded traces here";
  const auto traces = FindSuite("traces", data);
  EXPECT_TRUE(traces) << traces.error().ToString();
}

}  // namespace
}  // namespace fogline
