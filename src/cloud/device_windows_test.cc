#include "cloud/device_windows.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace fogline {
namespace {

using Place = DeviceWindows::Place;

TEST(DeviceWindows, ADeviceHasItsWindowWhileOthersHaveSomethingUnderWay) {
  DeviceWindows windows({.frames = 2});
  std::vector<std::optional<Place>> own;
  for (int i = 0; i < 5; ++i) own.push_back(windows.Enter("a", 1));
  EXPECT_TRUE(own.back()) << "alone it may have everything";
  std::optional<Place> other = windows.Enter("b", 1);
  EXPECT_TRUE(other);
  EXPECT_FALSE(windows.Enter("a", 1));
  own.resize(2);
  EXPECT_FALSE(windows.Enter("a", 1));
  own.pop_back();
  EXPECT_TRUE(windows.Enter("a", 1));
  other.reset();
  own.push_back(windows.Enter("a", 1));
  own.push_back(windows.Enter("a", 1));
  EXPECT_TRUE(own.back());
}

TEST(DeviceWindows, BytesAreBoundedButForTheFirstFrame) {
  DeviceWindows windows({.bytes = 10});
  std::optional<Place> large = windows.Enter("a", 1000);
  EXPECT_TRUE(large);
  EXPECT_FALSE(windows.Enter("a", 1));
  large.reset();
  const auto five = windows.Enter("a", 5), six = windows.Enter("a", 6),
             again = windows.Enter("a", 5);
  EXPECT_TRUE(five);
  EXPECT_FALSE(six);
  EXPECT_TRUE(again);
  EXPECT_EQ(windows.most().bytes, 10U);
}

TEST(DeviceWindows, ThroughEveryWorldItKnowsWhatIsUnderWay) {
  std::mt19937 random(20261127);
  for (int world = 0; world < 200; ++world) {
    const DeviceWindows::Limits limits{1 + random() % 8, 1 + random() % 100};
    DeviceWindows windows(limits);
    struct Frame {
      std::string device;
      size_t bytes;
      Place place;
    };
    std::vector<Frame> under_way;
    for (int step = 0; step < 200; ++step) {
      if (random() % 3 == 0 && !under_way.empty()) {
        std::swap(under_way[random() % under_way.size()], under_way.back());
        under_way.pop_back();
      } else {
        const std::string device(1, static_cast<char>('a' + random() % 4));
        const size_t bytes = random() % 40;
        if (auto place = windows.Enter(device, bytes)) {
          under_way.push_back({device, bytes, *std::move(place)});
        }
      }
      std::map<std::string, DeviceWindows::Held> held;
      DeviceWindows::Held most;
      for (const Frame& frame : under_way) {
        ++held[frame.device].frames;
        held[frame.device].bytes += frame.bytes;
      }
      for (const auto& [device, own] : held) {
        most = {std::max(most.frames, own.frames), std::max(most.bytes, own.bytes)};
        if (own.frames > 1) {
          EXPECT_LE(own.bytes, limits.bytes);
        }
      }
      ASSERT_EQ(windows.most().frames, most.frames);
      ASSERT_EQ(windows.most().bytes, most.bytes);
    }
  }
}

}  // namespace
}  // namespace fogline
