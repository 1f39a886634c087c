#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/log.h"
#include "edge/locator.h"
#include "edge/window.h"

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

std::string Track(const std::string& inside) {
  return R"(<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk>)" + inside +
         "</trk></gpx>";
}
std::string Point(double lat, double lon, const char* time, const char* more = "") {
  return fmt::format(R"(<trkpt lat="{}" lon="{}">{}<time>2024-05-01T{}Z</time></trkpt>)", lat, lon,
                     more, time);
}
int64_t Time(const char* time) {
  return ParseGpx(Track("<trkseg>" + Point(1, 1, time) + "</trkseg>"), "t").value()[0].time_us;
}

/// Nobody drove the straight line across a tunnel, a lunch or a switched-off logger.
TEST(Gpx, AGapIsNoStraightLine) {
  const auto track =
      ParseGpx(Track("<trkseg>" + Point(51, 4, "10:00:00") + Point(51, 4.001, "10:00:30") +
                     Point(51, 4.2, "11:00:00") +    // 14 km on, unseen
                     Point(51, 4.201, "13:00:00") +  // a long pause, 70 m away
                     "</trkseg><trkseg>" +  // and one that the logger made a new segment of
                     Point(51, 4.203, "13:00:10") + Point(51, 4.2031, "13:00:20") +
                     "</trkseg><trkseg>" + Point(52, 4.2031, "13:00:30") + "</trkseg>"),
               "t.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  const auto at = [&](const char* time) { return Interpolate(*track, Time(time)); };
  ASSERT_TRUE(at("10:00:15"));
  EXPECT_NEAR(at("10:00:15")->lon, 4.0005, 1e-9);
  EXPECT_TRUE(std::isnan(at("10:00:15")->accuracy_m));
  EXPECT_NEAR(at("10:00:15")->heading_deg, 90, 1);

  EXPECT_FALSE(at("10:30:00"));

  ASSERT_TRUE(at("12:00:00"));
  EXPECT_NEAR(at("12:00:00")->lon, 4.2005, 1e-9);
  EXPECT_NEAR(at("12:00:00")->accuracy_m, 70, 1);
  EXPECT_TRUE(std::isnan(at("12:00:00")->heading_deg));

  // Of two segments the nearer fix, and how far the other one is.
  ASSERT_TRUE(at("13:00:04"));
  EXPECT_EQ(at("13:00:04")->lon, 4.201);
  EXPECT_EQ(at("13:00:06")->lon, 4.203);
  EXPECT_NEAR(at("13:00:06")->accuracy_m, 140, 1);
  EXPECT_FALSE(at("13:00:25"));
  // The fixes themselves are what they are.
  EXPECT_EQ(at("11:00:00")->lon, 4.2);
}

TEST(Gpx, APauseOnTheSpotIsNoBetterThanAReceiver) {
  const auto track = ParseGpx(
      Track("<trkseg>" + Point(51, 4, "10:00:00") + Point(51, 4, "12:00:00") + "</trkseg>"),
      "t.gpx");
  ASSERT_TRUE(track);
  EXPECT_EQ(Interpolate(*track, Time("11:00:00"))->accuracy_m, 10);
}

TEST(Gpx, OnlyThePointsOwnTimeIsItsTime) {
  const auto track =
      ParseGpx(Track("<trkseg>" +
                     Point(51, 4, "10:00:00",
                           "<extensions><x:time>2001-01-01T00:00:00Z</x:time></extensions>") +
                     R"(<trkpt lat="51" lon="4.1"><time>2024-05-01T10:00:10Z</time>
               <extensions><a><time>2001-01-01T00:00:00Z</time></a></extensions></trkpt>)"
                     "</trkseg>"),
               "t.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  ASSERT_EQ(track->size(), 2U);
  EXPECT_EQ(track->front().time_us, Time("10:00:00"));
  EXPECT_EQ(track->back().time_us, Time("10:00:10"));
}

TEST(Gpx, PointsWithoutATimeOrAPlaceAreLeftOut) {
  const auto track =
      ParseGpx(Track(R"(<trkseg><trkpt lat="51" lon="4"><time>0000-01-01T00:00:00Z</time></trkpt>
               <trkpt lat="51" lon="4"><time>9999-01-01T00:00:00Z</time></trkpt>
               <trkpt lat="51"><time>2024-05-01T10:00:00Z</time></trkpt>
               <trkpt lat="x" lon="4"><time>2024-05-01T10:00:00Z</time></trkpt>)" +
                     Point(0, 0, "10:00:00") + Point(51, 4, "10:00:01") + "</trkseg>"),
               "t.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  EXPECT_EQ(track->size(), 1U);
}

TEST(Gpx, OfAFileThatWasCutOffTheGoodPointsAreKept) {
  const std::string whole =
      Track("<trkseg>" + Point(51, 4, "10:00:00") + Point(51, 4.1, "10:00:10") + "</trkseg>");
  const size_t second = whole.rfind("<trkpt");
  size_t kept = 0;
  SetLogLevel(LogLevel::kError);  // each length is a line otherwise
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto track = ParseGpx(whole.substr(0, length), "cut.gpx");
    EXPECT_EQ(track.has_value(), length >= second) << length;
    if (track) kept = std::max(kept, track->size());
  }
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(kept, 2U);
}

TEST(Gpx, WaypointsAreFixesWithoutAWayBetweenThem) {
  const auto track = ParseGpx(R"(<gpx>
    <wpt lat="51" lon="4"><time>2024-05-01T10:00:00Z</time></wpt>
    <wpt lat="51" lon="4.001"><time>2024-05-01T10:00:10Z</time></wpt>
    <wpt lat="51" lon="4.9"><time>2024-05-01T10:00:20Z</time></wpt></gpx>)",
                              "w.gpx");
  ASSERT_TRUE(track) << track.error().ToString();
  ASSERT_EQ(track->size(), 3U);
  EXPECT_EQ(Interpolate(*track, Time("10:00:02"))->lon, 4.0);
  EXPECT_NEAR(Interpolate(*track, Time("10:00:02"))->accuracy_m, 70, 1);
  EXPECT_FALSE(Interpolate(*track, Time("10:00:15")));
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
