// Two workers of one share group on one Redis, an edge with a spool, a broker: all as processes of
// their own, one of them at random killed without warning in the middle of the stream, again and
// again. In the end every frame that the edge ever put into its spool is stored, and stored once.
//
// FOGLINE_SOAK_ROUNDS=N makes it N deaths instead of a few; `make soak` makes it 100.
#include <array>
#include <random>

#include "servers/local_redis.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

class Deaths : public Reliability {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    auto redis = LocalRedis::Start();
    ASSERT_TRUE(redis) << redis.error().ToString();
    redis_ = *std::move(redis);
    auto store = OpenStore(redis_->url());
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = *std::move(store);
    for (Process& cloud : clouds_) cloud = NewCloud(redis_->url());
  }

  std::unique_ptr<LocalRedis> redis_;
  std::array<Process, 2> clouds_{Process::None(), Process::None()};
};

TEST_F(Deaths, WhoeverDiesEveryFrameIsStoredOnce) {
  const std::vector<std::string> flags{"--loop", "--rate", "20", "--window", "32"};
  std::mt19937 random(static_cast<unsigned>(Rounds(1)));
  std::set<Name> spooled;
  std::map<std::string, int> deaths;
  Process edge = StartSpooling("mortal", flags);
  for (int round = 0; round < Rounds(4); ++round) {
    const uint64_t wanted = CountStored() + 3 + random() % 20;
    ASSERT_TRUE(Until([&] { return CountStored() >= wanted; })) << round << "\n" << Log();
    // The short form kills each once.
    switch (round < 4 ? static_cast<unsigned>(round) : random() % 4) {
      case 0:
        Kill(edge);
        for (const Name& name : Left("mortal")) spooled.insert(name);
        edge = StartSpooling("mortal", flags);
        ++deaths["edge"];
        break;
      case 1:
        ASSERT_TRUE(broker_->Restart());
        ++deaths["broker"];
        break;
      case 2: {
        Process& cloud = clouds_[random() % clouds_.size()];
        Kill(cloud);
        cloud = NewCloud(redis_->url());
        ++deaths["worker"];
        break;
      }
      case 3:
        ASSERT_TRUE(redis_->Restart());
        ++deaths["redis"];
        break;
    }
  }
  Kill(edge);
  for (const Name& name : Left("mortal")) spooled.insert(name);
  Finish("mortal");
  ExpectEveryFrameOnce("mortal", spooled);
  std::printf(
      "deaths: %d of the edge, %d of the broker, %d of a worker, %d of redis; %zu frames, each "
      "stored once\n",
      deaths["edge"], deaths["broker"], deaths["worker"], deaths["redis"], Stored("mortal").size());
}

}  // namespace
}  // namespace fogline
