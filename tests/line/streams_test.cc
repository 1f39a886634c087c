// Cameras that speak RTSP and HTTP, and videos. A real RTSP server dies again and again, and each
// time pictures are stored once it is back; the edge has one decoder then, no child that ended and
// was not collected, and as many open files as before. Names and passwords are nowhere to be read.
// A video's pictures are all stored, each with its own time.
#include <signal.h>

#include <algorithm>
#include <fstream>

#include "tests/line/line.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

const fs::path kHere = fs::path(FOGLINE_SOURCE_DIR) / "tests" / "line";

/// The children of a process, those that ended and were not collected among them.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code gone;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", parent), gone)) {
    std::ifstream list(task.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

size_t OpenFilesOf(pid_t pid) {
  const fs::directory_iterator files(fmt::format("/proc/{}/fd", pid));
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

std::string WordsOfProcess(pid_t pid) {
  return ReadTextFile(fmt::format("/proc/{}/cmdline", pid)).value_or("");
}

bool Runs(pid_t pid) { return kill(pid, 0) == 0; }

class Streams : public Line {
 protected:
  /// A camera's server, once it listens.
  Process StartCamera(std::vector<std::string> command) {
    auto camera = Process::Start({.command = std::move(command),
                                  .capture_stdout = true,
                                  .stderr_to = dir_.path() / "camera.log"});
    EXPECT_TRUE(camera) << camera.error().ToString();
    std::string said;
    for (char c = 0; said.find('\n') == said.npos && read(camera->stdout_fd(), &c, 1) == 1;) {
      said += c;
    }
    EXPECT_EQ(said, "ready\n") << ReadTextFile(dir_.path() / "camera.log").value_or("");
    return *std::move(camera);
  }
  Process StartRtsp(int port, const std::string& login = "") {
    std::vector<std::string> command{"/usr/bin/python3", (kHere / "rtsp_server.py").string(),
                                     std::to_string(port)};
    if (!login.empty()) command.push_back(login);
    return StartCamera(command);
  }

  bool Logs(const std::string& text) {
    return Until([&] { return Log().find(text) != std::string::npos; });
  }
  bool MoreIsStored() {
    return Until([this, before = CountStored()] { return CountStored() > before; });
  }

  const int port_ = FreePort();
};

TEST_F(Streams, ARtspCameraThatDiesAgainAndAgainIsWatchedOn) {
  const std::string address = fmt::format("rtsp://127.0.0.1:{}/cam", port_);
  Process camera = StartRtsp(port_);
  Process edge = StartEdge({"--mechanism", "cloud-only", "--device", "cam"}, address);
  ASSERT_TRUE(MoreIsStored()) << Log();
  const size_t files = OpenFilesOf(edge.pid());
  const int rounds = Rounds(3);
  Nanos longest{0}, sum{0};
  for (int i = 0; i < rounds; ++i) {
    const auto decoders = ChildrenOf(edge.pid());
    ASSERT_EQ(decoders.size(), 1U) << i;
    camera.Signal(SIGKILL);
    camera.Wait();
    ASSERT_TRUE(Until([&] { return !Runs(decoders[0]); })) << i;
    camera = StartRtsp(port_);
    const Nanos back = Clock::Real().Steady();
    ASSERT_TRUE(MoreIsStored()) << "round " << i << ": " << Log();
    const Nanos took = Clock::Real().Steady() - back;
    longest = std::max(longest, took);
    sum += took;
  }
  RecordProperty("ms_until_stored_longest", static_cast<int>(Millis(longest)));
  RecordProperty("ms_until_stored_mean", static_cast<int>(Millis(sum) / rounds));
  EXPECT_EQ(ChildrenOf(edge.pid()).size(), 1U);
  EXPECT_LE(OpenFilesOf(edge.pid()), files + 2) << "a link or a file may come and go";
  const auto decoders = ChildrenOf(edge.pid());
  edge.Signal(SIGTERM);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_GE(report["stream_losses"], rounds);
  EXPECT_FALSE(Runs(decoders[0]));
}

TEST_F(Streams, WhatIsWrongWithEachIsToldApartAndNoSecretIsTold) {
  Process camera = StartRtsp(port_, "me:s3cret");
  const auto at = [&](const char* name, const char* login, const char* path) {
    return fmt::format("{}=rtsp://{}127.0.0.1:{}{}", name, login, port_, path);
  };
  const auto metrics = dir_.path() / "edge.prom";
  Process edge =
      StartEdge({"--source", at("denied", "me:s3cret-no@", "/cam"), "--source",
                 at("missing", "me:s3cret@", "/none?pwd=s3cret"), "--source",
                 fmt::format("off=rtsp://me:s3cret@127.0.0.1:{}/cam", FreePort()), "--mechanism",
                 "cloud-only", "--metrics", metrics.string(), "--verbose"},
                at("there", "me:s3cret@", "/cam"));
  ASSERT_TRUE(MoreIsStored()) << Log();
  const std::string host = fmt::format("rtsp://127.0.0.1:{}", port_);
  EXPECT_TRUE(Logs(host + "/cam: refuses the name or password")) << Log();
  EXPECT_TRUE(Logs(host + "/none: there is no such stream")) << Log();
  EXPECT_TRUE(Logs("nobody answers there")) << Log();
  std::string told = WordsOfProcess(edge.pid());
  for (const pid_t child : ChildrenOf(edge.pid())) told += WordsOfProcess(child);
  edge.Signal(SIGTERM);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  const std::string prom = ReadTextFile(metrics).value();
  EXPECT_NE(prom.find("source_losses_total{device=\"denied\",reason=\"denied\"} 1\n"),
            std::string::npos)
      << prom;
  EXPECT_NE(prom.find("source_giving{device=\"there\"} 1\n"), std::string::npos);
  EXPECT_NE(prom.find("source_giving{device=\"off\"} 0\n"), std::string::npos);
  told += prom + Log() + report.dump();
  EXPECT_EQ(told.find("s3cret"), std::string::npos) << told;
}

TEST_F(Streams, ADecoderDoesNotOutliveAnEdgeThatIsKilled) {
  Process camera = StartRtsp(port_);
  Process edge =
      StartEdge({"--mechanism", "cloud-only"}, fmt::format("rtsp://127.0.0.1:{}/cam", port_));
  ASSERT_TRUE(MoreIsStored()) << Log();
  const auto decoders = ChildrenOf(edge.pid());
  ASSERT_EQ(decoders.size(), 1U);
  edge.Signal(SIGKILL);
  edge.Wait();
  EXPECT_TRUE(Until([&] { return !Runs(decoders[0]); }));
}

TEST_F(Streams, ACameraThatSpeaksHttpGivesItsPictures) {
  std::vector<std::string> command{"python3", (kHere / "mjpeg_server.py").string(),
                                   std::to_string(port_), "me:s3cret"};
  const auto pictures = ListImages(kPictures).value();
  for (const auto& picture : pictures) command.push_back(picture.string());
  Process camera = StartCamera(command);
  const auto report = RunEdge({"--mechanism", "cloud-only", "--device", "cam", "--count", "5"},
                              fmt::format("http://me:s3cret@127.0.0.1:{}/video.mjpeg", port_));
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], 5);
  EXPECT_EQ(Stored("cam").size(), 5U);
  for (const auto& row : Stored("cam")) {
    EXPECT_EQ(row.detection.captured_from, TimeSource::kClock);
  }
}

TEST_F(Streams, OfAVideoEveryPictureIsStoredWithItsTime) {
  const auto video = dir_.path() / "walk.mp4";
  auto made =
      Process::Start({.command = {"ffmpeg", "-loglevel", "error", "-nostdin", "-f", "lavfi", "-i",
                                  "testsrc=size=640x480:rate=10:duration=2", "-metadata",
                                  "creation_time=2026-03-01T10:00:00Z", video.string()},
                      .stderr_to = dir_.path() / "made.log"});
  ASSERT_TRUE(made) << made.error().ToString();
  ASSERT_EQ(made->Wait(), 0) << ReadTextFile(dir_.path() / "made.log").value();
  constexpr int64_t kStart = 1772359200000000;
  for (const auto& [device, rate, pictures] :
       std::vector<std::tuple<std::string, std::string, int>>{{"all", "0", 20}, {"few", "2", 4}}) {
    const auto report =
        RunEdge({"--mechanism", "cloud-only", "--device", device, "--frame-rate", rate}, video);
    ASSERT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["stored"], pictures);
    auto rows = Stored(device);
    std::ranges::sort(rows, {}, [](const auto& row) { return row.detection.sequence; });
    ASSERT_EQ(rows.size(), static_cast<size_t>(pictures));
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].detection.captured_us,
                kStart + static_cast<int64_t>(i) * (2'000'000 / pictures));
      EXPECT_EQ(rows[i].detection.captured_from, TimeSource::kOffset);
    }
  }
  RunEdge({"--mechanism", "cloud-only", "--policy", "latest"}, video);
  EXPECT_EQ(status_, 2);
  const auto none = dir_.path() / "none.mp4";
  ASSERT_TRUE(WriteFile(none, "no video at all"));
  RunEdge({"--mechanism", "cloud-only"}, none);
  EXPECT_EQ(status_, 1);
  EXPECT_NE(Log().find("holds no video"), std::string::npos) << Log();
}

}  // namespace
}  // namespace fogline
