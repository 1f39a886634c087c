// Want of memory by injection: short runs of an edge, a cloud and a map, in which calls for memory
// fail, each place that asks for some once (failing_memory.cc) and one at a time. Whatever it is,
// the process goes on or ends with one line and a status, and every frame is stored once in the
// end. Where the engine takes the process with it, that is counted (docs/reliability.md).
//
// In a few runs places all over are tried. FOGLINE_SOAK_MINUTES has every place tried, for so long
// at most. Those within the engine are tried with the edge alone: a cloud opens and runs networks
// by the same functions, but on threads of its own, and rests for seconds after each that failed.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/random.h"
#include "edge/mechanism.h"
#include "frame/ack.h"
#include "frame/topics.h"
#include "link/link.h"
#include "tests/line/http.h"
#include "tests/line/places.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

constexpr int kKilled = 126;  // from here on a status is a signal's, or the dynamic linker's
constexpr std::chrono::seconds kLongest(60);
constexpr int kFewRuns = 5;
constexpr size_t kFewOf = 16;  // places that fail if all of them are reached
/// So many runs on end that find nothing new have found all: which thread comes first differs.
constexpr int kQuietRuns = 3;

class WantOfMemory : public Reliability {
 protected:
  using Words = std::vector<std::string>;
  struct How {
    bool spares_engine = false;
    bool forks = false;  // it ends by itself: a child each for places from before its threads
  };

  /// Calls `once` with the words before the command, for runs in which places fail that did not
  /// before; `once` has ended its process when it returns.
  void Walk(const How& how, const std::function<void(const Words& before)>& once) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here writes to the environment
    const char* const minutes = std::getenv("FOGLINE_SOAK_MINUTES");
    const bool whole = minutes != nullptr;
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::minutes(whole ? std::atoi(minutes) : 1);
    const uint64_t seed = RandomBits();
    const auto run = [&](size_t one_in, bool forks) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", run " + std::to_string(runs_));
      fs::remove(Failed());
      Words words{"env",
                  std::string("LD_PRELOAD=") + FAILING_MEMORY,
                  "FAIL_PLACES=" + (dir_.path() / "places").string(),
                  "FAIL_ONE_IN=" + std::to_string(one_in),
                  "FAIL_SEED=" + std::to_string(seed),
                  "FAIL_LOG=" + Failed().string()};
      if (how.spares_engine) words.emplace_back("FAIL_SPARES=engine");
      if (forks) words.emplace_back("FAIL_FORKS=1");
      once(words);
      CountChildren();
      ++runs_;
      if (HasFailure()) std::printf("%s", ReadTextFile(Failed()).value_or("").c_str());
    };
    run(0, false);
    const Places* const places = Places::Map((dir_.path() / "places").c_str());
    ASSERT_NE(places, nullptr);
    ASSERT_GT(places->Count().all, 100U);
    const auto one_in = whole ? 1 : std::max<size_t>(1, places->Count().all / kFewOf);
    longest_ = std::chrono::hours(1);
    if (how.forks) run(one_in, true);
    longest_ = kLongest;
    const int most = whole ? std::numeric_limits<int>::max() : runs_ + kFewRuns;
    for (int quiet = 0; runs_ < most && quiet < kQuietRuns && !HasFatalFailure();) {
      if (std::chrono::steady_clock::now() > end) break;
      const size_t before = places->Count().tried;
      run(one_in, false);
      quiet = places->Count().tried == before ? quiet + 1 : 0;
    }
    const auto [all, tried] = places->Count();
    std::printf(
        "%zu of %zu places tried, in %d runs and %d children, %d deaths by a signal in the engine, "
        "%d else\n",
        tried, all, runs_, children_, killed_by_engine_, killed_);
    EXPECT_EQ(killed_, 0);
    EXPECT_GT(tried, 3U);
  }

  /// What the log says of children, each behind its place.
  void CountChildren() {
    std::istringstream lines(ReadTextFile(Failed()).value_or(""));
    std::string place;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("place ")) place.clear();
      int status = 0;
      long said = 0;
      if (std::sscanf(line.c_str(), "ended %d %ld", &status, &said) != 2) {
        place += line + "\n";
        continue;
      }
      ++children_;
      if (status >= kKilled) {
        CountDeath(status, place);
      } else {
        EXPECT_TRUE(status == 0 || said > 0) << "status " << status << ", no line\n" << place;
      }
    }
  }
  /// Costs no more than a kill, but only the engine's are not ours to mend.
  void CountDeath(int status, const std::string& place) {
    const bool engine = place.find("libonnxruntime") != place.npos;
    ++(engine ? killed_by_engine_ : killed_);
    std::printf("status %d%s\n%s", status, engine ? ", in the engine" : "", place.c_str());
  }

  fs::path Failed() const { return dir_.path() / "failed"; }
  std::string CloudLog() const { return ReadTextFile(dir_.path() / "cloud.log").value_or(""); }
  void ExpectInOrder(int status, const std::string& log) {
    if (status >= kKilled) {
      const std::string failed = ReadTextFile(Failed()).value_or("");
      return CountDeath(status, failed.substr(std::min(failed.rfind("place "), failed.size())));
    }
    EXPECT_TRUE(status == 0 || log.find("fogline: ") != std::string::npos) << status << log;
  }

  std::chrono::seconds longest_ = kLongest;  // that a run may take
  int runs_ = 0, children_ = 0, killed_ = 0, killed_by_engine_ = 0;
};

TEST_F(WantOfMemory, WhereverAnEdgeLacksMemoryNoFrameIsLost) {
  // One device and one spool all along: what a run leaves, the next one sends.
  const std::string device = "edge";
  std::set<Name> taken;
  StartCloudProcess();
  Walk({.forks = true}, [&](const Words& before) {
    fs::remove(dir_.path() / "edge.log");
    before_edge_ = before;
    Process edge = StartSpooling(device, {"--count", "4", "--drain", "2"});
    ASSERT_TRUE(edge.ReadStdout(longest_)) << "does not end" << Log();
    ExpectInOrder(edge.Wait(), Log());
    if (!fs::exists(SpoolOf(device))) return;
    for (const Name& name : Left(device)) taken.insert(name);
  });
  before_edge_.clear();
  Finish(device);
  ExpectEveryFrameOnce(device, taken);
}

/// A device that sends what has not been stored yet again and again.
class Insistent final : private LinkHandler {
 public:
  explicit Insistent(const std::string& broker) {
    LinkOptions options;
    options.broker = *ParseBroker(broker);
    options.name = "insistent";
    link_ = Link::Make(options, *this).value();
    link_->Start();
    EXPECT_TRUE(Until([&] { return ready_.load(); }));
  }
  ~Insistent() override { link_->Stop(); }

  static constexpr const char* kDevice = "insistent";

  void Add(Frame frame) {
    const std::lock_guard lock(mutex_);
    frame.device = kDevice;
    frame.run = ++runs_;  // a run each: another store may get the next one
    std::vector<std::byte> bytes;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    waiting_[{frame.run, frame.sequence}] = std::move(bytes);
  }
  /// True when nothing waits.
  bool Insist() {
    std::map<Name, std::vector<std::byte>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting = waiting_;
    }
    for (const auto& [name, bytes] : waiting) {
      (void)link_->Publish(FrameTopic(kDevice), bytes, 1, AckTopic(kDevice, 1));
    }
    return waiting.empty();
  }
  /// What was told to be stored since the last time.
  std::vector<Name> TakeTold() {
    const std::lock_guard lock(mutex_);
    return std::exchange(told_, {});
  }
  size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  void OnConnected() override {
    ready_ = link_->Subscribe(AckTopicPrefix(kDevice) + "#", 0).has_value();
  }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    const auto ack = ParseAck(message.payload);
    if (!ack) return;
    EXPECT_NE(ack->status, AckStatus::kRefused) << ack->message;
    if (ack->status != AckStatus::kStored && ack->status != AckStatus::kDuplicate) return;
    const std::lock_guard lock(mutex_);
    const Name name(ack->run, ack->sequence);
    if (waiting_.erase(name) > 0) told_.push_back(name);
  }

  std::unique_ptr<Link> link_;
  std::atomic<bool> ready_{false};
  mutable std::mutex mutex_;
  uint64_t runs_ = 0;                               // under mutex_
  std::map<Name, std::vector<std::byte>> waiting_;  // under mutex_
  std::vector<Name> told_;                          // under mutex_
};

struct Kind {
  Prepared prepared;
  Frame frame;  // of that
};

/// A picture, a tensor and a result.
std::vector<Kind> FramesOfEachKind() {
  const Network network = LoadNetwork(kModel).value();
  const Picture picture = LoadPicture(ListImages(kPictures)->front(), 320).value();
  std::vector<Kind> kinds(3);
  const char* const cuts[][2] = {{"input", "jpeg:90"}, {"split13", "q4"}, {"output", ""}};
  for (size_t i = 0; i < kinds.size(); ++i) {
    MechanismOptions options;
    options.cut = cuts[i][0];
    options.codec = cuts[i][1];
    const auto mechanism = Mechanism::Make(network, options).value();
    EXPECT_TRUE(mechanism->Process(picture.image, kinds[i].prepared));
    mechanism->Stamp(kinds[i].frame);
    kinds[i].frame.payloads = kinds[i].prepared.payloads;
  }
  return kinds;
}

TEST_F(WantOfMemory, WhereverACloudLacksMemoryEveryFrameIsStoredOnce) {
  const std::vector<Kind> kinds = FramesOfEachKind();
  Insistent device(broker_->url());
  const fs::path folder = dir_.path() / "store";
  const std::string store = "sqlite:" + (folder / "s.db").string();
  std::set<Name> told;  // of the store that is there
  bool anew = true;     // every other run begins with none
  const auto run = [&](const Words& before) {
    if (anew) {
      fs::remove_all(folder);
      fs::create_directory(folder);
      told.clear();
    }
    anew = !anew;
    if (device.waiting() == 0) {  // else those of the run before are sent
      for (const Kind& kind : kinds) device.Add(kind.frame);
    }
    fs::remove(dir_.path() / "cloud.log");
    before_cloud_ = before;
    Process cloud = NewCloud(store);
    auto again = std::chrono::steady_clock::now();
    // It rests for seconds after a model that did not open: what waits then, the next one gets.
    const bool last = before.empty();
    const bool done = Until(
        [&] {
          if (device.waiting() == 0 || !cloud.Running()) return true;
          if (std::chrono::steady_clock::now() < again) return false;
          again += std::chrono::milliseconds(100);
          return device.Insist();
        },
        last ? kLongest : std::chrono::seconds(3));
    EXPECT_TRUE(done || !last) << device.waiting() << CloudLog();
    ExpectInOrder(cloud.Stop(kLongest), CloudLog());
    for (const Name& name : device.TakeTold()) told.insert(name);
    if (!fs::exists(folder / "s.db")) {
      EXPECT_TRUE(told.empty());
      return;
    }
    auto opened = OpenStore(store);
    ASSERT_TRUE(opened) << opened.error().ToString();
    History history{.stored = {}, .told = {told.begin(), told.end()}};
    store_ = *std::move(opened);
    for (const auto& row : Stored(Insistent::kDevice)) {
      history.stored.emplace_back(row.detection.run, row.detection.sequence);
    }
    store_.reset();
    for (const std::string& line : Violations(history)) ADD_FAILURE() << line << CloudLog();
  };
  Walk({.spares_engine = true}, run);
  run({});
  EXPECT_EQ(device.waiting(), 0U);
}

TEST_F(WantOfMemory, WhereverAMapLacksMemoryItGoesOnOrEndsInOrder) {
  StartCloudProcess();
  RunEdge({"--cut", "split13", "--codec", "q4", "--count", "9", "--device", "cam"});
  ASSERT_EQ(status_, 0) << Log();
  Walk({}, [&](const Words& before) {
    const int port = FreePort();
    const fs::path log = dir_.path() / "map.log";
    fs::remove(log);
    std::vector<std::string> command = before;
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
    for (const char* target : {"/", "/api/detections", "/api/detections?format=csv",
                               "/api/detections?format=geojson", "/api/hexagons?level=5",
                               "/api/timeline?bins=10", "/api/stats", "/api/models", "/metrics"}) {
      // Each place fails once, so that whoever asks again is answered.
      std::string answer;
      EXPECT_TRUE(Until([&] {
        answer = HttpGet(port, target);
        return !map.Running() || answer.starts_with("HTTP/1.1 200 ");
      })) << target
          << "\n"
          << answer.substr(0, 300);
      if (!map.Running()) break;
    }
    const int status = map.Stop(kLongest);
    ExpectInOrder(status, ReadTextFile(log).value_or(""));
  });
}

}  // namespace
}  // namespace fogline
