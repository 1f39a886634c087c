#include "edge/whereabouts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>

#include "base/clock.h"
#include "base/file.h"

namespace fogline {
namespace {

constexpr int64_t kSecond = 1'000'000, kHour = 3600 * kSecond, kDay = 24 * kHour;
constexpr int64_t kNoon = 1'714'564'800 * kSecond;  // 2024-05-01 12:00:00 UTC

Capture At(int64_t us, TimeSource from) {
  Capture capture;
  capture.where = "a.jpg";
  capture.captured_us = us;
  capture.captured_from = from;
  return capture;
}

Exif Local(int64_t local_us) {
  Exif exif;
  exif.local_us = local_us;
  return exif;
}

/// A picture that says everything, then one that says nothing: the second's frame holds nothing of
/// the first.
TEST(Whereabouts, NothingOfThePictureBeforeIsLeft) {
  Whereabouts whereabouts({}, nullptr);
  Exif full;
  full.gps_us = kNoon;
  full.position = Position{51.5, 4.5, 3.0F, 270.0F};
  Frame frame;
  whereabouts.Stamp(full, At(5, TimeSource::kFile), frame);
  EXPECT_TRUE(frame.has_position);
  EXPECT_EQ(frame.heading_deg, 270.0F);
  EXPECT_EQ(frame.captured_from, TimeSource::kGps);

  frame.Reset();
  Exif placed;
  placed.position = Position{52.5, 5.5};
  whereabouts.Stamp(placed, At(0, TimeSource::kNone), frame);
  EXPECT_EQ(frame.lat, 52.5);
  EXPECT_TRUE(std::isnan(frame.heading_deg));
  EXPECT_TRUE(std::isnan(frame.accuracy_m));
  EXPECT_EQ(frame.captured_us, 0);
  EXPECT_EQ(frame.captured_from, TimeSource::kNone);

  frame.Reset();
  whereabouts.Stamp({}, At(0, TimeSource::kNone), frame);
  EXPECT_FALSE(frame.has_position);
  EXPECT_EQ(frame.lat, 0);
  EXPECT_EQ(whereabouts.unplaced(), 1U);
}

TEST(CameraClock, WhoeverKnowsBestIsBelieved) {
  const Captured file{kNoon + 9 * kDay, TimeSource::kFile};
  const auto expect = [](const Captured& when, int64_t us, TimeSource from) {
    EXPECT_EQ(when.us, us);
    EXPECT_EQ(when.from, from);
  };
  const CameraClock unknown, given(7200);
  Exif all = Local(kNoon + 2 * kHour);
  all.gps_us = kNoon + kSecond;
  all.offset_s = 3600;
  expect(given.When(all, file), kNoon + kSecond, TimeSource::kGps);
  Exif own = Local(kNoon + kHour);
  own.offset_s = 3600;
  expect(given.When(own, file), kNoon, TimeSource::kOffset);
  expect(given.When(Local(kNoon + 2 * kHour), file), kNoon, TimeSource::kOffset);
  expect(unknown.When(Local(kNoon), file), kNoon, TimeSource::kAssumed);
  expect(given.When({}, file), file.us, TimeSource::kFile);
  expect(given.When({}, {kNoon, TimeSource::kClock}), kNoon, TimeSource::kClock);
  expect(given.When({}, {}), 0, TimeSource::kNone);
}

CameraClock::Sighting Seen(int64_t local_us, int hours) { return {local_us, hours * kHour}; }

TEST(CameraClock, LearnsItsOffsetFromPicturesWithBothClocks) {
  Exif both = Local(kNoon + 2 * kHour - 7 * kSecond);
  both.gps_us = kNoon;
  ASSERT_TRUE(SightingOf(both));
  EXPECT_EQ(SightingOf(both)->offset_us, 2 * kHour);
  both.local_us = kNoon + 5 * kHour + 45 * 60 * kSecond + 40 * kSecond;  // Nepal
  EXPECT_EQ(SightingOf(both)->offset_us, 5 * kHour + 45 * 60 * kSecond);
  both.local_us = kNoon + 2 * kHour + 7 * 60 * kSecond;  // an old fix: no quarter of an hour
  EXPECT_FALSE(SightingOf(both));
  both.gps_us.reset();
  EXPECT_FALSE(SightingOf(both));

  // One offset everywhere holds everywhere; one picture that all others contradict does not count.
  const CameraClock steady({Seen(kNoon, 2), Seen(kNoon + kHour, 5), Seen(kNoon + 2 * kHour, 2)});
  const Captured far = steady.When(Local(kNoon + 400 * kDay), {});
  EXPECT_EQ(far.from, TimeSource::kOffset);
  EXPECT_EQ(far.us, kNoon + 400 * kDay - 2 * kHour);
  EXPECT_EQ(steady.Found(), "+02:00 (2 pictures)");
}

/// The clocks go back while a folder fills: each side keeps its own hour, and between the last
/// picture before and the first after nobody knows.
TEST(CameraClock, SummerTimeEndsWithinAFolder) {
  const CameraClock clock({Seen(kNoon + 20 * kDay, 1), Seen(kNoon, 2), Seen(kNoon + kDay, 2),
                           Seen(kNoon + 21 * kDay, 1)});
  const auto offset = [&](int64_t local_us) -> std::optional<int64_t> {
    const Captured when = clock.When(Local(local_us), {});
    if (when.from != TimeSource::kOffset) return std::nullopt;
    return (local_us - when.us) / kHour;
  };
  EXPECT_EQ(offset(kNoon + kHour), 2);
  EXPECT_EQ(offset(kNoon + 20 * kDay + kHour), 1);
  EXPECT_FALSE(offset(kNoon + 10 * kDay));
  EXPECT_EQ(offset(kNoon - kDay), 2);
  EXPECT_FALSE(offset(kNoon - 30 * kDay));
  EXPECT_EQ(offset(kNoon + 22 * kDay), 1);
  EXPECT_FALSE(offset(kNoon + 60 * kDay));
}

TEST(CameraClock, WhatTheOptionTakes) {
  const TempDir dir;
  EXPECT_TRUE(CameraClock::Make("", "-"));
  EXPECT_TRUE(CameraClock::Make("-03:30", "-"));
  for (const char* bad : {"two", "+25:00", "2"}) {
    const auto clock = CameraClock::Make(bad, "-");
    ASSERT_FALSE(clock) << bad;
    EXPECT_EQ(clock.error().code, ErrorCode::kUsage);
  }
  EXPECT_FALSE(CameraClock::Make("auto", "-"));
}

void Touch(const std::filesystem::path& file, int64_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

/// Reading a picture is not taking it: a folder never gives the time of now.
TEST(Source, AFoldersPicturesHaveTheirFilesDatesOrNone) {
  const TempDir dir;
  const int64_t now = Clock::Real().WallMicros() / kSecond;
  const std::vector<std::pair<const char*, int64_t>> files{{"a.jpg", kNoon / kSecond},
                                                           {"b.jpg", 0},
                                                           {"c.jpg", 315'532'800},
                                                           {"d.jpg", now + 400'000'000}};
  for (const auto& [name, seconds] : files) {
    ASSERT_TRUE(WriteFile(dir.path() / name, "x"));
    Touch(dir.path() / name, seconds);
  }
  const auto source = OpenFolder(dir.path().string(), false);
  ASSERT_TRUE(source);
  for (size_t i = 0; i < files.size(); ++i) {
    Capture capture;
    const auto more = (*source)->Next(capture);
    ASSERT_TRUE(more && *more);
    EXPECT_EQ(capture.captured_from, i == 0 ? TimeSource::kFile : TimeSource::kNone)
        << capture.where;
    EXPECT_EQ(capture.captured_us, i == 0 ? kNoon : 0) << capture.where;
  }
}

TEST(Source, AFolderGivesItsSubFoldersWhereAsked) {
  const TempDir dir;
  std::filesystem::create_directory(dir.path() / "day 2");
  ASSERT_TRUE(WriteFile(dir.path() / "a.jpg", "x"));
  ASSERT_TRUE(WriteFile(dir.path() / "day 2" / "b.jpg", "x"));
  for (const bool recursive : {false, true}) {
    const auto source = OpenSource({.name = dir.path().string(), .recursive = recursive});
    ASSERT_TRUE(source);
    std::vector<std::string> names;
    for (Capture capture;;) {
      const auto more = (*source)->Next(capture);
      ASSERT_TRUE(more);
      if (!*more) break;
      names.push_back(std::filesystem::path(capture.where).lexically_relative(dir.path()));
    }
    EXPECT_EQ(names, recursive ? (std::vector<std::string>{"a.jpg", "day 2/b.jpg"})
                               : (std::vector<std::string>{"a.jpg"}));
  }
}

}  // namespace
}  // namespace fogline
