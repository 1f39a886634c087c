// Nothing is lost: edges with a spool, a broker and a cloud, all as processes of their own, killed
// without warning in the middle of the stream. In the end every frame that an edge ever put into
// its spool is stored, and stored once.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>

#include "tests/line/reliability.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
TEST_F(Reliability, KilledEdgesBrokersAndWorkersCostNoFrame) {
  StartCloudProcess();
  std::mt19937 random(1);
  std::set<Name> spooled;
  std::map<std::string, int> deaths;
  Process edge = StartSpooling("mortal", {"--loop", "--rate", "50"});
  for (int round = 0; round < 5; ++round) {
    const size_t stored = Stored("mortal").size();
    ASSERT_TRUE(Until([&] { return Stored("mortal").size() >= stored + 5 + random() % 10; }))
        << round << "\n"
        << Log();
    // The edge dies first and last.
    switch (round % 3) {
      case 0: {
        Kill(edge);
        for (const Name& name : Left("mortal")) spooled.insert(name);
        edge = StartSpooling("mortal", {"--loop", "--rate", "50"});
        ++deaths["edge"];
        break;
      }
      case 1:
        ASSERT_TRUE(broker_->Restart());
        ++deaths["broker"];
        break;
      case 2:
        Kill(cloud_process_);
        StartCloudProcess();
        ++deaths["cloud"];
        break;
    }
  }
  Kill(edge);
  for (const Name& name : Left("mortal")) spooled.insert(name);
  Finish("mortal");
  ExpectEveryFrameOnce("mortal", spooled);
  std::printf("%d deaths of an edge, %d of a broker, %d of a cloud; %zu frames, each stored once\n",
              deaths["edge"], deaths["broker"], deaths["cloud"], Stored("mortal").size());
}

TEST_F(Reliability, AWorkerThatIsAskedToStopFinishesWhatItTook) {
  StartCloudProcess();
  Process leaving = std::move(cloud_process_);
  Process edge = StartSpooling("driver", {"--loop", "--rate", "100", "--window", "64"});
  ASSERT_TRUE(Until([&] { return Stored("driver").size() >= 10; })) << Log();
  StartCloudProcess();
  leaving.Signal(SIGTERM);
  const auto text = leaving.ReadStdout();
  EXPECT_EQ(leaving.Wait(), 0);
  const auto report = nlohmann::json::parse(*text, nullptr, false);
  EXPECT_GE(report["stored"], 10);
  const size_t stored = Stored("driver").size();
  ASSERT_TRUE(Until([&] { return Stored("driver").size() > stored; })) << "the other takes over";
  edge.Signal(SIGINT);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  Finish("driver");
  ExpectEveryFrameOnce("driver", {});
}

TEST_F(Reliability, WhileTheCloudIsSilentTheWholeNetworkRunsHere) {
  Process edge =
      StartSpooling("alone", {"--loop", "--rate", "50", "--fallback", "0.2", "--drain", "60"});
  ASSERT_TRUE(Until([&] { return Log().find("runs here") != std::string::npos; })) << Log();
  StartCloudProcess();
  ASSERT_TRUE(Until([&] { return Log().find("split again") != std::string::npos; })) << Log();
  const size_t stored = Stored("alone").size();
  ASSERT_TRUE(Until([&] { return Stored("alone").size() > stored + 5; }));
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["kept"], 0);
  ExpectEveryFrameOnce("alone", {});
  std::map<std::string, int> mechanisms;
  for (const auto& row : Stored("alone")) ++mechanisms[row.detection.mechanism];
  EXPECT_EQ(mechanisms["edge-only"], report["local"]);
  EXPECT_GT(mechanisms["edge-only"], 0);
  EXPECT_GT(mechanisms["split"], 0);
}

TEST_F(Reliability, AnEdgeWithoutANetworkKeepsItsFramesForTheNextRun) {
  Process offline = StartSpooling("hermit", {"--drain", "0"});
  const auto report = Report(offline);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], 0);
  EXPECT_EQ(report["kept"], report["sent"]);
  const auto left = Left("hermit");
  EXPECT_EQ(left.size(), report["sent"].get<size_t>());
  StartCloudProcess();
  Finish("hermit");
  ExpectEveryFrameOnce("hermit", {left.begin(), left.end()});
}

TEST_F(Reliability, WhatDaemonsWriteIsTheirUsersAloneWhateverTheUmask) {
  const std::filesystem::path own = dir_.path() / "own";
  std::filesystem::create_directory(own);
  const mode_t before = umask(0);
  cloud_process_ = NewCloud("sqlite:" + (own / "store.db").string());
  Process edge = StartEdge({"--cut", "split13", "--count", "3", "--spool", (own / "spool").string(),
                            "--metrics", (own / "edge.prom").string(), "--trace",
                            (own / "trace.json").string(), "--drain", "60"});
  umask(before);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(own)) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0) << entry.path();
    EXPECT_EQ(info.st_mode & 077U, 0U) << entry.path();
    names.insert(entry.path().filename());
  }
  for (const char* name : {"store.db", "spool", "edge.prom", "trace.json"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST_F(Reliability, AFullSpoolHoldsTheCameraOrDropsAndSaysSo) {
  // No cloud: 200 pictures as JPEG do not fit into a megabyte.
  const std::vector<std::string> many{"--loop", "--count", "200", "--drain", "0"};
  for (const char* policy : {"oldest", "newest"}) {
    std::vector<std::string> flags = many;
    flags.insert(flags.end(),
                 {"--mechanism", "cloud-only", "--device", policy, "--spool",
                  SpoolOf(policy).string(), "--spool-limit", "1MiB", "--when-full", policy});
    Process edge = StartEdge(flags);
    const auto report = Report(edge);
    EXPECT_EQ(status_, 1) << "not everything is stored, or will be";
    EXPECT_GT(report["dropped"], 0) << policy;
    EXPECT_EQ(report["kept"].get<int>() + report["dropped"].get<int>(), 200) << policy;
    EXPECT_NE(Log().find("dropped"), std::string::npos) << Log();
    const auto left = Left(policy);
    EXPECT_EQ(left.back().second == 199, std::string(policy) == "oldest");
  }
  std::vector<std::string> flags{"--loop",
                                 "--mechanism",
                                 "cloud-only",
                                 "--device",
                                 "wait",
                                 "--spool",
                                 SpoolOf("wait").string(),
                                 "--spool-limit",
                                 "1MiB",
                                 "--drain",
                                 "0"};
  Process edge = StartEdge(flags);
  ASSERT_TRUE(Until([&] { return Log().find("the camera waits") != std::string::npos; })) << Log();
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["kept"], report["sent"]);
  EXPECT_EQ(report["dropped"], 0);
}

/// A disk of its own for an edge's spool: a small tmpfs in a mount namespace that ends with it.
class SmallDisk : public Reliability {
 protected:
  /// False where namespaces are not allowed.
  bool Mount(const std::string& device, const std::string& size) {
    std::filesystem::create_directory(SpoolOf(device));
    before_edge_ = {"unshare",
                    "-rm",
                    "sh",
                    "-c",
                    "mount -t tmpfs -o size=" + size + " fogline \"$0\" && exec \"$@\"",
                    SpoolOf(device).string()};
    auto tried = Process::Start({.command = {"unshare", "-rm", "true"}, .stderr_to = "/dev/null"});
    return tried && tried->Wait() == 0;
  }
};

TEST_F(SmallDisk, WhenItIsFullFramesAreDroppedAsAskedAndCounted) {
  for (const char* policy : {"oldest", "newest"}) {
    if (!Mount(policy, "512k")) GTEST_SKIP() << "no mount namespaces here";
    const auto report =
        RunEdge({"--mechanism", "cloud-only", "--loop", "--count", "100", "--drain", "0",
                 "--device", policy, "--spool", SpoolOf(policy).string(), "--when-full", policy});
    EXPECT_EQ(status_, 1) << Log();
    EXPECT_GT(report["dropped"], 0) << policy;
    EXPECT_GT(report["kept"], 0) << policy;
    EXPECT_EQ(
        report["kept"].get<int>() + report["dropped"].get<int>() + report["unspooled"].get<int>(),
        100)
        << policy << report;
    EXPECT_NE(Log().find("dropped"), std::string::npos) << Log();
  }
}

TEST_F(SmallDisk, WithAFreeLineFramesGoOnFromMemoryAlone) {
  if (!Mount("brim", "8k")) GTEST_SKIP() << "no mount namespaces here";
  StartCloudProcess();
  const auto report = RunEdge({"--mechanism", "cloud-only", "--loop", "--count", "60", "--drain",
                               "60", "--device", "brim", "--spool", SpoolOf("brim").string()});
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_GT(report["unspooled"], 0) << report;
  EXPECT_EQ(report["dropped"], 0);
  EXPECT_EQ(report["unanswered"], 0);
  EXPECT_EQ(Stored("brim").size(), 60U);
  ExpectEveryFrameOnce("brim", {});
}

}  // namespace
}  // namespace fogline
