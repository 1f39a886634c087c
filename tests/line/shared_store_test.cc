// Several workers and several map servers on one Redis, each a process: the broker divides the
// frames between the workers, any of them may die, Redis too, and every map shows every frame.
#include <array>
#include <cstdlib>
#include <random>

#include "tests/line/http.h"
#include "tests/line/on_redis.h"

namespace fogline {
namespace {

/// A daemon with a page, to be killed and started again on its port.
struct Served {
  Process process = Process::None();
  int port = 0;
};

class SharedStore : public OnRedis {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(OnRedis::SetUp());
    for (Served& worker : workers_) Start(worker, "cloud", {"--workers", "1"});
    for (Served& map : maps_) Start(map, "map", {});
  }

  void Start(Served& served, const std::string& command, std::vector<std::string> more) {
    if (served.port == 0) served.port = FreePort();
    std::vector<std::string> words{FOGLINE_BINARY, command,
                                   "--store",      redis_->url(),
                                   "--http",       "127.0.0.1:" + std::to_string(served.port)};
    if (command == "cloud") {
      words.insert(words.end(), {"--broker", broker_->url(), "--models", kModels.string()});
    }
    words.insert(words.end(), more.begin(), more.end());
    auto process =
        Process::Start({.command = words, .capture_stdout = false, .stderr_to = LogOf(served)});
    ASSERT_TRUE(process) << process.error().ToString();
    served.process = *std::move(process);
    ASSERT_TRUE(Until([&] { return HttpGet(served.port, "/healthz").starts_with("HTTP/1.1 200"); }))
        << ReadTextFile(LogOf(served)).value_or("no log");
  }
  std::filesystem::path LogOf(const Served& served) const {
    return dir_.path() / (std::to_string(served.port) + ".log");
  }

  /// The figure behind a name in what a daemon serves.
  static int64_t Figure(const Served& served, const std::string& page, const std::string& name) {
    const std::string text = HttpGet(served.port, page);
    const size_t at = text.find("\n" + name);
    return at == text.npos ? -1 : std::atoll(text.c_str() + at + 1 + name.size());
  }
  static int64_t StoredBy(const Served& worker) {
    return Figure(worker, "/metrics", "fogline_cloud_stored_total ");
  }
  static int64_t ShownBy(const Served& map) {
    return Figure(map, "/metrics", "fogline_detections_stored ");
  }

  std::array<Served, 3> workers_;
  std::array<Served, 2> maps_;
};

TEST_F(SharedStore, WorkersDivideTheFramesAndDeathsOfAnyCostNone) {
  const std::vector<std::string> stream{"--loop", "--rate", "60", "--window", "16"};
  Process edge = StartSpooling("shared", stream);
  for (const Served& worker : workers_) {
    EXPECT_TRUE(Until([&] { return StoredBy(worker) > 0; })) << Log();
  }
  const auto progress = [&] {
    const uint64_t stored = CountStored();
    return Until([&] { return CountStored() > stored + 5; });
  };
  std::mt19937 random(7);
  const int rounds = Rounds(3);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(progress()) << round << "\n" << Log();
    if (round % 3 == 0) {
      ASSERT_TRUE(redis_->Restart());
    } else if (round % 3 == 1) {
      Served& worker = workers_[random() % workers_.size()];
      Kill(worker.process);
      ASSERT_TRUE(progress()) << "the others take over\n" << Log();
      Start(worker, "cloud", {"--workers", "1"});
    } else {
      Served& map = maps_[random() % maps_.size()];
      Kill(map.process);
      Start(map, "map", {});
    }
  }
  ASSERT_TRUE(progress()) << Log();
  edge.Signal(SIGINT);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  Finish("shared");
  ExpectEveryFrameOnce("shared", {});
  const auto stored = static_cast<int64_t>(Stored("shared").size());
  for (const Served& map : maps_) {
    EXPECT_TRUE(Until([&] { return ShownBy(map) == stored; })) << ShownBy(map) << " of " << stored;
  }
  std::printf("%d deaths among Redis, workers and maps; %lld frames, each stored once, by", rounds,
              static_cast<long long>(stored));
  for (Served& worker : workers_) {
    std::printf(" %lld", static_cast<long long>(StoredBy(worker)));
    EXPECT_EQ(worker.process.Stop(), 0) << ReadTextFile(LogOf(worker)).value_or("no log");
  }
  std::printf("\n");
}

}  // namespace
}  // namespace fogline
