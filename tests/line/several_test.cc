// Several cameras in one edge, and several workers on one camera.
#include <algorithm>

#include "tests/line/listener.h"
#include "tests/line/reliability.h"
#include "vision/folder.h"

namespace fogline {
namespace {

std::string Named(const std::string& device) { return device + "=" + kPictures.string(); }

TEST_F(Line, TwoSourcesAreTwoDevicesWithASpoolEach) {
  const auto spool = dir_.path() / "spool";
  const auto report = RunEdge(
      {"--source", Named("cam-2"), "--cut", "split13", "--spool", spool.string()}, Named("cam-1"));
  ASSERT_EQ(status_, 0) << Log();
  ASSERT_EQ(report["devices"].size(), 2U);
  for (const size_t i : {0, 1}) {
    const std::string device = report["devices"][i]["device"];
    EXPECT_EQ(device, i == 0 ? "cam-1" : "cam-2");
    EXPECT_EQ(report["devices"][i]["stored"], PictureCount());
    EXPECT_FALSE(report["devices"][i].contains("error"));
    std::set<Name> names;
    for (const auto& row : Stored(device)) {
      EXPECT_TRUE(names.emplace(row.detection.run, row.detection.sequence).second);
    }
    EXPECT_EQ(names.size(), PictureCount());
    EXPECT_TRUE(std::filesystem::is_directory(spool / device));
  }
  EXPECT_EQ(report["total"]["stored"], 2 * PictureCount());
  EXPECT_EQ(report["total"]["images"], 2 * PictureCount());
}

TEST_F(Line, ASourceThatFailsDoesNotStopTheOthers) {
  const auto metrics = dir_.path() / "edge.prom";
  const auto report = RunEdge(
      {"--source", Named("there"), "--mechanism", "cloud-only", "--metrics", metrics.string()},
      "gone=/nowhere/at/all");
  EXPECT_EQ(status_, 1);
  EXPECT_NE(report["devices"][0]["error"].get<std::string>().find("/nowhere/at/all"),
            std::string::npos);
  EXPECT_EQ(report["devices"][1]["stored"], PictureCount()) << Log();
  EXPECT_EQ(Stored("there").size(), PictureCount());
  const std::string text = ReadTextFile(metrics).value();
  for (const char* device : {"gone", "there"}) {
    EXPECT_NE(text.find(fmt::format("fogline_edge_sent_total{{device=\"{}\"}}", device)),
              std::string::npos)
        << text;
  }
}

TEST_F(Line, SourcesThatAreNoneOrTwoAreOneLine) {
  const auto refused = [&](const std::string& source, std::vector<std::string> flags,
                           const char* word) {
    flags.insert(flags.end(), {"--mechanism", "edge-only"});
    const auto lines = std::ranges::count(Log(), '\n');
    RunEdge(flags, source);
    EXPECT_EQ(status_, 2) << Log();
    EXPECT_NE(Log().find(word), std::string::npos) << Log();
    EXPECT_EQ(std::ranges::count(Log(), '\n'), lines + 1) << Log();
  };
  refused(Named("a"), {"--source", Named("a")}, "two sources are called a");
  refused(Named("a"), {"--source", Named("b c")}, "each is NAME=SOURCE");
  refused(Named("a"), {"--source", Named("b"), "--device", "c"}, "--device");
}

TEST_F(Line, SeveralWorkersSendWhatOneSendsInTheSameOrder) {
  Listener::Sent sent[2];
  for (const bool several : {false, true}) {
    const std::string device = several ? "several" : "one";
    const Listener listener(broker_->url(), device);
    const auto report =
        RunEdge({"--cut", "split10", "--codec", "f32", "--thumbnail", "32", "--workers",
                 several ? "3" : "1", "--device", device, "--loop", "--count", "20"});
    ASSERT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["images"], 20);
    EXPECT_EQ(report["stored"], 20);
    ASSERT_TRUE(Until([&] { return listener.sent().size() == 20; }));
    sent[several ? 1 : 0] = listener.sent();
  }
  EXPECT_EQ(sent[0], sent[1]);
}

TEST_F(Line, TheLatestPictureWinsWithSeveralWorkersToo) {
  const auto report =
      RunEdge({"--mechanism", "cloud-only", "--policy", "latest", "--rate", "100", "--window", "2",
               "--workers", "3", "--loop", "--count", "30", "--device", "live"});
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["images"], 30);
  EXPECT_EQ(report["sent"], 30);
  EXPECT_EQ(report["stored"], 30);
}

TEST_F(Reliability, KillingAnEdgeOfSeveralWorkersCostsNoFrame) {
  StartCloudProcess();
  std::set<Name> spooled;
  const std::vector<std::string> flags{"--loop", "--rate", "100", "--workers", "3"};
  for (int round = 0; round < 3; ++round) {
    const size_t stored = Stored("crew").size();
    Process edge = StartSpooling("crew", flags);
    ASSERT_TRUE(Until([&] { return Stored("crew").size() >= stored + 10; })) << Log();
    Kill(edge);
    for (const Name& name : Left("crew")) spooled.insert(name);
  }
  // Asked to stop, it keeps or sends what it has.
  Process edge = StartSpooling("crew", flags);
  const size_t stored = Stored("crew").size();
  ASSERT_TRUE(Until([&] { return Stored("crew").size() >= stored + 10; })) << Log();
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["unanswered"], 0);
  Finish("crew");
  ExpectEveryFrameOnce("crew", spooled);
}

}  // namespace
}  // namespace fogline
