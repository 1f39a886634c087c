// Two workers of one share group on one Redis, one PostgreSQL, or one with a standby, an edge with
// a spool, a broker: all as processes of their own, one of them at random killed without warning in
// the middle of the stream, again and again. In the end every frame that the edge ever put into its
// spool is stored, and stored once.
//
// FOGLINE_SOAK_ROUNDS=N makes it N deaths instead of a few; `make soak` makes it 100.
#include <array>
#include <random>

#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

/// A PostgreSQL whose commits wait for its standby, and the standby, which takes over when it dies.
class FailingOver {
 public:
  static Result<std::unique_ptr<FailingOver>> Start() {
    std::unique_ptr<FailingOver> pair(new FailingOver);
    // Both have it, so that whoever leads waits for whoever follows.
    FOGLINE_TRY(pair->leads_, LocalPostgres::Start("synchronous_standby_names = '*'"));
    FOGLINE_TRY(pair->follows_, LocalPostgres::Follow(*pair->leads_));
    pair->url_ = fmt::format(
        "postgresql://fogline@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        pair->leads_->port(), pair->follows_->port());
    return pair;
  }
  const std::string& url() const { return url_; }
  /// kill -9 of the one that leads; a new one follows in its place.
  Status Restart() {
    const int port = leads_->port();
    leads_->Kill();
    FOGLINE_CHECK(follows_->Promote());
    leads_ = std::move(follows_);
    FOGLINE_TRY(follows_, LocalPostgres::Follow(*leads_, port));
    return {};
  }

 private:
  FailingOver() = default;

  std::string url_;
  std::unique_ptr<LocalPostgres> leads_, follows_;
};

class Deaths : public Reliability {
 protected:
  /// Lets all of them live and die on one server: a LocalRedis, a LocalPostgres or a FailingOver.
  template <typename Server>
  void Live(Result<std::unique_ptr<Server>> started, const char* kind);

  std::array<Process, 2> clouds_{Process::None(), Process::None()};
};

template <typename Server>
void Deaths::Live(Result<std::unique_ptr<Server>> started, const char* kind) {
  ASSERT_TRUE(started) << started.error().ToString();
  const std::unique_ptr<Server> server = *std::move(started);
  auto store = OpenStore(server->url());
  ASSERT_TRUE(store) << store.error().ToString();
  store_ = *std::move(store);
  for (Process& cloud : clouds_) cloud = NewCloud(server->url());
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
        cloud = NewCloud(server->url());
        ++deaths["worker"];
        break;
      }
      case 3:
        ASSERT_TRUE(server->Restart());
        ++deaths[kind];
        break;
    }
  }
  Kill(edge);
  for (const Name& name : Left("mortal")) spooled.insert(name);
  Finish("mortal");
  ExpectEveryFrameOnce("mortal", spooled);
  std::printf(
      "deaths: %d of the edge, %d of the broker, %d of a worker, %d of %s; %zu frames, each "
      "stored once\n",
      deaths["edge"], deaths["broker"], deaths["worker"], deaths[kind], kind,
      Stored("mortal").size());
  for (Process& cloud : clouds_) Kill(cloud);
  store_.reset();  // before its server
}

TEST_F(Deaths, WhoeverDiesEveryFrameIsStoredOnce) { Live(LocalRedis::Start(), "redis"); }

TEST_F(Deaths, WhoeverDiesEveryFrameIsStoredOnceInPostgres) {
  Live(LocalPostgres::Start(), "postgres");
}

TEST_F(Deaths, WhoeverDiesEveryFrameIsStoredOnceThoughAStandbyTakesOver) {
  Live(FailingOver::Start(), "the primary");
}

}  // namespace
}  // namespace fogline
