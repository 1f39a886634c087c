// Networks that fall apart in one direction, and workers whose clocks differ by twenty minutes: two
// workers on one Redis, each with lines of its own to the broker and to the store, of which any
// lets only questions or only answers through for a while. Who is not heard sends again, who hears
// nothing asks again; each frame is stored once.
#include <array>
#include <random>

#include "tests/line/on_redis.h"
#include "tests/line/proxy.h"

namespace fogline {
namespace {

class HalfLine : public OnRedis {
 protected:
  struct Worker {
    std::unique_ptr<Proxy> to_broker, to_store;
    Process process = Process::None();
  };

  void Start(Worker& worker, int seconds_ahead) {
    worker.to_broker = std::make_unique<Proxy>(ParseBroker(broker_->url())->port);
    worker.to_store = std::make_unique<Proxy>(redis_->port());
    const auto at = [](const Proxy& proxy) { return "127.0.0.1:" + std::to_string(proxy.port()); };
    auto started = Process::Start(
        {.command = {"env", std::string("LD_PRELOAD=") + JUMPING_CLOCK,
                     "CLOCK_AHEAD=" + std::to_string(seconds_ahead), FOGLINE_BINARY, "cloud",
                     "--json", "--broker", "mqtt://" + at(*worker.to_broker), "--models",
                     kModels.string(), "--store", "redis://" + at(*worker.to_store) + "/0",
                     "--workers", "1"},
         .capture_stdout = true,
         .stderr_to = dir_.path() / "cloud.log"});
    ASSERT_TRUE(started) << started.error().ToString();
    worker.process = *std::move(started);
  }

  std::array<Worker, 2> workers_;
};

TEST_F(HalfLine, LinesThatPassOneWayAndClocksApartCostNoFrame) {
  constexpr int kTenMinutes = 600;
  Start(workers_[0], kTenMinutes);
  Start(workers_[1], -kTenMinutes);
  Process edge = StartSpooling("apart", {"--loop", "--rate", "60", "--window", "64"});
  const auto progress = [&] {
    const uint64_t stored = CountStored();
    return Until([&] { return CountStored() > stored + 5; });
  };
  std::mt19937 random(18);
  const int rounds = Rounds(6);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(progress()) << round << "\n" << Log();
    Worker& worker = workers_[random() % workers_.size()];
    Proxy& line = random() % 2 == 0 ? *worker.to_broker : *worker.to_store;
    line.Set(random() % 2 == 0 ? Proxy::Line::kAsksOnly : Proxy::Line::kAnswersOnly);
    ASSERT_TRUE(progress()) << round << ": the other goes on\n" << Log();
    line.Set(random() % 2 == 0 ? Proxy::Line::kOpen : Proxy::Line::kCut);
    line.Set(Proxy::Line::kOpen);
  }
  edge.Signal(SIGINT);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  Finish("apart");
  ExpectEveryFrameOnce("apart", {});
  // Each worker stamped what it stored with a clock of its own: ids say in which order.
  int64_t stamps[2] = {INT64_MAX, 0};
  uint64_t last = 0;
  for (const auto& row : Stored("apart")) {
    EXPECT_GT(row.id, last);
    last = row.id;
    stamps[0] = std::min(stamps[0], row.stored_us);
    stamps[1] = std::max(stamps[1], row.stored_us);
  }
  EXPECT_GT(stamps[1] - stamps[0], int64_t{2} * kTenMinutes * 1'000'000);
  std::printf("%d spells of half a line; %zu frames, each stored once\n", rounds,
              Stored("apart").size());
  for (Worker& worker : workers_) {
    EXPECT_EQ(worker.process.Stop(std::chrono::seconds(30)), 0)
        << ReadTextFile(dir_.path() / "cloud.log").value_or("no log");
  }
}

}  // namespace
}  // namespace fogline
