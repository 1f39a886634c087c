// Want of memory by injection: short runs of an edge, a cloud and a map, in each of which one call
// for memory fails (failing_memory.cc). Whatever it is, the process goes on or ends with one line
// and a status, and after a restart every frame is stored once. A few places end in a signal
// instead (docs/reliability.md): a death is counted, and must stay rare.
//
// FOGLINE_SOAK_ROUNDS says how many of the places that ask for memory are tried of each program,
// all where it is large, and FOGLINE_SOAK_MINUTES for how long at most.
#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "base/random.h"
#include "tests/line/http.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 126;  // from here on a status is a signal's, or the dynamic linker's
constexpr std::chrono::seconds kLongest(60);

int Minutes() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here writes to the environment
  const char* minutes = std::getenv("FOGLINE_SOAK_MINUTES");
  return minutes != nullptr ? std::atoi(minutes) : 60;
}

class WantOfMemory : public Reliability {
 protected:
  std::vector<std::string> Failing(uintmax_t place) const {
    return {"env", std::string("LD_PRELOAD=") + FAILING_MEMORY,
            "FAIL_PLACE=" + std::to_string(place), "FAIL_MARK=" + Mark().string()};
  }
  fs::path Mark() const { return dir_.path() / "failed"; }
  fs::path Count() const { return dir_.path() / "places"; }

  /// `once` with the words before the command, for places all over those that `all` counts: a run
  /// in which none fails. How many failed.
  int ForPlaces(const std::function<void(uintmax_t place)>& once) {
    before_edge_ = before_cloud_ = before_map_ = {
        "env", std::string("LD_PRELOAD=") + FAILING_MEMORY, "FAIL_COUNT=" + Count().string()};
    once(0);
    if (HasFailure()) return 0;
    const uintmax_t all = fs::file_size(Count());
    EXPECT_GT(all, 100U);
    const uintmax_t wanted = std::min<uintmax_t>(all, static_cast<uintmax_t>(Rounds(10)));
    // Each place once, and wherever it ends, those tried lie all over: steps of the golden section.
    auto step = static_cast<uintmax_t>(0.618 * static_cast<double>(all));
    while (std::gcd(step, all) != 1) ++step;
    const uintmax_t first = RandomBits() % all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(Minutes());
    int failed = 0;
    uintmax_t tried = 0;
    for (; tried < wanted && std::chrono::steady_clock::now() < end; ++tried) {
      const uintmax_t place = 1 + (first + tried * step) % all;
      SCOPED_TRACE("place " + std::to_string(place) + " of " + std::to_string(all));
      for (const fs::path& file : {Mark(), dir_.path() / "edge.log", dir_.path() / "cloud.log"}) {
        fs::remove(file);
      }
      before_edge_ = before_cloud_ = before_map_ = Failing(place);
      once(place);
      if (HasFatalFailure()) break;
      if (fs::exists(Mark())) ++failed;
    }
    std::printf("%ju of %ju places tried, %d failed, %d deaths by a signal\n", tried, all, failed,
                killed_);
    EXPECT_LE(killed_, 1 + failed / 20);
    return failed;
  }

  std::string CloudLog() const { return ReadTextFile(dir_.path() / "cloud.log").value_or(""); }
  /// A signal costs no more than a kill; it is counted, and must stay rare.
  void ExpectInOrder(int status, const std::string& log) {
    if (status >= kKilled) {
      const bool engine = fs::exists(Mark()) && fs::file_size(Mark()) > 0;
      std::printf("dies of it, status %d%s\n", status, engine ? ", in the engine" : "");
      ++killed_;
      return;
    }
    EXPECT_TRUE(status == 0 || log.find("fogline: ") != std::string::npos) << status << log;
  }

  int killed_ = 0;
  std::vector<std::string> before_map_;
};

TEST_F(WantOfMemory, WhereverAnEdgeLacksMemoryNoFrameIsLost) {
  StartCloudProcess();
  const int failed = ForPlaces([&](uintmax_t place) {
    const std::string device = "edge" + std::to_string(place);
    Process edge = StartSpooling(device, {"--count", "4", "--drain", "30"});
    ASSERT_TRUE(edge.ReadStdout(kLongest)) << "does not end" << Log();
    const int status = edge.Wait();
    ExpectInOrder(status, Log());
    std::set<Name> names;
    for (const auto& row : Stored(device)) {
      names.emplace(row.detection.run, row.detection.sequence);
    }
    if (fs::exists(SpoolOf(device))) {
      for (const Name& name : Left(device)) names.insert(name);
    }
    before_edge_.clear();
    if (!names.empty()) Finish(device);
    ExpectEveryFrameOnce(device, names);
  });
  EXPECT_GT(failed, 5);
}

TEST_F(WantOfMemory, WhereverACloudLacksMemoryEveryFrameIsStoredOnce) {
  const fs::path folder = dir_.path() / "store";
  const int failed = ForPlaces([&](uintmax_t place) {
    const std::string device = "edge" + std::to_string(place);
    fs::remove_all(folder);
    fs::create_directory(folder);
    const std::string store = "sqlite:" + (folder / "s.db").string();
    before_edge_.clear();
    Process cloud = NewCloud(store);
    Process edge = StartSpooling(device, {"--count", "4", "--drain", "60"});
    ASSERT_TRUE(Until([&] {
      if (!cloud.Running()) {
        ExpectInOrder(cloud.Wait(), CloudLog());
        before_cloud_.clear();
        cloud = NewCloud(store);
      }
      return !edge.Running();
    })) << Log()
        << CloudLog();
    EXPECT_EQ(edge.Wait(), 0) << Log() << CloudLog();
    const int status = cloud.Stop(kLongest);
    ExpectInOrder(status, CloudLog());
    auto opened = OpenStore(store);
    ASSERT_TRUE(opened) << opened.error().ToString();
    store_ = *std::move(opened);
    EXPECT_EQ(Stored(device).size(), 4U);
    ExpectEveryFrameOnce(device, {});
    store_.reset();
  });
  EXPECT_GT(failed, 5);
}

TEST_F(WantOfMemory, WhereverAMapLacksMemoryItGoesOnOrEndsInOrder) {
  StartCloudProcess();
  RunEdge({"--cut", "split13", "--codec", "q4", "--count", "9", "--device", "cam"});
  ASSERT_EQ(status_, 0) << Log();
  const int failed = ForPlaces([&](uintmax_t /*place*/) {
    const int port = FreePort();
    const fs::path log = dir_.path() / "map.log";
    fs::remove(log);
    std::vector<std::string> command = before_map_;
    for (const std::string& word :
         std::vector<std::string>{FOGLINE_BINARY, "map", "--models", kModels.string(), "--store",
                                  "sqlite:" + (dir_.path() / "test.db").string(), "--http",
                                  "127.0.0.1:" + std::to_string(port)}) {
      command.push_back(word);
    }
    auto started = Process::Start({.command = command, .stderr_to = log});
    ASSERT_TRUE(started) << started.error().ToString();
    Process map = *std::move(started);
    const auto serves = [&] {
      return HttpGet(port, "/healthz").find(" 200 ") != std::string::npos;
    };
    ASSERT_TRUE(Until([&] { return !map.Running() || serves(); }));
    for (const bool again : {false, true}) {
      for (const char* target :
           {"/", "/api/detections", "/api/detections?format=csv", "/api/detections?format=geojson",
            "/api/hexagons?level=5", "/api/timeline?bins=10", "/api/stats", "/api/models",
            "/metrics"}) {
        const std::string answer = HttpGet(port, target);
        // A process that ends has closed its sockets a moment before it is gone.
        if (answer.empty()) {
          ASSERT_TRUE(Until([&] { return !map.Running() || serves(); }));
        }
        if (!map.Running()) break;
        const bool refused = answer.empty() || !answer.starts_with("HTTP/1.1 200 ");
        // It failed once, the first time that it came to the place.
        EXPECT_FALSE(again && refused) << target << "\n" << answer.substr(0, 300);
      }
    }
    const int status = map.Stop(kLongest);
    ExpectInOrder(status, ReadTextFile(log).value_or(""));
  });
  EXPECT_GT(failed, 5);
}

}  // namespace
}  // namespace fogline
