// A line that moves: a policy made by a plan, and an edge that chooses among its routes. Every
// picture is stored once, whichever way it went; policies that are not this device's are refused by
// one line.
#include <set>

#include "tests/cli/command.h"
#include "tests/line/line.h"

namespace fogline {
namespace {

class SteeredLine : public Line {
 protected:
  void SetUp() override {
    Line::SetUp();
    const Outcome plan = Plan("raspberry-pi-4", policy_);
    ASSERT_EQ(plan.status, 0) << plan.log;
    EXPECT_THAT(plan.out, HasSubstr("A policy of"));
  }
  Outcome Plan(const std::string& device, const std::filesystem::path& file) {
    return RunCommand({"plan", kModel.string(), "--edge", device, "--cloud", "c6i.large", "--link",
                       "4g", "--policy-file", file.string()},
                      dir_.path());
  }
  std::vector<std::string> Automatic(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"--mechanism", "auto", "--policy-file", policy_.string(), "--device", "moves"});
    return more;
  }

  const std::filesystem::path policy_ = dir_.path() / "line.policy";
};

TEST_F(SteeredLine, EveryPictureIsStoredOnceWhicheverWayItGoes) {
  const auto metrics = dir_.path() / "edge.prom";
  const auto report = RunEdge(Automatic(
      {"--loop", "--count", "60", "--rate", "60", "--window", "4", "--metrics", metrics.string()}));
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["mechanism"], "auto");
  EXPECT_EQ(report["stored"], 60);
  uint64_t pictures = 0, used = 0;
  for (const auto& [route, count] : report["routes"].items()) {
    EXPECT_THAT(route, HasSubstr("litter@160:"));
    pictures += count.get<uint64_t>();
    used += count.get<uint64_t>() > 0 ? 1 : 0;
  }
  EXPECT_EQ(pictures, 60U);
  EXPECT_GE(used, 2U) << "the first picture goes as a result, another tells what more would cost\n"
                      << Log();
  EXPECT_GE(report["switches"], 1);
  EXPECT_GE(report["probes"], 1);
  EXPECT_THAT(Log(), HasSubstr("from here on"));
  std::set<std::string> cuts;
  const auto rows = Stored("moves");
  EXPECT_EQ(rows.size(), 60U);
  for (const StoredDetection& row : rows) cuts.insert(row.detection.cut);
  EXPECT_EQ(cuts.size(), used) << "frames name their routes";
  const std::string text = ReadTextFile(metrics).value();
  EXPECT_THAT(text, HasSubstr("fogline_edge_probes_total{device=\"moves\"}"));
  EXPECT_THAT(text, HasSubstr("fogline_edge_route_pictures_total{device=\"moves\",route=\""));
}

TEST_F(SteeredLine, AtADeadLineTheWholeNetworkRunsHereAndTheSpoolKeepsIt) {
  cloud_->Stop();
  const std::string spool = (dir_.path() / "spool").string();
  auto report = RunEdge(Automatic({"--spool", spool, "--fallback", "0.05", "--loop", "--count",
                                   "20", "--rate", "40", "--drain", "0.2"}));
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["kept"], 20) << Log();
  EXPECT_GT(report["local"], 0);
  StartCloud();
  report = RunEdge(Automatic({"--spool", spool, "--count", "1"}));
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["recovered"], 20);
  EXPECT_EQ(Stored("moves").size(), 21U);
}

TEST_F(SteeredLine, PoliciesThatAreNotThisDevicesAreRefusedByOneLine) {
  const auto refused = [&](std::vector<std::string> flags, const std::string& what,
                           int status = 1) {
    flags.insert(flags.begin(), {"edge", "--broker", broker_->url(), "--model", kModel.string(),
                                 "--source", kPictures.string(), "--mechanism", "auto"});
    ExpectOneLine(RunCommand(flags, dir_.path()), what, status);
  };
  const auto change = [&](const std::string& old, const std::string& other) {
    std::string text = ReadTextFile(policy_).value();
    const size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    const auto file = dir_.path() / "changed.policy";
    EXPECT_TRUE(WriteFile(file, text.replace(at, old.size(), other)));
    return file.string();
  };
  refused({}, "there is neither --policy-file nor");
  refused({"--policy-file", "/nowhere"}, "/nowhere");
  refused({"--policy-file", policy_.string(), "--pace", "jetson-nano"}, "is for raspberry-pi-4");
  refused({"--policy-file", change("\"processor\": \"\"", "\"processor\": \"Abacus\"")}, "Abacus");
  const std::string zeros(8, '0');
  const auto hash = [&](const char* key) {
    const std::string text = ReadTextFile(policy_).value();
    return std::string(key) + text.substr(text.find(key) + std::string(key).size(), 8);
  };
  refused({"--policy-file", change(hash("\"model\": \""), "\"model\": \"" + zeros)},
          "is for model 00000000");
  refused({"--policy-file", change(hash("\"bundle\": \""), "\"bundle\": \"" + zeros)},
          "was made with calibration 00000000");
  refused({"--policy-file", policy_.string(), "--cut", "split10"}, "--cut", 2);
  ExpectOneLine(RunCommand({"edge", "--model", kModel.string(), "--source", kPictures.string(),
                            "--mechanism", "edge-only", "--policy-file", policy_.string()},
                           dir_.path()),
                "--mechanism auto", 2);
}

}  // namespace
}  // namespace fogline
