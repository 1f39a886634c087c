// "Not now" and "never", from end to end: what may pass costs nothing, what is refused for ever is
// kept as a dead letter, counted, and ends the run with a failure.
#include <atomic>
#include <filesystem>

#include "frame/ack.h"
#include "frame/frame.h"
#include "frame/topics.h"
#include "tests/line/line.h"
#include "vision/folder.h"

namespace fogline {
namespace {

class Answers : public Line {
 protected:
  void SetUp() override {
    Line::SetUp();
    cloud_->Stop();
    cloud_.reset();
    std::filesystem::create_directory(folder_);
  }
  void StartCloudWith(size_t most_bytes = size_t{16} << 20) {
    CloudOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.models.folder = folder_;
    options.workers = 2;
    options.most_bytes = most_bytes;
    auto cloud = Cloud::Start(options, *store_, [] {});
    ASSERT_TRUE(cloud) << cloud.error().ToString();
    cloud_ = *std::move(cloud);
  }
  void BringModel() {
    for (const char* name : {"litter.toml", "litter.bundle", "litter.onnx"}) {
      std::filesystem::copy_file(kModels / name, folder_ / name);
    }
  }
  std::vector<std::string> Flags(const std::string& device, std::vector<std::string> more) {
    std::vector<std::string> flags{"--device", device, "--spool", SpoolOf(device).string(),
                                   "--drain",  "100"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  std::filesystem::path SpoolOf(const std::string& device) const { return dir_.path() / device; }
  /// The reasons in a device's dead-letter folder.
  std::vector<nlohmann::json> Dead(const std::string& device) const {
    std::vector<nlohmann::json> reasons;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(SpoolOf(device) / "dead", none)) {
      if (entry.path().extension() != ".json") continue;
      reasons.push_back(
          nlohmann::json::parse(ReadTextFile(entry.path()).value_or(""), nullptr, false));
      EXPECT_TRUE(std::filesystem::exists(entry.path().parent_path() /
                                          (entry.path().stem().string() + ".frame")));
    }
    return reasons;
  }

  const std::filesystem::path folder_ = dir_.path() / "models";
  const size_t pictures_ = ListImages(kPictures)->size();
};

TEST_F(Answers, FramesWaitForAModelThatIsNotThereYet) {
  StartCloudWith();
  Process spooling = StartEdge(Flags("patient", {"--cut", "split13", "--codec", "q4"}));
  ASSERT_TRUE(Until([&] { return Log().find("asks to wait") != std::string::npos; })) << Log();
  BringModel();
  const auto report = Report(spooling);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["refused"], 0);
  EXPECT_EQ(report["kept"], 0);
  EXPECT_EQ(Stored("patient").size(), pictures_);
  EXPECT_EQ(Log().find(folder_.string()), std::string::npos) << Log();
}

TEST_F(Answers, FramesWaitForAModelsFolderThatIsBrieflyAway) {
  BringModel();
  StartCloudWith();
  const auto away = dir_.path() / "away";
  std::filesystem::rename(folder_, away);
  Process edge = StartEdge({"--device", "calm", "--cut", "split13", "--drain", "100"});
  ASSERT_TRUE(Until([&] { return Log().find("asks to wait") != std::string::npos; })) << Log();
  std::filesystem::rename(away, folder_);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["refused"], 0);
  EXPECT_EQ(Stored("calm").size(), pictures_);
}

/// Whoever holds a device reads its log.
TEST_F(Answers, DevicesHearNothingOfWhereTheCloudsFilesLie) {
  BringModel();
  ASSERT_TRUE(WriteFile(folder_ / "litter.toml", "no card"));
  StartCloudWith();
  Process edge = StartEdge({"--device", "curious", "--cut", "split13", "--drain", "100"});
  ASSERT_TRUE(Until([&] { return Log().find("its log says why") != std::string::npos; })) << Log();
  std::filesystem::copy_file(kModels / "litter.toml", folder_ / "litter.toml",
                             std::filesystem::copy_options::overwrite_existing);
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(Stored("curious").size(), pictures_);
  EXPECT_EQ(Log().find(folder_.string()), std::string::npos) << Log();
}

/// Two networks in one spool: the one that the cloud has does not wait for the other.
TEST_F(Answers, FramesOfAnOldModelDoNotKeepThoseOfTheNewFromBeingStored) {
  BringModel();
  // The same network under another name is another model.
  const auto old = dir_.path() / "old";
  std::filesystem::create_directory(old);
  std::filesystem::copy_file(kModels / "litter.toml", old / "litter.toml");
  auto bytes = ReadFile(kModel).value();
  for (const int field : {0x92, 0x03, 0x01, 0x78}) {  // an unknown field, which readers pass over
    bytes.push_back(static_cast<std::byte>(field));
  }
  ASSERT_TRUE(WriteFile(old / "litter.onnx", bytes));
  const std::string device = "upgraded";
  edge_model_ = old / "litter.onnx";
  RunEdge({"--device", device, "--spool", SpoolOf(device).string(), "--drain", "0", "--cut",
           "split13"});
  ASSERT_EQ(status_, 0) << Log();
  edge_model_ = kModel;
  StartCloudWith();
  Process edge = StartEdge({"--device", device, "--spool", SpoolOf(device).string(), "--window",
                            "2", "--drain", "100", "--cut", "split13"});
  ASSERT_TRUE(Until([&] { return Stored(device).size() == pictures_; })) << Log();
  std::filesystem::copy_file(old / "litter.toml", folder_ / "old.toml");
  std::filesystem::copy_file(old / "litter.onnx", folder_ / "old.onnx");
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["kept"], 0) << Log();
  EXPECT_EQ(report["refused"], 0);
  EXPECT_EQ(Stored(device).size(), 2 * pictures_);
}

TEST_F(Answers, AFrameBeyondTheCloudsLimitIsAnsweredFromItsHeader) {
  BringModel();
  StartCloudWith(5000);
  for (const char* wire : {"fogline", "json"}) {
    const auto report = RunEdge(Flags(wire, {"--mechanism", "cloud-only", "--wire", wire, "--codec",
                                             std::string(wire) == "json" ? "json" : "jpeg:100"}));
    EXPECT_EQ(report["stored"], 0);
    EXPECT_EQ(report["refused"], pictures_) << Log();
    EXPECT_EQ(report["dead_letters"], pictures_);
    EXPECT_EQ(status_, 1);
    EXPECT_NE(Log().find("refused"), std::string::npos) << Log();
    for (const auto& reason : Dead(wire)) {
      EXPECT_EQ(reason["refused_by"], "cloud");
      EXPECT_NE(reason["reason"].get<std::string>().find("--max-frame"), std::string::npos);
    }
    EXPECT_EQ(Dead(wire).size(), pictures_);
  }
  EXPECT_EQ(cloud_->stats().unstored[static_cast<size_t>(ErrorCode::kUnsupported)], 2 * pictures_);
}

/// 128 kB at one public broker, 4 MiB at ours: said in CONNACK, and never silence.
TEST_F(Answers, AFrameBeyondTheBrokersLimitIsADeadLetterAndStopsNobody) {
  BringModel();
  auto broker = LocalBroker::Start(0, "max_packet_size 8000\n");
  ASSERT_TRUE(broker) << broker.error().ToString();
  broker_ = *std::move(broker);
  StartCloudWith();
  auto report = RunEdge(
      Flags("large", {"--mechanism", "cloud-only", "--codec", "jpeg:100", "--window", "2"}));
  EXPECT_EQ(report["refused"], pictures_) << Log();
  EXPECT_EQ(report["dead_letters"], pictures_);
  EXPECT_EQ(status_, 1);
  for (const auto& reason : Dead("large")) {
    EXPECT_EQ(reason["refused_by"], "broker");
    EXPECT_NE(reason["reason"].get<std::string>().find("8000"), std::string::npos);
  }
  // The same device goes on with what fits.
  report = RunEdge(Flags("large", {"--cut", "split13", "--codec", "q4"}));
  EXPECT_EQ(report["stored"], pictures_);
  EXPECT_EQ(status_, 0) << Log();
  // Where no frame can fit, that is said before the first.
  RunEdge({"--device", "hopeless", "--cut", "split1", "--codec", "f32"});
  EXPECT_EQ(status_, 2) << Log();
  EXPECT_NE(Log().find("takes packets of 8000 bytes at most"), std::string::npos) << Log();
}

/// Hears the answers to what it publishes itself.
class Device final : public LinkHandler {
 public:
  explicit Device(const std::string& url) {
    LinkOptions options;
    options.broker = *ParseBroker(url);
    options.name = "device";
    link = *Link::Make(options, *this);
    link->Start();
  }
  ~Device() override { link->Stop(); }
  void OnConnected() override {
    EXPECT_TRUE(link->Subscribe(AckTopic("future", 7), 1));
    connected = true;
  }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    if (const auto ack = ParseAck(message.payload)) {
      EXPECT_EQ(ack->status, AckStatus::kRefused);
      EXPECT_EQ(ack->run, 7U);
      sequence = static_cast<int>(ack->sequence);
    }
  }
  std::unique_ptr<Link> link;
  std::atomic<bool> connected{false};
  std::atomic<int> sequence{-1};
};

/// A version of the future, and bytes that were damaged on the device: both have a name.
TEST_F(Answers, AFrameThatCannotBeReadIsAnsweredByItsName) {
  BringModel();
  StartCloudWith();
  Device device(broker_->url());
  ASSERT_TRUE(Until([&] { return device.connected.load(); }));
  Frame frame;
  frame.device = "future";
  frame.run = 7;
  frame.payloads.push_back({Role::kThumbnail, 4, 90, DType::kU8, Shape{1, 1, 3}, {}});
  for (const size_t damaged : {size_t{4}, size_t{70}}) {  // the version, something behind it
    ++frame.sequence;
    std::vector<std::byte> bytes;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    bytes[damaged] ^= std::byte{0x70};
    // The cloud's subscription may come later than ours.
    ASSERT_TRUE(Until([&] {
      EXPECT_TRUE(device.link->Publish(FrameTopic("future"), bytes, 1, AckTopic("future", 7)));
      return device.sequence == static_cast<int>(frame.sequence);
    })) << damaged;
  }
}

TEST_F(Answers, AnotherSizeIsForTheDeviceAlone) {
  BringModel();
  StartCloudWith();
  auto report =
      RunEdge({"--device", "wide", "--mechanism", "edge-only", "--report", "all", "--size", "224"});
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], pictures_);
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--cut", "split13"}, {"--mechanism", "cloud-only"}}) {
    std::vector<std::string> flags = how;
    flags.insert(flags.end(), {"--device", "wide", "--size", "224"});
    RunEdge(flags);
    EXPECT_EQ(status_, 2) << Log();
    EXPECT_NE(Log().find("--size 224"), std::string::npos) << Log();
    flags.back() = "160";
    RunEdge(flags);
    EXPECT_EQ(status_, 0) << Log();
  }
}

TEST_F(Answers, ARunThatUnderstoodNoPictureHasFailed) {
  BringModel();
  StartCloudWith();
  const auto folder = dir_.path() / "nonsense";
  std::filesystem::create_directory(folder);
  ASSERT_TRUE(WriteFile(folder / "a.jpg", "this is text"));
  const auto report = RunEdge({"--mechanism", "edge-only", "--device", "blind"}, folder);
  EXPECT_EQ(report["skipped"], 1);
  EXPECT_EQ(status_, 1);
}

}  // namespace
}  // namespace fogline
