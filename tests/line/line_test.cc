// The paper's pipeline on loopback: real mosquitto, edges as processes, the cloud and its store in
// this one. Every mechanism must store every picture that it sends, at its place, with the verdict
// that the whole network gives, and with the time of every stage.
#include "tests/line/line.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "vision/folder.h"

namespace fogline {
namespace {

size_t PictureCount() { return ListImages(kPictures)->size(); }

TEST_F(Line, EveryMechanismStoresEveryPictureThatItSends) {
  const std::vector<std::vector<std::string>> mechanisms{
      {"--mechanism", "edge-only", "--report", "all"},
      {"--mechanism", "cloud-only"},
      {"--mechanism", "cloud-only", "--codec", "webp:80"},
      {"--mechanism", "split", "--cut", "split10", "--codec", "f32"},
      {"--mechanism", "split", "--cut", "split13", "--codec", "f16"}};
  for (size_t i = 0; i < mechanisms.size(); ++i) {
    for (const char* wire : {"fogline", "json"}) {
      std::vector<std::string> flags = mechanisms[i];
      if (std::string(wire) == "json" && flags.back().find(':') != std::string::npos) continue;
      const std::string device = "device-" + std::to_string(i) + wire;
      flags.insert(flags.end(), {"--device", device, "--wire", wire});
      SCOPED_TRACE(device);
      const auto report = RunEdge(flags);
      ASSERT_EQ(status_, 0) << Log();
      EXPECT_EQ(report["images"], PictureCount());
      EXPECT_EQ(report["stored"], PictureCount());
      const auto rows = Stored(device);
      ASSERT_EQ(rows.size(), PictureCount());
      for (const StoredDetection& row : rows) {
        const Detection& d = row.detection;
        EXPECT_TRUE(d.has_position);
        EXPECT_EQ(d.mechanism, mechanisms[i][1]);
        EXPECT_TRUE(d.label == "clean" || d.label == "litter") << d.label;
        EXPECT_GT(d.payload_bytes, 0U);
        EXPECT_FALSE(std::isnan(d.stages.read) || std::isnan(d.stages.prefix) ||
                     std::isnan(d.stages.decode));
      }
      // Told with a later frame, and for the last ones by a frame of its own. A frame sent twice
      // has no time, which a busy machine may bring about.
      const auto timed = std::ranges::count_if(rows, [](const StoredDetection& row) {
        return !std::isnan(row.detection.stages.network);
      });
      EXPECT_EQ(timed, report["stages_ms"]["network"]["count"]);
      EXPECT_GT(report["stages_ms"]["network"]["p50"].get<double>(), 0);
      EXPECT_LE(report["hypothetical_ms"]["p50"].get<double>(),
                report["latency_ms"]["p50"].get<double>());
    }
  }
}

TEST_F(Line, ASplitSaysWhatTheWholeNetworkSays) {
  RunEdge({"--mechanism", "edge-only", "--report", "all", "--device", "whole"});
  std::map<uint64_t, float> whole;
  for (const auto& row : Stored("whole")) whole[row.detection.sequence] = row.detection.score;
  for (const char* cut : {"split3", "split10", "split14"}) {
    const std::string device = std::string("at-") + cut;
    RunEdge({"--cut", cut, "--codec", "f32", "--device", device});
    const auto rows = Stored(device);
    ASSERT_EQ(rows.size(), whole.size()) << cut;
    for (const auto& row : rows) {
      EXPECT_NEAR(row.detection.score, whole.at(row.detection.sequence), 1e-5) << cut;
    }
  }
}

TEST_F(Line, EdgeOnlySendsOnlyThePositivePictures) {
  RunEdge({"--mechanism", "edge-only", "--report", "all", "--device", "all"});
  size_t positive = 0;
  for (const auto& row : Stored("all")) positive += row.detection.positive ? 1 : 0;
  const auto report = RunEdge({"--mechanism", "edge-only", "--device", "quiet"});
  EXPECT_EQ(report["sent"], positive);
  EXPECT_EQ(report["unreported"], PictureCount() - positive);
  EXPECT_EQ(Stored("quiet").size(), positive);
}

TEST_F(Line, AStreamOfJpegsOnStdinIsACamera) {
  const auto stream = dir_.path() / "stream.mjpeg";
  const std::string joined = "cat '" + kPictures.string() + "'/*.jpg > '" + stream.string() + "'";
  ASSERT_EQ(std::system(joined.c_str()), 0);
  auto shell =
      Process::Start({.command = {"sh", "-c",
                                  std::string(FOGLINE_BINARY) + " edge --json --broker " +
                                      broker_->url() + " --model '" + kModel.string() +
                                      "' --source - --mechanism cloud-only --device camera < '" +
                                      stream.string() + "'"},
                      .capture_stdout = true,
                      .stderr_to = dir_.path() / "edge.log"});
  ASSERT_TRUE(shell);
  const auto report = Report(*shell);
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], PictureCount());
}

TEST_F(Line, PicturesWithoutAPlaceTakeTheGivenOne) {
  // Decoded and coded again, a picture has lost its EXIF.
  const auto folder = dir_.path() / "bare";
  std::filesystem::create_directory(folder);
  const auto picture = LoadPicture(ListImages(kPictures)->at(0));
  ASSERT_TRUE(picture);
  std::vector<std::byte> jpeg;
  ASSERT_TRUE(EncodeJpeg(picture->image, 90, jpeg));
  ASSERT_TRUE(WriteFile(folder / "bare.jpg", jpeg));

  auto report = RunEdge({"--mechanism", "cloud-only", "--device", "nowhere"}, folder);
  EXPECT_EQ(report["unplaced"], 1);
  ASSERT_EQ(Stored("nowhere").size(), 1U);
  EXPECT_FALSE(Stored("nowhere")[0].detection.has_position);

  report =
      RunEdge({"--mechanism", "cloud-only", "--device", "somewhere", "--at", "51.068,4.5"}, folder);
  EXPECT_EQ(report["unplaced"], 0);
  ASSERT_EQ(Stored("somewhere").size(), 1U);
  EXPECT_NEAR(Stored("somewhere")[0].detection.lat, 51.068, 1e-6);
}

}  // namespace
}  // namespace fogline
