#include "web/fleet_memory.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fogline {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class FleetMemoryTest : public ::testing::Test {
 protected:
  FleetMemoryTest() {
    clock_.JumpWall(1'800'000'000'000'000);
    clock_.Advance(seconds(1000));
    worker_clock_.JumpWall(clock_.WallMicros());
    store_ = OpenStore("sqlite::memory:", {.clock = &worker_clock_}).value();
  }

  void Put(const std::string& device, size_t count) {
    std::vector<Detection> batch(count);
    for (Detection& d : batch) {
      d.device = device;
      d.sequence = sequence_++;
    }
    ASSERT_TRUE(store_->Put(batch));
  }
  /// As the server does, once a second.
  int CatchUp() {
    int turns = 1;
    while (fleet_.CatchUp(*store_).value()) ++turns;
    return turns;
  }
  json Device(const std::string& name) {
    clock_.Advance(seconds(1));  // answers are worked out once a second
    const json fleet = json::parse(fleet_.Json());
    for (const json& device : fleet["devices"]) {
      if (device["name"] == name) return device;
    }
    return {};
  }

  FakeClock clock_;         // of the map
  FakeClock worker_clock_;  // of whoever stores
  std::unique_ptr<Store> store_;
  FleetMemory fleet_{clock_};
  uint64_t sequence_ = 0;
};

TEST_F(FleetMemoryTest, AWorkerWhoseClockIsAheadHoldsNobodyUp) {
  worker_clock_.JumpWall(clock_.WallMicros() + int64_t{86'400'000'000} * 365);
  Put("ahead", 3);
  worker_clock_.JumpWall(clock_.WallMicros());
  Put("behind-it", 3);
  CatchUp();
  clock_.Advance(seconds(4));
  CatchUp();
  EXPECT_EQ(Device("ahead")["arrived"], 3);
  EXPECT_EQ(Device("behind-it")["arrived"], 3);
}

TEST_F(FleetMemoryTest, RatesAndAgesAreReckonedByThisMachinesClockAlone) {
  for (const int64_t off : {int64_t{86'400'000'000}, int64_t{-86'400'000'000}}) {
    const std::string name = off > 0 ? "ahead" : "behind";
    worker_clock_.JumpWall(clock_.WallMicros() + off);
    CatchUp();
    Put(name, 30);
    clock_.Advance(seconds(1));  // it looks once a second
    CatchUp();
    clock_.Advance(seconds(4));
    CatchUp();
    const json device = Device(name);
    EXPECT_EQ(device["images_per_second"], 0.5) << name;
    const int64_t age_ms = clock_.WallMicros() / 1000 - device["heard"].get<int64_t>();
    EXPECT_GE(age_ms, 0) << name;
    EXPECT_LT(age_ms, 10'000) << name;
  }
}

TEST_F(FleetMemoryTest, ABurstIsFollowedToItsEndInBoundedTurns) {
  CatchUp();
  for (int second = 0; second < 6; ++second) {
    Put("fast", 25'000);
    CatchUp();
    clock_.Advance(seconds(1));
  }
  clock_.Advance(seconds(3));
  EXPECT_GT(CatchUp(), 5);  // a turn is a few thousand rows, so that others have theirs
  EXPECT_EQ(Device("fast")["arrived"], 150'000);
}

TEST_F(FleetMemoryTest, WhatWasThereBeforeIsThereAtOnceWithItsAge) {
  Put("old", 5);
  clock_.Advance(std::chrono::minutes(30));
  fleet_.Start(0, store_->LastId().value());
  CatchUp();
  const json device = Device("old");
  EXPECT_EQ(device["arrived"], 5);
  EXPECT_EQ(device["images_per_second"], 0);
  EXPECT_GE(clock_.WallMicros() / 1000 - device["heard"].get<int64_t>(), 1'800'000);
}

/// What a device said of its frames stands until it says otherwise, or starts anew.
TEST_F(FleetMemoryTest, KnowsWhatADeviceLastSaidOfItsFrames) {
  StoredDetection row;
  row.detection.device = "cam";
  fleet_.Add(row, clock_.Steady());
  EXPECT_FALSE(Device("cam").contains("counts"));
  row.detection.counts = {12, 2, 1};
  fleet_.Add(row, clock_.Steady());
  row.detection.counts.reset();
  fleet_.Add(row, clock_.Steady());
  EXPECT_EQ(Device("cam")["counts"], (json{{"waiting", 12}, {"dead", 2}, {"dropped", 1}}));
  row.detection.run = 8;
  fleet_.Add(row, clock_.Steady());
  EXPECT_FALSE(Device("cam").contains("counts"));
}

/// A picture that repeats an earlier one is counted, and says nothing of the way that pictures go,
/// nor of what that takes.
TEST_F(FleetMemoryTest, UnchangedPicturesLeaveTheRouteAsItWas) {
  StoredDetection row;
  row.detection.device = "cam";
  row.detection.mechanism = "split";
  row.detection.cut = "split10";
  row.detection.payload_bytes = 800;
  fleet_.Add(row, clock_.Steady());
  row.detection.mechanism = kUnchanged;
  row.detection.cut = "frame 0";
  row.detection.payload_bytes = 120;
  row.detection.sequence = 1;
  fleet_.Add(row, clock_.Steady());
  const json device = Device("cam");
  EXPECT_EQ(device["mechanism"], "split");
  EXPECT_EQ(device["cut"], "split10");
  EXPECT_EQ(device["frames"], 2);
  EXPECT_EQ(device["unchanged"], 1);
  EXPECT_EQ(device["measured"]["bytes"]["p50"], 800);
}

}  // namespace
}  // namespace fogline
