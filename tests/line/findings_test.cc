// What was found comes back to the device that asks, from clouds new and old, for whatever program
// there reads it.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "frame/ack.h"
#include "frame/frame.h"
#include "frame/topics.h"
#include "tests/line/line.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

/// Hears what clouds answer to every device; where it is the cloud itself, it answers as one did
/// before there were findings.
class Listening final : public LinkHandler {
 public:
  Listening(const std::string& broker, bool answers) : answers_(answers) {
    LinkOptions options;
    options.broker = *ParseBroker(broker);
    options.name = answers ? "old-cloud" : "listening";
    link_ = *Link::Make(options, *this);
    link_->Start();
    EXPECT_TRUE(Until([&] { return subscribed_.load(); }));
  }
  ~Listening() override { link_->Stop(); }

  /// The first four bytes of the answers to a topic.
  std::set<std::string> Magics(const std::string& device) const {
    const std::lock_guard lock(mutex_);
    const auto found = magics_.find(device);
    return found == magics_.end() ? std::set<std::string>() : found->second;
  }

 private:
  void OnConnected() override {
    subscribed_ =
        link_->Subscribe(answers_ ? WorkerFilter("old") : AckTopicPrefix("+") + "+", 1).has_value();
  }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    if (answers_) {
      Frame frame;
      EXPECT_TRUE(ParseFrame(message.payload, frame));
      std::vector<std::byte> answer;
      WriteAck({AckStatus::kStored, frame.run, frame.sequence, {1, 2, 3, 4, 10}, 1, 0.75F, "", {}},
               answer);
      EXPECT_TRUE(link_->Publish(std::string(message.response_topic), answer, 0));
      return;
    }
    std::string device(message.topic.substr(std::string_view("fogline/v1/").size()));
    device.resize(device.find('/'));
    const std::lock_guard lock(mutex_);
    magics_[device].insert({reinterpret_cast<const char*>(message.payload.data()), 4});
  }

  const bool answers_;
  std::unique_ptr<Link> link_;
  std::atomic<bool> subscribed_{false};
  mutable std::mutex mutex_;
  std::map<std::string, std::set<std::string>> magics_;  // by device
};

class FindingsTold : public Line {
 protected:
  /// A cloud and an edge whose network tells both classes of each picture.
  void SetUp() override {
    Line::SetUp();
    cloud_->Stop();
    cloud_.reset();
    const auto folder = dir_.path() / "models";
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file(kModel, folder / "litter.onnx");
    std::filesystem::copy_file(kModels / "litter.bundle", folder / "litter.bundle");
    ASSERT_TRUE(WriteFile(folder / "litter.toml",
                          ReadTextFile(kModels / "litter.toml").value() + "top = 2\n"));
    edge_model_ = folder / "litter.onnx";
  }
  void StartCloudOfIt() {
    CloudOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.models.folder = edge_model_.parent_path();
    options.workers = 2;
    auto cloud = Cloud::Start(options, *store_, [] {});
    ASSERT_TRUE(cloud) << cloud.error().ToString();
    cloud_ = *std::move(cloud);
  }
  static std::vector<nlohmann::json> Lines(const std::string& text) {
    std::vector<nlohmann::json> lines;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      lines.push_back(nlohmann::json::parse(text.substr(at, end - at), nullptr, false));
      EXPECT_TRUE(lines.back().is_object()) << text.substr(at, end - at);
    }
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    return lines;
  }
  std::vector<nlohmann::json> AnswersTo(std::vector<std::string> flags,
                                        const std::string& drain = "60") {
    const auto file = dir_.path() / ("answers-" + std::to_string(runs_++));
    flags.insert(flags.end(), {"--answers", file.string(), "--drain", drain});
    report_ = RunEdge(std::move(flags));
    EXPECT_EQ(status_, 0) << Log();
    return Lines(ReadTextFile(file).value_or(""));
  }
  /// One line a stored row, which says what the row says.
  void ExpectLikeTheStore(const std::vector<nlohmann::json>& lines, const std::string& device) {
    std::map<uint64_t, Detection> rows;
    for (const auto& row : Stored(device)) rows[row.detection.sequence] = row.detection;
    for (const auto& line : lines) {
      ASSERT_TRUE(line["sequence"].is_number()) << line;
      const auto found = rows.find(line["sequence"]);
      ASSERT_NE(found, rows.end()) << line;
      const Detection& row = found->second;
      EXPECT_EQ(line["device"], device);
      EXPECT_EQ(line["run"], fmt::format("{:016x}", row.run));
      EXPECT_EQ(line["captured"], row.captured_us / 1000);
      EXPECT_EQ(line["captured_from"], std::string(ToString(row.captured_from)));
      EXPECT_EQ(line["verdict"]["label"], row.label);
      EXPECT_FLOAT_EQ(line["verdict"]["score"].get<float>(), row.score);
      EXPECT_EQ(line["verdict"]["positive"], row.positive);
      ASSERT_TRUE(row.findings);
      const auto& top = std::get<ClassFindings>(*row.findings).top;
      ASSERT_EQ(line["findings"]["classes"].size(), top.size()) << line;
      for (size_t i = 0; i < top.size(); ++i) {
        EXPECT_EQ(line["findings"]["classes"][i]["label"], top[i].label);
        EXPECT_FLOAT_EQ(line["findings"]["classes"][i]["score"].get<float>(), top[i].score);
      }
      rows.erase(found);
    }
    EXPECT_TRUE(rows.empty()) << rows.size() << " rows have no line";
  }

  nlohmann::json report_;
  int runs_ = 0;
};

TEST_F(FindingsTold, EveryRouteTellsWhatIsStored) {
  StartCloudOfIt();
  const Listening listening(broker_->url(), false);
  const std::map<std::string, std::vector<std::string>> ways{
      {"split", {"--cut", "split13", "--codec", "q4"}},
      {"cloud", {"--mechanism", "cloud-only"}},
      {"paper", {"--cut", "split13", "--wire", "json"}},
      {"edge", {"--mechanism", "edge-only", "--report", "all"}}};
  const std::map<std::string, std::string> routes{{"split", "litter@160:split13/q4"},
                                                  {"cloud", "litter@160:cloud-only/jpeg:90"},
                                                  {"paper", "litter@160:split13/json"},
                                                  {"edge", "litter@160:edge-only/result"}};
  for (const auto& [device, flags] : ways) {
    auto all = flags;
    all.insert(all.end(), {"--device", device});
    const auto lines = AnswersTo(all);
    EXPECT_EQ(lines.size(), PictureCount()) << device;
    ExpectLikeTheStore(lines, device);
    for (const auto& line : lines) {
      EXPECT_EQ(line["route"], routes.at(device));
      EXPECT_FALSE(line.contains("error"));
    }
  }
  EXPECT_TRUE(Until([&] { return listening.Magics("split").contains("FAK2"); }));
}

/// Who does not ask is answered byte for byte as ever (frame_test has the bytes).
TEST_F(FindingsTold, NobodyIsToldWhoDoesNotAsk) {
  StartCloudOfIt();
  const Listening listening(broker_->url(), false);
  RunEdge({"--cut", "split13", "--device", "older"});
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_TRUE(Until([&] { return !listening.Magics("older").empty(); }));
  EXPECT_EQ(listening.Magics("older"), std::set<std::string>{"FAK1"});
}

/// A cloud from before findings answers the ask as it answers everybody.
TEST_F(FindingsTold, AnOlderCloudStoresAndSaysNothingMore) {
  const Listening cloud(broker_->url(), true);
  const auto lines = AnswersTo({"--cut", "split13", "--device", "newer"});
  EXPECT_EQ(report_["stored"], PictureCount());
  ASSERT_EQ(lines.size(), PictureCount());
  for (const auto& line : lines) {
    EXPECT_TRUE(line["verdict"].is_null()) << line;
    EXPECT_TRUE(line["findings"].is_null()) << line;
    EXPECT_TRUE(line["sequence"].is_number()) << line;
  }
}

/// A gate must open with no cloud in sight, and for pictures that are worth no report.
TEST_F(FindingsTold, TheDevicesOwnNeedNoCloudAndNoReport) {
  const auto lines = AnswersTo(
      {"--mechanism", "edge-only", "--device", "gate", "--spool", (dir_.path() / "spool").string()},
      "0");
  ASSERT_EQ(lines.size(), PictureCount());
  size_t positives = 0;
  for (const auto& line : lines) {
    const bool positive = line["verdict"]["positive"];
    positives += positive;
    EXPECT_EQ(line["sequence"].is_null(), !positive) << line;
    EXPECT_EQ(line["run"], lines.front()["run"]);
    EXPECT_TRUE(line.contains("captured"));
    EXPECT_EQ(line["findings"]["classes"].size(), 2U);
  }
  EXPECT_EQ(report_["kept"], positives);
  EXPECT_GT(positives, 0U);
  EXPECT_LT(positives, PictureCount());
}

/// What a spool kept from a run that asked nothing is told to one that asks.
TEST_F(FindingsTold, FramesOfAnEarlierRunAreToldToo) {
  const std::string spool = (dir_.path() / "spool").string();
  const std::vector<std::string> flags{"--cut", "split13", "--device", "patient", "--spool", spool};
  auto before = flags;
  before.insert(before.end(), {"--drain", "0"});
  RunEdge(before);
  ASSERT_EQ(status_, 0) << Log();
  StartCloudOfIt();
  const auto lines = AnswersTo(flags);
  EXPECT_EQ(lines.size(), 2 * PictureCount());
  std::set<std::string> runs;
  for (const auto& line : lines) {
    runs.insert(line["run"]);
    EXPECT_EQ(line["verdict"]["label"].is_string(), true) << line;
    EXPECT_THAT(line["route"].get<std::string>(), HasSubstr("litter@160:split13/"));
  }
  EXPECT_EQ(runs.size(), 2U);
}

TEST_F(FindingsTold, StdoutHasTheLinesAloneAndARefusalItsReason) {
  StartCloudOfIt();
  CloudOptions options;
  cloud_->Stop();
  options.link.broker = *ParseBroker(broker_->url());
  options.models.folder = edge_model_.parent_path();
  options.most_bytes = 5000;
  auto cloud = Cloud::Start(options, *store_, [] {});
  ASSERT_TRUE(cloud) << cloud.error().ToString();
  cloud_ = *std::move(cloud);
  Process edge = StartEdge({"--mechanism", "cloud-only", "--codec", "jpeg:100", "--device", "large",
                            "--answers", "-", "--drain", "60"});
  const auto text = edge.ReadStdout();
  EXPECT_EQ(edge.Wait(), 1) << Log();
  ASSERT_TRUE(text);
  const auto lines = Lines(*text);
  EXPECT_EQ(lines.size(), PictureCount());
  for (const auto& line : lines) {
    EXPECT_TRUE(line["verdict"].is_null());
    EXPECT_THAT(line["error"].get<std::string>(), HasSubstr("--max-frame"));
  }
  EXPECT_THAT(Log(), HasSubstr("\"refused\""));  // the report
}

}  // namespace
}  // namespace fogline
