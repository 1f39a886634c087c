// Nothing is lost: edges with a spool, a broker and a cloud, all as processes of their own, killed
// without warning in the middle of the stream. In the end every frame that an edge ever put into
// its spool is stored, and stored once.
//
// FOGLINE_SOAK_ROUNDS=N makes it N deaths instead of a few; `make soak` does.
#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>

#include "edge/spool.h"
#include "tests/line/line.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using Name = std::pair<uint64_t, uint64_t>;  // run and sequence

int Rounds(int few) {
  const char* many = std::getenv("FOGLINE_SOAK_ROUNDS");
  return many != nullptr ? std::atoi(many) : few;
}

class Reliability : public Line {
 protected:
  void SetUp() override {
    Line::SetUp();
    cloud_->Stop();
    cloud_.reset();
  }

  void StartCloudProcess() {
    auto started = Process::Start(
        {.command = {FOGLINE_BINARY, "cloud", "--broker", broker_->url(), "--models",
                     kModels.string(), "--store", "sqlite:" + (dir_.path() / "test.db").string(),
                     "--workers", "1"},
         .stderr_to = dir_.path() / "cloud.log"});
    ASSERT_TRUE(started) << started.error().ToString();
    cloud_process_ = *std::move(started);
  }

  std::filesystem::path SpoolOf(const std::string& device) const { return dir_.path() / device; }
  Process StartSpooling(const std::string& device, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--cut", "split13", "--codec", "q4", "--device", device, "--spool",
                               SpoolOf(device).string()});
    return StartEdge(flags);
  }
  void Kill(Process& process) {
    process.Signal(SIGKILL);
    process.Wait();
  }

  /// What a dead edge has left in its spool.
  std::vector<Name> Left(const std::string& device) {
    const auto copy = dir_.path() / "copy";
    std::filesystem::copy(SpoolOf(device), copy);
    std::vector<Name> left;
    {
      auto spool = Spool::Open({.folder = copy}, device);
      EXPECT_TRUE(spool) << spool.error().ToString();
      SpoolFrame frame;
      while (spool && (*spool)->Take(frame)) left.emplace_back(frame.run, frame.sequence);
    }
    std::filesystem::remove_all(copy);
    return left;
  }

  /// Sends what is left; a last word of five pictures goes behind it.
  void Finish(const std::string& device) {
    Process edge = StartSpooling(device, {"--count", "5", "--drain", "120"});
    const auto report = Report(edge);
    EXPECT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["kept"], 0) << Log();
    EXPECT_EQ(report["unanswered"], 0);
  }

  /// Every name once, none missing within a run, and `wanted` among them.
  void ExpectEveryFrameOnce(const std::string& device, const std::set<Name>& wanted) {
    std::map<uint64_t, std::set<uint64_t>> runs;
    for (const auto& row : Stored(device)) {
      EXPECT_TRUE(runs[row.detection.run].insert(row.detection.sequence).second);
    }
    for (const auto& [run, sequences] : runs) EXPECT_EQ(*sequences.rbegin() + 1, sequences.size());
    for (const auto& [run, sequence] : wanted) {
      EXPECT_TRUE(runs[run].contains(sequence)) << run << " " << sequence;
    }
  }

  Process cloud_process_ = Process::None();
};

TEST_F(Reliability, KilledEdgesBrokersAndWorkersCostNoFrame) {
  StartCloudProcess();
  std::mt19937 random(static_cast<unsigned>(Rounds(1)));
  std::set<Name> spooled;
  std::map<std::string, int> deaths;
  Process edge = StartSpooling("mortal", {"--loop", "--rate", "50"});
  for (int round = 0; round < Rounds(5); ++round) {
    const size_t stored = Stored("mortal").size();
    ASSERT_TRUE(Until([&] { return Stored("mortal").size() >= stored + 5 + random() % 10; }))
        << round << "\n"
        << Log();
    // The short form kills the edge first and last, so that each is seen dying.
    switch (round < 5 ? round % 3 : random() % 3) {
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
    EXPECT_EQ(status_, 0) << Log();
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

}  // namespace
}  // namespace fogline
