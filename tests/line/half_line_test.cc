// Networks that fall apart in one direction, and workers whose clocks differ by twenty minutes: two
// workers on one Redis or one PostgreSQL, each with lines of its own to the broker and to the
// store, of which any lets only questions or only answers through for a while. Who is not heard
// sends again, who hears nothing asks again; each frame is stored once. The lines are a proxy's,
// which ends no connection, or the kernel's, between namespaces, where packets are lost and
// connections do not come about.
#include <array>
#include <fstream>
#include <functional>
#include <random>

#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "tests/line/netns.h"
#include "tests/line/proxy.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

constexpr int kTenMinutes = 600;

class HalfLine : public Reliability, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    if (std::string_view(GetParam()) == "redis") {
      redis_ = LocalRedis::Start("bind 0.0.0.0\nprotected-mode no").value();
      OpenAt(redis_->url(), redis_->port());
    } else {
      postgres_ =
          LocalPostgres::Start("listen_addresses = '*'", "host all all 0.0.0.0/0 trust\n").value();
      OpenAt(postgres_->url(), postgres_->port());
    }
  }
  void OpenAt(const std::string& url, int port) {
    auto store = OpenStore(url);
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = *std::move(store);
    store_port_ = port;
  }
  /// The store's address for a worker that reaches it there.
  std::string StoreAt(const std::string& place) const {
    return redis_ != nullptr ? "redis://" + place + "/0"
                             : "postgresql://fogline@" + place + "/postgres?sslmode=disable";
  }

  enum class To { kBroker, kStore };
  enum class Passes { kAll, kAsks, kAnswers, kNone };
  /// Makes a line of one of the workers let through so much.
  using Set = std::function<void(size_t worker, To to, Passes passes)>;

  /// A worker whose clock is ahead, behind the words that bring it where it runs.
  Process Worker(const std::vector<std::string>& enter, int seconds_ahead,
                 const std::string& broker, const std::string& store) {
    std::vector<std::string> command = enter;
    for (const std::string& word :
         std::vector<std::string>{"env", std::string("LD_PRELOAD=") + JUMPING_CLOCK,
                                  "CLOCK_AHEAD=" + std::to_string(seconds_ahead), FOGLINE_BINARY,
                                  "cloud", "--json", "--broker", "mqtt://" + broker, "--models",
                                  kModels.string(), "--store", StoreAt(store), "--workers", "1"}) {
      command.push_back(word);
    }
    auto started = Process::Start(
        {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "cloud.log"});
    EXPECT_TRUE(started) << started.error().ToString();
    return started ? *std::move(started) : Process::None();
  }
  std::string CloudLog() const {
    return ReadTextFile(dir_.path() / "cloud.log").value_or("no log");
  }

  /// A spell of half a line after the other, while an edge sends.
  void ThroughSpells(std::array<Process, 2>& workers, const Set& set);
  /// What the edge was told is stored.
  std::vector<Name> Told(const std::filesystem::path& answers) const;

  std::unique_ptr<LocalRedis> redis_;
  std::unique_ptr<LocalPostgres> postgres_;
  int store_port_ = 0;
};

std::vector<Name> HalfLine::Told(const std::filesystem::path& answers) const {
  std::vector<Name> told;
  std::ifstream lines(answers);
  for (std::string line; std::getline(lines, line);) {
    const auto answer = nlohmann::json::parse(line, nullptr, false);
    EXPECT_TRUE(answer.is_object()) << line;
    if (!answer.is_object() || answer["verdict"].is_null()) continue;
    told.emplace_back(std::stoull(answer["run"].get<std::string>(), nullptr, 16),
                      answer["sequence"].get<uint64_t>());
  }
  return told;
}

void HalfLine::ThroughSpells(std::array<Process, 2>& workers, const Set& set) {
  const auto answers = dir_.path() / "answers";
  Process edge = StartSpooling(
      "apart", {"--loop", "--rate", "60", "--window", "64", "--answers", answers.string()});
  const auto progress = [&] {
    const uint64_t stored = CountStored();
    return Until([&] { return CountStored() > stored + 5; });
  };
  std::mt19937 random(18);
  const int rounds = Rounds(6);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(progress()) << round << "\n" << Log() << CloudLog();
    const size_t worker = random() % workers.size();
    const To to = random() % 2 == 0 ? To::kBroker : To::kStore;
    set(worker, to, random() % 2 == 0 ? Passes::kAsks : Passes::kAnswers);
    ASSERT_TRUE(progress()) << round << ": the other goes on\n" << Log() << CloudLog();
    if (random() % 2 == 0) set(worker, to, Passes::kNone);
    set(worker, to, Passes::kAll);
  }
  edge.Signal(SIGINT);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  Finish("apart");
  const auto rows = Stored("apart");
  History history{.stored = {}, .told = Told(answers)};
  for (const auto& row : rows) {
    history.stored.emplace_back(row.detection.run, row.detection.sequence);
  }
  for (const std::string& line : Violations(history)) ADD_FAILURE() << line;
  EXPECT_GT(history.told.size(), 30U);
  // Each worker stamped what it stored with a clock of its own: ids say in which order.
  int64_t stamps[2] = {INT64_MAX, 0};
  uint64_t last = 0;
  for (const auto& row : rows) {
    EXPECT_GT(row.id, last);
    last = row.id;
    stamps[0] = std::min(stamps[0], row.stored_us);
    stamps[1] = std::max(stamps[1], row.stored_us);
  }
  EXPECT_GT(stamps[1] - stamps[0], int64_t{2} * kTenMinutes * 1'000'000);
  std::printf("%d spells of half a line; %zu frames, %zu told of, each stored once\n", rounds,
              rows.size(), history.told.size());
  for (Process& worker : workers) EXPECT_EQ(worker.Stop(std::chrono::seconds(30)), 0) << CloudLog();
}

TEST_P(HalfLine, LinesThatPassOneWayAndClocksApartCostNoFrame) {
  const int broker = ParseBroker(broker_->url())->port;
  std::array<std::array<std::unique_ptr<Proxy>, 2>, 2> lines;
  std::array<Process, 2> workers{Process::None(), Process::None()};
  const auto at = [](const Proxy& proxy) { return "127.0.0.1:" + std::to_string(proxy.port()); };
  for (size_t i = 0; i < workers.size(); ++i) {
    lines[i] = {std::make_unique<Proxy>(broker), std::make_unique<Proxy>(store_port_)};
    workers[i] =
        Worker({}, i == 0 ? kTenMinutes : -kTenMinutes, at(*lines[i][0]), at(*lines[i][1]));
  }
  ThroughSpells(workers, [&](size_t worker, To to, Passes passes) {
    constexpr Proxy::Line kLines[] = {Proxy::Line::kOpen, Proxy::Line::kAsksOnly,
                                      Proxy::Line::kAnswersOnly, Proxy::Line::kCut};
    lines[worker][to == To::kStore]->Set(kLines[static_cast<size_t>(passes)]);
  });
}

/// The same with hosts of their own for the workers.
class SplitNetwork : public HalfLine {
 protected:
  static constexpr int kBrokerPort = 1883;  // nobody else is there

  void SetUp() override {
    town_ = Town::Enter();
    if (town_ == nullptr) GTEST_SKIP() << "no network namespaces may be made here";
    HalfLine::SetUp();
    auto broker = LocalBroker::Start(0, fmt::format("listener {} 0.0.0.0\n", kBrokerPort));
    ASSERT_TRUE(broker) << broker.error().ToString();
    broker_ = *std::move(broker);
    for (int i = 0; i < 2; ++i) {
      hosts_.push_back(Host::Make(i, 2));
      if (hosts_.back() == nullptr) GTEST_SKIP() << "no pairs of interfaces may be made here";
    }
  }

  std::unique_ptr<Town> town_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

TEST_P(SplitNetwork, LinesThatPassOneWayAndClocksApartCostNoFrame) {
  std::array<Process, 2> workers{Process::None(), Process::None()};
  for (size_t i = 0; i < workers.size(); ++i) {
    const Host& host = *hosts_[i];
    workers[i] = Worker(host.enter(), i == 0 ? kTenMinutes : -kTenMinutes,
                        fmt::format("{}:{}", host.TownAt(0), kBrokerPort),
                        fmt::format("{}:{}", host.TownAt(1), store_port_));
  }
  ThroughSpells(workers, [&](size_t worker, To to, Passes passes) {
    const int line = to == To::kStore ? 1 : 0;
    const bool asks = passes == Passes::kAll || passes == Passes::kAsks;
    const bool answers = passes == Passes::kAll || passes == Passes::kAnswers;
    EXPECT_TRUE(hosts_[worker]->Drop(line, Host::Way::kAsks, !asks));
    EXPECT_TRUE(hosts_[worker]->Drop(line, Host::Way::kAnswers, !answers));
  });
}

constexpr const char* kShared[] = {"redis", "postgresql"};
const auto kNamed = [](const auto& info) { return std::string(info.param); };
INSTANTIATE_TEST_SUITE_P(Stores, HalfLine, testing::ValuesIn(kShared), kNamed);
INSTANTIATE_TEST_SUITE_P(Stores, SplitNetwork, testing::ValuesIn(kShared), kNamed);

TEST(Histories, SayWhatIsLostAndWhatIsDoubled) {
  const auto wrong = [](const History& history) { return Violations(history).size(); };
  EXPECT_EQ(wrong({}), 0U);
  EXPECT_EQ(wrong({{{1, 0}, {2, 0}, {1, 1}}, {{1, 1}, {2, 0}}}), 0U);
  EXPECT_EQ(wrong({{{1, 0}, {1, 1}, {1, 0}}, {}}), 1U) << "stored twice";
  EXPECT_EQ(wrong({{{1, 0}, {1, 3}}, {}}), 2U) << "1 and 2 are missing";
  EXPECT_EQ(wrong({{{1, 0}}, {{1, 1}, {3, 0}}}), 2U) << "told of, not stored";
  EXPECT_EQ(wrong({{{1, 0}}, {{1, 0}, {1, 0}}}), 1U) << "told of twice";
}

}  // namespace
}  // namespace fogline
