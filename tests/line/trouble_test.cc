// What goes wrong in the field, on purpose: brokers that come late or die, workers that are
// missing, damaged pictures, hostile frames, twins, a full disk, Ctrl-C. Each is said in one line,
// the rest goes on, and what was acknowledged is stored exactly once.
#include <csignal>
#include <random>
#include <set>
#include <thread>

#include "frame/frame.h"
#include "frame/topics.h"
#include "tests/line/line.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> Looping(const std::string& device, int count) {
  return {"--cut",    "split13", "--codec", "f16", "--loop", "--count", std::to_string(count),
          "--device", device,    "--drain", "60"};
}

TEST_F(Line, ABrokerThatDiesAndReturnsCostsNothing) {
  Process edge = StartEdge(Looping("survivor", 60));
  for (size_t so_far : {10, 30}) {
    ASSERT_TRUE(Until([&] { return Stored("survivor").size() >= so_far; })) << Log();
    ASSERT_TRUE(broker_->Restart());
  }
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["unanswered"], 0);
  ExpectEachOnce(Stored("survivor"), 60);
}

TEST_F(Line, ABrokerThatIsNotThereYetIsWaitedForAndNamedOnce) {
  const int port = FreePort();
  std::vector<std::string> flags = Looping("early", 5);
  std::vector<std::string> command{FOGLINE_BINARY,
                                   "edge",
                                   "--json",
                                   "--broker",
                                   "mqtt://127.0.0.1:" + std::to_string(port),
                                   "--model",
                                   kModel.string(),
                                   "--source",
                                   kPictures.string()};
  command.insert(command.end(), flags.begin(), flags.end());
  auto edge = Process::Start(
      {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "edge.log"});
  ASSERT_TRUE(edge);
  ASSERT_TRUE(Until([&] { return Log().find("trying again") != std::string::npos; }));
  cloud_->Stop();
  auto late = LocalBroker::Start(port);
  ASSERT_TRUE(late) << late.error().ToString();
  broker_ = *std::move(late);
  StartCloud();
  const auto report = Report(*edge);
  EXPECT_EQ(report["stored"].get<int>() + report["duplicates"].get<int>(), 5) << Log();
  EXPECT_EQ(CountOf(Log(), "trying again"), 1U) << Log();
  ExpectEachOnce(Stored("early"), 5);
}

TEST_F(Line, FramesWaitForACloudThatIsNotThereYet) {
  cloud_->Stop();
  Process edge = StartEdge(Looping("patient", 5));
  ASSERT_TRUE(Until([&] { return Log().find("no cloud worker listens") != std::string::npos; }))
      << Log();
  StartCloud();
  // The next repeat reaches it.
  const auto report = Report(edge);
  EXPECT_EQ(report["unanswered"], 0) << Log();
  ExpectEachOnce(Stored("patient"), 5);
}

TEST_F(Line, DamagedPicturesAreNamedAndTheOthersGoOn) {
  const auto folder = dir_.path() / "mixed";
  std::filesystem::create_directory(folder);
  const auto good = ListImages(kPictures)->at(0);
  std::filesystem::copy_file(good, folder / "a.jpg");
  ASSERT_TRUE(WriteFile(folder / "b-notes.jpg", "this is text"));
  const auto whole = ReadFile(good);
  ASSERT_TRUE(WriteFile(folder / "c-half.jpg", std::span(*whole).first(whole->size() / 2)));
  ASSERT_TRUE(WriteFile(folder / "d-empty.png", ""));
  std::filesystem::copy_file(good, folder / "e.jpg");
  const auto report = RunEdge({"--mechanism", "cloud-only", "--device", "mixed"}, folder);
  EXPECT_EQ(status_, 0);
  EXPECT_EQ(report["skipped"], 3);
  EXPECT_EQ(report["stored"], 2);
  for (const char* name : {"b-notes.jpg", "c-half.jpg", "d-empty.png"})
    EXPECT_EQ(CountOf(Log(), name), 1U) << Log();
}

TEST_F(Line, TwoDevicesWithOneNameAreBothStoredAndBothTold) {
  Process first = StartEdge({"--cut", "split13", "--loop", "--device", "twin"});
  ASSERT_TRUE(Until([&] { return Stored("twin").size() >= 3; })) << Log();
  Process second = StartEdge({"--cut", "split13", "--loop", "--device", "twin"});
  ASSERT_TRUE(Until([&] {
    return CountOf(Log(), "another device runs under the name 'twin'") >= 2;
  })) << Log();
  std::set<uint64_t> runs;
  ASSERT_TRUE(Until([&] {
    for (const auto& row : Stored("twin")) runs.insert(row.detection.run);
    return runs.size() == 2;
  }));
  for (Process* edge : {&first, &second}) edge->Signal(SIGINT);
  const auto a = Report(first), b = Report(second);
  EXPECT_EQ(a["stored"].get<size_t>() + b["stored"].get<size_t>(), Stored("twin").size());
}

TEST_F(Line, CtrlCInTheMiddleLosesNothingThatWasAcknowledged) {
  Process edge = StartEdge({"--cut", "split13", "--loop", "--device", "stopped"});
  ASSERT_TRUE(Until([&] { return Stored("stopped").size() >= 5; })) << Log();
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], report["sent"]);
  ExpectEachOnce(Stored("stopped"), report["sent"].get<size_t>());
}

TEST_F(Line, AFullDiskIsSaidAndNothingIsAcknowledgedThatIsNotStored) {
  cloud_->Stop();
  StoreOptions tiny;
  tiny.max_bytes = 200'000;
  auto store = OpenStore("sqlite:" + (dir_.path() / "small.db").string(), tiny);
  ASSERT_TRUE(store);
  cloud_.reset();
  store_ = *std::move(store);
  StartCloud();
  Process edge = StartEdge({"--mechanism", "cloud-only", "--loop", "--device", "full", "--drain",
                            "0.1", "--thumbnail", "160"});
  // The window fills with frames that the store cannot take, and the edge holds back its camera.
  ASSERT_TRUE(Until([&] { return Log().find("asks to wait") != std::string::npos; })) << Log();
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_GT(report["unanswered"].get<int>(), 0);
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(report["stored"].get<size_t>(), Stored("full").size());
}

class Publisher : public LinkHandler {
 public:
  void OnConnected() override { connected = true; }
  void OnDisconnected() override {}
  void OnMessage(const Message&) override {}
  std::atomic<bool> connected{false};
};

TEST_F(Line, HostileFramesGetNowhere) {
  // An edge repeats until the cloud listens; bare frames would be lost before.
  const auto before = RunEdge({"--mechanism", "cloud-only", "--device", "before"});
  const size_t stored = before["stored"];
  Publisher handler;
  LinkOptions options;
  options.broker = *ParseBroker(broker_->url());
  options.name = "hostile";
  auto link = Link::Make(options, handler);
  ASSERT_TRUE(link);
  (*link)->Start();
  ASSERT_TRUE(Until([&] { return handler.connected.load(); }));

  // A frame of its own making, valid up to what it claims.
  Frame frame;
  frame.device = "liar";
  frame.payloads.push_back({Role::kActivation, 4, 90, DType::kU8, Shape{160, 160, 3}, {}});
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  uint64_t sent = 0;
  const auto publish = [&](std::span<const std::byte> payload, const std::string& device) {
    ASSERT_TRUE((*link)->Publish(FrameTopic(device), payload, 1));
    ++sent;
  };
  publish(bytes, "liar");  // no such model: not now, since one may come
  EXPECT_TRUE(Until([&] { return cloud_->stats().retried >= 1; }));
  publish(bytes, "somebody");  // another device's topic
  publish({}, "liar");         // nothing at all
  const std::string nested(100'000, '[');
  publish(std::as_bytes(std::span(nested)), "liar");
  const std::string json =
      "{\"header\":{\"device\":\"liar\",\"shape\":[4000000000,4000000000]},\"data\":" + nested +
      "}";
  publish(std::as_bytes(std::span(json)), "liar");
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::byte> noise(random() % 2000);
    for (std::byte& b : noise) b = static_cast<std::byte>(random());
    publish(noise, "liar");
  }
  EXPECT_TRUE(Until([&] { return cloud_->stats().refused >= sent - 1; }))
      << cloud_->stats().refused << " of " << sent;
  EXPECT_EQ(store_->Stock()->count, stored);
  // The line still works.
  const auto report = RunEdge({"--mechanism", "cloud-only", "--device", "honest"});
  EXPECT_EQ(report["stored"], ListImages(kPictures)->size());
}

TEST_F(Line, WrongUseIsOneLineWithTheNearestName) {
  RunEdge({"--cut", "split99", "--device", "x"});
  EXPECT_EQ(status_, 1);
  EXPECT_NE(Log().find("did you mean"), std::string::npos) << Log();
  RunEdge({"--mechanism", "split", "--device", "x"});
  EXPECT_EQ(status_, 2);
  RunEdge({"--mechanism", "edge-only", "--device", "a/b"});
  EXPECT_EQ(status_, 2);
  const auto half = dir_.path() / "half.onnx";
  const auto whole = ReadFile(kModel);
  ASSERT_TRUE(WriteFile(half, std::span(*whole).first(whole->size() / 2)));
  auto edge =
      Process::Start({.command = {FOGLINE_BINARY, "edge", "--model", half.string(), "--source",
                                  kPictures.string(), "--mechanism", "cloud-only"},
                      .capture_stdout = true,
                      .stderr_to = dir_.path() / "half.log"});
  ASSERT_TRUE(edge);
  EXPECT_EQ(edge->Wait(), 1);
  const std::string log = ReadTextFile(dir_.path() / "half.log").value();
  EXPECT_NE(log.find("half.onnx"), std::string::npos);
  EXPECT_EQ(CountOf(log, "\n"), 1U) << log;
}

}  // namespace
}  // namespace fogline
