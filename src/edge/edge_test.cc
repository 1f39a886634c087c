#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <random>
#include <thread>

#include "edge/locator.h"
#include "edge/mjpeg.h"
#include "edge/source.h"
#include "edge/window.h"
#include "vision/image.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

InFlight Flight(uint64_t sequence) {
  InFlight flight;
  flight.run = 7;
  flight.sequence = sequence;
  return flight;
}

TEST(SendWindow, SendsRepeatsAndForgets) {
  SendWindow window(2, 5s, 60s);
  window.Add(Flight(0));
  window.Add(Flight(1));
  EXPECT_TRUE(window.full());
  for (uint64_t expected : {0, 1}) {
    InFlight* due = window.NextDue(0s);
    ASSERT_NE(due, nullptr);
    EXPECT_EQ(due->sequence, expected);
    window.Sent(*due, 0s);
  }
  EXPECT_EQ(window.NextDue(4s), nullptr);
  EXPECT_EQ(window.Deadline(), 5s);
  EXPECT_FALSE(window.Remove(8, 0)) << "another run's";
  ASSERT_TRUE(window.Remove(7, 0));
  EXPECT_FALSE(window.Remove(7, 0)) << "a second answer";
  EXPECT_FALSE(window.full());

  // Patience doubles with each repeat, to its limit.
  Nanos now = 0s;
  for (Nanos patience : {5s, 10s, 20s, 40s, 60s, 60s}) {
    EXPECT_EQ(window.NextDue(now + patience - 1ns), nullptr);
    now += patience;
    InFlight* due = window.NextDue(now);
    ASSERT_NE(due, nullptr);
    window.Sent(*due, now);
  }
}

TEST(SendWindow, ANewConnectionAndANewWorkerAreUsedAtOnce) {
  SendWindow window(4, 5s, 60s);
  window.Sent(window.Add(Flight(0)), 0s);
  window.Sent(window.Add(Flight(1)), 1s);
  window.EverythingIsDue();
  EXPECT_EQ(window.Deadline(), 0s);
  window.Sent(*window.NextDue(2s), 2s);
  window.Sent(*window.NextDue(2s), 2s);
  EXPECT_EQ(window.NextDue(3s), nullptr);
  window.Hasten(3s, 100ms);
  EXPECT_EQ(window.NextDue(3s), nullptr);
  EXPECT_NE(window.NextDue(3100ms), nullptr);
}

std::vector<std::byte> Jpeg(int side) {
  Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(side * side * 3), 90)};
  std::mt19937 random(static_cast<unsigned>(side));
  for (uint8_t& v : image.rgb) v = static_cast<uint8_t>(random());
  std::vector<std::byte> file;
  EXPECT_TRUE(EncodeJpeg(image, 95, file));
  return file;
}

TEST(Mjpeg, FindsEveryPictureInAnyPieces) {
  std::vector<std::vector<std::byte>> pictures{Jpeg(16), Jpeg(40), Jpeg(64)};
  // A thumbnail inside a segment (as EXIF holds one) must not end its picture.
  std::vector<std::byte> nested(pictures[1].begin(), pictures[1].begin() + 2);
  const size_t length = pictures[0].size() + 2;
  for (int b : {0xFF, 0xE1, static_cast<int>(length >> 8), static_cast<int>(length & 255)}) {
    nested.push_back(static_cast<std::byte>(b));
  }
  nested.insert(nested.end(), pictures[0].begin(), pictures[0].end());
  nested.insert(nested.end(), pictures[1].begin() + 2, pictures[1].end());
  pictures.push_back(nested);

  std::vector<std::byte> stream;
  for (const auto& picture : pictures) {
    stream.insert(stream.end(), {std::byte{7}, std::byte{0xFF}, std::byte{3}});  // between pictures
    stream.insert(stream.end(), picture.begin(), picture.end());
  }
  for (size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}, stream.size()}) {
    MjpegSplitter splitter;
    std::vector<std::vector<std::byte>> found;
    for (size_t at = 0; at < stream.size();) {
      const size_t n = std::min(piece, stream.size() - at);
      at += splitter.Feed(std::span(stream).subspan(at, n));
      if (splitter.ready()) {
        found.emplace_back();
        splitter.Take(found.back());
      }
    }
    EXPECT_EQ(found, pictures) << piece;
    EXPECT_EQ(splitter.skipped_bytes(), 3 * pictures.size());
  }
}

TEST(Mjpeg, WaitingForAPictureIsNotReadingIt) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const auto source = OpenMjpeg(pipe_ends[0], "pipe");
  const std::vector<std::byte> picture = Jpeg(16);
  for (int i = 0; i < 3; ++i) {
    Capture capture;
    Nanos written{0};
    std::thread writer([&] {
      written = Clock::Real().Steady();
      EXPECT_EQ(write(pipe_ends[1], picture.data(), picture.size()),
                static_cast<ssize_t>(picture.size()));
    });
    const auto more = source->Next(capture);
    writer.join();
    ASSERT_TRUE(more && *more);
    EXPECT_EQ(capture.file, picture);
    EXPECT_GE(capture.began, written);
  }
  close(pipe_ends[1]);
  Capture last;
  EXPECT_FALSE(*source->Next(last));
  close(pipe_ends[0]);
}

TEST(Mjpeg, NoiseNeverGrowsPastItsLimit) {
  MjpegSplitter splitter(1000);
  std::mt19937 random(5);
  std::vector<std::byte> noise(100'000);
  for (std::byte& b : noise) b = static_cast<std::byte>(random() % 3 == 0 ? 0xFF : random());
  for (size_t at = 0; at < noise.size();) {
    at += splitter.Feed(std::span(noise).subspan(at));
    EXPECT_LE(splitter.picture().size(), 1001U);
  }
}

TEST(Gpx, ReadsTracksAndInterpolates) {
  const auto track =
      ParseGpx(R"(<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
    <trkpt lat="51.0" lon="4.0"><ele>10</ele><time>2024-05-01T10:00:00Z</time></trkpt>
    <trkpt lat="51.0" lon="4.2"><time>2024-05-01T12:00:10.000+02:00</time></trkpt>
    <trkpt lat="99" lon="4.2"><time>2024-05-01T10:00:20Z</time></trkpt>
    <trkpt lat="51.0" lon="4.3"/></trkseg></trk></gpx>)",
               "t.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  ASSERT_EQ(track->size(), 2U);
  const int64_t start = track->front().time_us;
  const auto middle = Interpolate(*track, start + 5'000'000);
  ASSERT_TRUE(middle);
  EXPECT_NEAR(middle->lon, 4.1, 1e-9);
  EXPECT_NEAR(middle->heading_deg, 90, 1);
  EXPECT_FALSE(Interpolate(*track, start - 1));
  EXPECT_FALSE(Interpolate(*track, start + 11'000'000));
  EXPECT_FALSE(ParseGpx("<gpx/>", "e.gpx"));
  const auto broken = ParseGpx("<gpx><trk>", "b.gpx");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().ToString().find("b.gpx: line 1"), std::string::npos);
}

TEST(Gpx, FractionsOfASecondAreDigits) {
  const auto track = ParseGpx(R"(<gpx><trk><trkseg>
    <trkpt lat="51" lon="4.0"><time>1970-01-01T00:00:01.25Z</time></trkpt>
    <trkpt lat="51" lon="4.1"><time>1970-01-01T00:00:02.12345678901Z</time></trkpt>
    <trkpt lat="51" lon="4.2"><time>1970-01-01T00:00:03.5e999Z</time></trkpt></trkseg></trk></gpx>)",
                              "t.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  ASSERT_EQ(track->size(), 2U);  // the third has no time
  EXPECT_EQ(track->front().time_us, 1'250'000);
  EXPECT_EQ(track->back().time_us, 2'123'456);
}

TEST(Gpx, TheShortWayOverThe180thMeridian) {
  const std::vector<TrackPoint> track{{0, {0, 179.5}}, {10, {0, -179.5}}};
  EXPECT_NEAR(std::abs(Interpolate(track, 5)->lon), 180, 1e-9);
}

TEST(Gpsd, OnlyAFixIsAPosition) {
  const auto fix =
      ParseGpsdLine(R"({"class":"TPV","mode":3,"lat":51.068,"lon":4.5,"eph":3.5,"track":90})");
  ASSERT_TRUE(fix);
  EXPECT_FLOAT_EQ(fix->accuracy_m, 3.5F);
  for (const char* line :
       {"", "[]", "{", R"({"class":"SKY"})", R"({"class":"TPV","mode":1,"lat":1,"lon":1})",
        R"({"class":"TPV","mode":3,"lat":"x","lon":1})",
        R"({"class":"TPV","mode":3,"lat":91,"lon":1})"}) {
    EXPECT_FALSE(ParseGpsdLine(line)) << line;
  }
}

TEST(Fixed, DegreesOrNothing) {
  EXPECT_TRUE(FixedLocator("51.068,4.5"));
  EXPECT_TRUE(FixedLocator("-51.068, -4.5"));
  for (const char* bad : {"", "51", "51,", "a,b", "91,0", "0,181", "1,2,3"})
    EXPECT_FALSE(FixedLocator(bad)) << bad;
}

}  // namespace
}  // namespace fogline
