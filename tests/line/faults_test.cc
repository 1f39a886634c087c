// Faults by injection: short runs of an edge and of a cloud, in each of which one call on their
// files fails (failing_calls.cc): an open, a read, a write, a sync, a rename, the n-th of its kind.
// Whatever it is, the process goes on or ends in order, and in the end every frame is stored once
// or still in the spool.
//
// FOGLINE_SOAK_ROUNDS=1 tries every n until a run does not come to it; else each third power.
#include <functional>
#include <set>

#include "base/paths.h"
#include "tests/line/http.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kKinds{"open", "read", "write", "sync", "rename"};
constexpr int kDied = 126;  // from here on a status is a signal's

class Faults : public Reliability {
 protected:
  /// What comes before a command for its call `n` of `kind` below `folder` to fail.
  std::vector<std::string> Failing(const std::string& kind, int n, const fs::path& folder) const {
    return {"env", std::string("LD_PRELOAD=") + FAILING_CALLS,
            "FAIL_CALL=" + kind + ":" + std::to_string(n), "FAIL_BELOW=" + folder.string(),
            "FAIL_MARK=" + Mark().string()};
  }
  fs::path Mark() const { return dir_.path() / "failed"; }
  bool Failed() const { return fs::exists(Mark()); }

  /// `once` for one call after the other until one is not reached, of each kind; how many failed.
  int ForEachCall(const std::function<void(const std::string& kind, int n)>& once) {
    const bool all = Rounds(0) > 0;
    int failed = 0;
    for (const std::string& kind : kKinds) {
      for (int n = 1;; n = all ? n + 1 : 3 * n) {
        SCOPED_TRACE(kind + " " + std::to_string(n));
        fs::remove(Mark());
        once(kind, n);
        if (HasFatalFailure() || !Failed()) break;
        ++failed;
      }
    }
    return failed;
  }

  int TryClouds(const fs::path& faulty);
  int TryMaps(const fs::path& faulty, const std::string& target);

  /// Sequences 0 to count − 1 of `device`, stored once or left in its spool, never both missing.
  void ExpectNothingLost(const std::string& device, uint64_t count) {
    std::set<Name> stored;
    for (const auto& row : Stored(device)) {
      EXPECT_TRUE(stored.emplace(row.detection.run, row.detection.sequence).second) << "twice";
    }
    std::set<uint64_t> kept;
    for (const Name& name : stored) kept.insert(name.second);
    if (fs::exists(SpoolOf(device))) {
      for (const Name& name : Left(device)) kept.insert(name.second);
    }
    EXPECT_EQ(kept.size(), count);
  }
};

TEST_F(Faults, AnyCallOfAnEdgeOnItsSpoolCostsNoFrame) {
  StartCloudProcess();
  constexpr uint64_t kPicturesTaken = 4;
  const int failed = ForEachCall([&](const std::string& kind, int n) {
    const std::string device = kind + std::to_string(n);
    before_edge_ = Failing(kind, n, SpoolOf(device));
    const auto report = RunEdge({"--cut", "split13", "--codec", "q4", "--count", "4", "--drain",
                                 "30", "--device", device, "--spool", SpoolOf(device).string()});
    EXPECT_LT(status_, kDied) << Log();
    // Either it says what it did, or that it could not begin.
    if (report.is_object()) {
      ExpectNothingLost(device, kPicturesTaken);
    } else {
      EXPECT_EQ(status_, 1) << Log();
      EXPECT_NE(Log().find("fogline: "), std::string::npos) << Log();
      ExpectNothingLost(device, 0);
    }
  });
  EXPECT_GT(failed, 5);
  std::printf("%d calls of an edge failed\n", failed);
}

/// A cloud whose calls on files below `faulty` fail, one a run; how many did.
int Faults::TryClouds(const fs::path& faulty) {
  const fs::path folder = dir_.path() / "store";
  return ForEachCall([&](const std::string& kind, int n) {
    const std::string device = kind + std::to_string(n);
    // A store of its own, so that the calls of one run are those of the next.
    fs::remove_all(folder);
    fs::create_directory(folder);
    const std::string store = "sqlite:" + (folder / "faulty.db").string();
    before_cloud_ = Failing(kind, n, faulty);
    Process cloud = NewCloud(store);
    Process edge = StartEdge({"--cut", "split13", "--codec", "q4", "--count", "4", "--drain", "60",
                              "--device", device, "--spool", SpoolOf(device).string()});
    // A cloud that cannot go on ends in order, and is started again as systemd does.
    ASSERT_TRUE(Until([&] {
      if (!cloud.Running()) {
        EXPECT_LT(cloud.Wait(), kDied) << ReadTextFile(dir_.path() / "cloud.log").value_or("");
        before_cloud_.clear();
        cloud = NewCloud(store);
      }
      return !edge.Running();
    })) << Log();
    const auto report = Report(edge);
    EXPECT_EQ(status_, 0) << Log();
    EXPECT_EQ(cloud.Stop(), 0) << ReadTextFile(dir_.path() / "cloud.log").value_or("");
    auto opened = OpenStore(store);
    ASSERT_TRUE(opened) << opened.error().ToString();
    store_ = *std::move(opened);
    EXPECT_EQ(Stored(device).size(), 4U);
    ExpectNothingLost(device, 4);
    store_.reset();
  });
}

TEST_F(Faults, AnyCallOfACloudOnItsStoreCostsNoFrame) {
  const int failed = TryClouds(dir_.path() / "store");
  EXPECT_GT(failed, 5);
  std::printf("%d calls of a cloud on its store failed\n", failed);
}

// What cannot be opened or read now is looked at again, though it does not change.
TEST_F(Faults, AnyCallOfACloudOnItsModelsCostsNoFrame) {
  const int failed = TryClouds(kModels);
  EXPECT_GT(failed, 2);
  std::printf("%d calls of a cloud on its models failed\n", failed);
}

/// A map whose calls on files below `faulty` fail, one a run, until it answers `target` well or has
/// ended in order; how many did.
int Faults::TryMaps(const fs::path& faulty, const std::string& target) {
  const std::string store = "sqlite:" + (dir_.path() / "store" / "map.db").string();
  EXPECT_TRUE(MakeFolders(dir_.path() / "store"));
  EXPECT_TRUE(OpenStore(store));
  return ForEachCall([&](const std::string& kind, int n) {
    const int port = FreePort();
    std::vector<std::string> command = Failing(kind, n, faulty);
    for (const std::string& word : std::vector<std::string>{FOGLINE_BINARY, "map", "--store", store,
                                                            "--models", kModels.string(), "--http",
                                                            "127.0.0.1:" + std::to_string(port)}) {
      command.push_back(word);
    }
    auto started = Process::Start({.command = command, .stderr_to = dir_.path() / "map.log"});
    ASSERT_TRUE(started) << started.error().ToString();
    Process map = *std::move(started);
    const auto shows = [&] { return HttpGet(port, target).starts_with("HTTP/1.1 200 "); };
    ASSERT_TRUE(Until([&] { return !map.Running() || shows(); }));
    EXPECT_LT(map.Stop(), kDied) << ReadTextFile(dir_.path() / "map.log").value_or("");
  });
}

TEST_F(Faults, AnyCallOfAMapOnItsStoreEndsItInOrderOrNotAtAll) {
  const int failed = TryMaps(dir_.path() / "store", "/api/stats");
  EXPECT_GT(failed, 2);
  std::printf("%d calls of a map on its store failed\n", failed);
}

TEST_F(Faults, AnyCallOfAMapOnItsModelsIsMadeAgain) {
  const int failed = TryMaps(kModels, "/api/network?model=litter");
  EXPECT_GT(failed, 1);
  std::printf("%d calls of a map on its models failed\n", failed);
}

}  // namespace
}  // namespace fogline
