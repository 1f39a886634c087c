// The paper's pipeline on loopback: real mosquitto, edges as processes, the cloud and its store in
// this one. Every mechanism must store every picture that it sends, at its place, with the verdict
// that the whole network gives, and with the time of every stage.
#include "tests/line/line.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/line/listener.h"
#include "vision/folder.h"

namespace fogline {
namespace {

// Within a residual block, where no list shows a cut: its input goes across beside what is made of
// it.
constexpr const char* kTwoTensors = "block4/project,block5/project";

TEST_F(Line, EveryMechanismStoresEveryPictureThatItSends) {
  const std::vector<std::vector<std::string>> mechanisms{
      {"--mechanism", "edge-only", "--report", "all"},
      {"--mechanism", "cloud-only"},
      {"--mechanism", "cloud-only", "--codec", "webp:80"},
      {"--mechanism", "split", "--cut", "split10", "--codec", "f32"},
      {"--mechanism", "split", "--cut", "split13", "--codec", "f16"},
      {"--mechanism", "split", "--cut", kTwoTensors, "--codec", "f16+f32"}};
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

TEST_F(Line, ARouteSendsWhatTheFlagsThatItStandsForSend) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> routes{
      {"litter@160:split13/q4", {"--cut", "split13", "--codec", "q4", "--size", "160"}},
      {fmt::format("litter:{}/f16+f32", kTwoTensors), {"--cut", kTwoTensors, "--codec", "f16+f32"}},
      {"litter:input/jpeg:85", {"--mechanism", "cloud-only", "--codec", "jpeg:85"}},
      {"litter@96:edge-only/result", {"--mechanism", "edge-only", "--size", "96"}}};
  for (size_t i = 0; i < routes.size(); ++i) {
    SCOPED_TRACE(routes[i].first);
    Listener::Sent sent[2];
    for (const bool by_route : {false, true}) {
      const std::string device = fmt::format("{}-{}", by_route ? "route" : "flags", i);
      const Listener listener(broker_->url(), device);
      std::vector<std::string> flags = routes[i].second;
      if (by_route) flags = {"--route", routes[i].first};
      flags.insert(flags.end(), {"--device", device, "--report", "all"});
      RunEdge(flags);
      ASSERT_EQ(status_, 0) << Log();
      ASSERT_TRUE(Until([&] { return listener.sent().size() == PictureCount(); }));
      sent[by_route ? 1 : 0] = listener.sent();
    }
    EXPECT_EQ(sent[0], sent[1]);
  }
  EXPECT_NE(Log().find("litter@96:edge-only/result (edge-only)"), std::string::npos) << Log();
}

TEST_F(Line, ARouteThatNoEdgeRunsIsOneLine) {
  const auto refused = [&](std::vector<std::string> flags, const char* word, int status) {
    flags.insert(flags.end(), {"--device", "x"});
    const auto lines = std::ranges::count(Log(), '\n');
    RunEdge(flags);
    EXPECT_EQ(status_, status) << Log();
    EXPECT_NE(Log().find(word), std::string::npos) << Log();
    EXPECT_EQ(std::ranges::count(Log(), '\n'), lines + 1) << Log();
  };
  const std::string route = "litter@160:split10/f16";
  refused({"--route", route, "--size", "160"}, "in place of --mechanism, --cut, --codec", 2);
  refused({"--route", route, "--codec", "f16"}, "in place of", 2);
  refused({"--route", "litter"}, "litter: is no route", 2);
  refused({"--route", "other:split10/f16"}, "is a route of other, and --model is litter", 2);
  refused({"--route", "litter+0000000000000001:split10/f16"}, "models/litter.onnx is +", 1);
  refused({"--route", "litter:exit=split5@0.9:split10/f16"}, "has no early exits", 1);
  refused({"--route", "litter:split10/f16+f16"}, "names 2 codecs", 2);
  refused({"--route", "litter:split10/f16+f32"}, "names 2 codecs", 2);
  refused({"--route", "litter:split10/result"}, "name a codec", 2);
  refused({"--route", "litter:edge-only/f16"}, "edge-only sends a result", 2);
  refused({"--route", "litter:+0000000000000001/f16"}, "has a cut that the model lacks", 1);
  refused({"--route", "litter@96:split10/f16"}, "goes with edge-only", 2);
  refused({"--route", "litter@96x160:edge-only/result"}, "not square, here 160x160", 2);
  refused({"--route", route, "--wire", "json"}, "--wire json sends tensors as /json", 2);
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
