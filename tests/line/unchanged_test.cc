// A fixed camera in front of which little happens. Each picture is one row, as without the gate:
// those that show nothing new are stored as "unchanged", with the result of the stored picture that
// they are like and a smaller frame. So it is by every mechanism, over a cloud that
// is away for a while, and nothing is skipped where the cloud does not say what it found.
#include <map>

#include "tests/cli/command.h"
#include "tests/line/line.h"
#include "vision/folder.h"

namespace fogline {
namespace {

class FixedCamera : public Line {
 protected:
  /// Pictures of the demo, each as often as the camera saw it so.
  void Watch(std::vector<int> runs) {
    const auto files = ListImages(kPictures).value();
    std::filesystem::create_directory(camera_);
    int taken = 0;
    for (size_t scene = 0; scene < runs.size(); ++scene) {
      for (int i = 0; i < runs[scene]; ++i, ++taken) {
        const auto& file = files[(scene * 7) % files.size()];
        const auto name = fmt::format("{:04}{}", taken, file.extension().string());
        std::filesystem::copy_file(file, camera_ / name);
      }
    }
    pictures_ = static_cast<size_t>(taken);
    // While one frame is away the next picture is looked at: it cannot be like it yet.
    most_whole_ = 2 * runs.size();
  }
  std::vector<std::string> Flags(std::vector<std::string> more) const {
    more.insert(more.end(), {"--device", device_, "--change-threshold", "6", "--window", "1"});
    return more;
  }

  /// One row a picture, and each unchanged one says what the row that it names says.
  void ExpectHonestRows() {
    std::map<uint64_t, Detection> rows;
    for (const auto& row : Stored(device_)) rows[row.detection.sequence] = row.detection;
    ASSERT_EQ(rows.size(), pictures_);
    unchanged_ = 0;
    for (const auto& [sequence, row] : rows) {
      if (row.mechanism != kUnchanged) continue;
      ++unchanged_;
      ASSERT_TRUE(row.cut.starts_with("frame ")) << row.cut;
      const auto like = rows.find(std::stoull(row.cut.substr(6)));
      ASSERT_NE(like, rows.end());
      EXPECT_LT(like->first, sequence);
      EXPECT_NE(like->second.mechanism, kUnchanged);
      EXPECT_EQ(row.label, like->second.label);
      EXPECT_EQ(row.score, like->second.score);
      EXPECT_EQ(row.positive, like->second.positive);
      EXPECT_EQ(row.findings, like->second.findings);
      if (like->second.mechanism != "edge-only") {
        EXPECT_LT(row.payload_bytes, like->second.payload_bytes);
      }
      EXPECT_EQ(row.codec, "result");
    }
  }

  const std::filesystem::path camera_ = dir_.path() / "camera";
  std::string device_ = "cam";
  size_t pictures_ = 0, unchanged_ = 0, most_whole_ = 0;
};

TEST_F(FixedCamera, WhatShowsNothingNewIsARecordOfTheOneBefore) {
  Watch({10, 6, 1, 8});
  size_t all_unchanged = 0;
  for (const char* mechanism : {"cloud-only", "edge-only", "split"}) {
    device_ = mechanism;
    std::vector<std::string> flags{"--mechanism", mechanism, "--report", "all", "--audit", "0"};
    if (std::string(mechanism) == "split") flags.insert(flags.end(), {"--cut", "split10"});
    const auto report = RunEdge(Flags(flags), camera_);
    ASSERT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["stored"], pictures_);
    ExpectHonestRows();
    EXPECT_EQ(report["unchanged"], unchanged_);
    EXPECT_GE(unchanged_ + most_whole_, pictures_) << mechanism;
    EXPECT_LE(unchanged_, pictures_ - 4) << "four scenes";
    const auto stock = store_->Stock();
    ASSERT_TRUE(stock);
    const auto tally =
        std::ranges::find(stock->mechanisms, std::string(kUnchanged), &ValueTally::text);
    ASSERT_NE(tally, stock->mechanisms.end());
    all_unchanged += unchanged_;
    EXPECT_EQ(tally->count, all_unchanged) << "filters and lists have it as any mechanism";
  }
}

TEST_F(FixedCamera, NegativesThatStayOnTheDeviceAreComparedWithAsWell) {
  Watch({12, 12});
  const auto report = RunEdge(Flags({"--mechanism", "edge-only", "--audit", "0"}), camera_);
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["images"], pictures_);
  EXPECT_GE(report["unchanged"].get<size_t>() + most_whole_, pictures_);
  EXPECT_EQ(report["unreported"].get<size_t>() + report["stored"].get<size_t>(), pictures_);
}

TEST_F(FixedCamera, ASampleGoesItsWayAndAgrees) {
  Watch({40});
  const auto report = RunEdge(Flags({"--mechanism", "cloud-only", "--audit", "2"}), camera_);
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_GE(report["unchanged_audited"], 1);
  EXPECT_EQ(report["unchanged_differ"], 0);
  ExpectHonestRows();
  EXPECT_EQ(report["unchanged"], unchanged_);
}

/// The records wait in the spool as all frames do, behind the picture that they are like.
TEST_F(FixedCamera, ACloudThatComesBackStoresEachOnce) {
  Watch({60});
  Process edge =
      StartEdge(Flags({"--mechanism", "split", "--cut", "split10", "--audit", "0", "--rate", "40",
                       "--spool", (dir_.path() / "spool").string(), "--drain", "60"}),
                camera_);
  ASSERT_TRUE(Until([&] { return CountStored() >= 10; }));
  cloud_->Stop();
  cloud_.reset();
  StartCloud();
  const auto report = Report(edge);
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"].get<size_t>() + report["duplicates"].get<size_t>(), pictures_);
  ExpectHonestRows();
  EXPECT_GE(unchanged_, 10U);
}

TEST_F(FixedCamera, FlagsThatContradictEachOtherAreNamed) {
  Watch({1});
  const auto refused = [&](std::vector<std::string> flags, const std::string& what, int status) {
    flags.insert(flags.begin(), {"edge", "--broker", broker_->url(), "--model", kModel.string(),
                                 "--source", camera_.string()});
    ExpectOneLine(RunCommand(flags, dir_.path()), what, status);
  };
  refused({"--mechanism", "cloud-only", "--change-threshold", "6", "--wire", "json"},
          "--change-threshold 6: does not travel with --wire json", 2);
  for (const char* bad : {"-1", "256", "nan", "six"}) {
    refused({"--mechanism", "cloud-only", "--change-threshold", bad}, "--change-threshold", 2);
  }
  refused({"--mechanism", "cloud-only", "--audit", "5"}, "--audit 5", 2);
}

}  // namespace
}  // namespace fogline
