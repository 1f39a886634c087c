// Want of memory by injection: short runs of an edge, a cloud and a map, in which calls for memory
// fail, each place that asks for some once (failing_memory.cc) and one at a time. Whatever it is,
// the process goes on or ends with one line and a status, and every frame is stored once in the
// end. Where the engine takes the process with it, that is counted (docs/reliability.md).
//
// In a few runs places all over are tried. FOGLINE_SOAK_MINUTES has every place tried, for so long
// at most.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

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
constexpr int kFewRuns = 8, kFewOneIn = 250;  // of some 4,000 places
/// So many runs on end that find nothing new have found all: which thread comes first differs.
constexpr int kQuietRuns = 3;

class WantOfMemory : public Reliability {
 protected:
  /// Calls `once` with the words before the command, for runs in which places fail that did not
  /// before; `once` has ended its process when it returns.
  void Walk(const std::function<void(const std::vector<std::string>& before)>& once) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here writes to the environment
    const char* const minutes = std::getenv("FOGLINE_SOAK_MINUTES");
    const bool whole = minutes != nullptr;
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::minutes(whole ? std::atoi(minutes) : 1);
    const uint64_t seed = RandomBits();
    const auto words = [&](uint64_t one_in) {
      return std::vector<std::string>{"env",
                                      std::string("LD_PRELOAD=") + FAILING_MEMORY,
                                      "FAIL_PLACES=" + (dir_.path() / "places").string(),
                                      "FAIL_ONE_IN=" + std::to_string(one_in),
                                      "FAIL_SEED=" + std::to_string(seed),
                                      "FAIL_LOG=" + Failed().string()};
    };
    once(words(0));
    const Places* const places = Places::Map((dir_.path() / "places").c_str());
    ASSERT_NE(places, nullptr);
    ASSERT_GT(places->Count().all, 100U);
    const int most = whole ? std::numeric_limits<int>::max() : kFewRuns;
    int runs = 0;
    for (int quiet = 0; runs < most && quiet < kQuietRuns && !HasFatalFailure(); ++runs) {
      if (std::chrono::steady_clock::now() > end) break;
      SCOPED_TRACE("seed " + std::to_string(seed) + ", run " + std::to_string(runs));
      fs::remove(Failed());
      const size_t before = places->Count().tried;
      once(words(whole ? 1 : kFewOneIn));
      quiet = places->Count().tried == before ? quiet + 1 : 0;
      if (HasFailure()) std::printf("%s", ReadTextFile(Failed()).value_or("").c_str());
    }
    const auto [all, tried] = places->Count();
    std::printf("%d runs, %zu of %zu places tried, %d deaths by a signal in the engine, %d else\n",
                runs, tried, all, killed_by_engine_, killed_);
    EXPECT_EQ(killed_, 0);
    EXPECT_GT(tried, 5U);
  }

  fs::path Failed() const { return dir_.path() / "failed"; }
  std::string CloudLog() const { return ReadTextFile(dir_.path() / "cloud.log").value_or(""); }
  /// A signal costs no more than a kill; it is counted, and is the engine's alone.
  void ExpectInOrder(int status, const std::string& log) {
    if (status >= kKilled) {
      const std::string failed = ReadTextFile(Failed()).value_or("");
      const size_t last = failed.rfind("place ");
      const bool engine = last != failed.npos && failed.find("libonnxruntime", last) != failed.npos;
      ++(engine ? killed_by_engine_ : killed_);
      std::printf("status %d%s\n%s%s\n", status, engine ? ", in the engine" : "",
                  last == failed.npos ? "" : failed.c_str() + last, log.c_str());
      return;
    }
    EXPECT_TRUE(status == 0 || log.find("fogline: ") != std::string::npos) << status << log;
  }

  int killed_ = 0, killed_by_engine_ = 0;
};

TEST_F(WantOfMemory, WhereverAnEdgeLacksMemoryNoFrameIsLost) {
  // One device and one spool all along: what a run leaves, the next one sends.
  const std::string device = "edge";
  std::set<Name> taken;
  StartCloudProcess();
  Walk([&](const std::vector<std::string>& before) {
    fs::remove(dir_.path() / "edge.log");
    before_edge_ = before;
    Process edge = StartSpooling(device, {"--count", "4", "--drain", "2"});
    ASSERT_TRUE(edge.ReadStdout(kLongest)) << "does not end" << Log();
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
  const auto run = [&](const std::vector<std::string>& before) {
    if (anew) {
      fs::remove_all(folder);
      fs::create_directory(folder);
      told.clear();
    }
    anew = !anew;
    for (const Kind& kind : kinds) device.Add(kind.frame);
    fs::remove(dir_.path() / "cloud.log");
    before_cloud_ = before;
    Process cloud = NewCloud(store);
    auto again = std::chrono::steady_clock::now();
    ASSERT_TRUE(Until([&] {
      if (device.waiting() == 0 || !cloud.Running()) return true;
      if (std::chrono::steady_clock::now() < again) return false;
      again += std::chrono::milliseconds(100);
      return device.Insist();
    })) << device.waiting()
        << CloudLog();
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
  Walk(run);
  run({});
  EXPECT_EQ(device.waiting(), 0U);
}

TEST_F(WantOfMemory, WhereverAMapLacksMemoryItGoesOnOrEndsInOrder) {
  StartCloudProcess();
  RunEdge({"--cut", "split13", "--codec", "q4", "--count", "9", "--device", "cam"});
  ASSERT_EQ(status_, 0) << Log();
  Walk([&](const std::vector<std::string>& before) {
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
