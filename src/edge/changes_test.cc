#include "edge/changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "edge/change_study.h"

namespace fogline {
namespace {

/// A picture of a grey wall with one cell of another grey.
Glance Wall(int cell) {
  Glance glance;
  glance.width = 320;
  glance.height = 240;
  for (auto& colour : glance.means) {
    colour.fill(100 * 256);
    colour[7] = static_cast<uint16_t>((100 + cell) * 256);
  }
  return glance;
}
ResultPayload Says(int label) { return {label, 0.5F, label > 0, "", std::nullopt}; }

TEST(Changes, NothingIsKnownBeforeSomethingIsStored) {
  Changes changes({5, 0});
  const auto first = changes.Look(Wall(0));
  EXPECT_EQ(first.like, nullptr);
  changes.Sent(0, first, std::nullopt);
  EXPECT_EQ(changes.Look(Wall(0)).like, nullptr) << "on its way";
  const ResultPayload says = Says(3);
  changes.Answered(0, true, &says);
  const auto second = changes.Look(Wall(4));
  ASSERT_NE(second.like, nullptr);
  EXPECT_EQ(second.like->sequence, 0U);
  EXPECT_EQ(second.like->result.label, 3);
  EXPECT_EQ(changes.Look(Wall(6)).like, nullptr);
  EXPECT_EQ(changes.counts().unchanged, 1U);
}

TEST(Changes, WhatWasRefusedOrNotSaidIsNotRepeated) {
  Changes changes({5, 0});
  changes.Sent(0, changes.Look(Wall(0)), Says(1));
  changes.Answered(0, false, nullptr);
  EXPECT_EQ(changes.Look(Wall(0)).like, nullptr);
  changes.Sent(1, changes.Look(Wall(0)), std::nullopt);
  changes.Answered(1, true, nullptr);  // a cloud that tells no findings
  EXPECT_EQ(changes.Look(Wall(0)).like, nullptr);
}

/// Each record is compared with the picture itself, never with another record: what grows by little
/// counts once it is much.
TEST(Changes, SlowOnesAddUp) {
  Changes changes({5, 0});
  changes.Sent(0, changes.Look(Wall(0)), Says(1));
  changes.Answered(0, true, nullptr);
  for (int step = 1; step < 5; ++step) {
    const auto seen = changes.Look(Wall(step));
    ASSERT_NE(seen.like, nullptr) << step;
    changes.Sent(static_cast<uint64_t>(step), seen, Says(1));
    changes.Answered(static_cast<uint64_t>(step), true, nullptr);
  }
  EXPECT_EQ(changes.Look(Wall(5)).like, nullptr);
}

TEST(Changes, WhatIsNotWorthAReportIsKnownAsWell) {
  Changes changes({5, 0});
  changes.Unreported(changes.Look(Wall(0)), Says(0));
  const auto seen = changes.Look(Wall(1));
  ASSERT_NE(seen.like, nullptr);
  EXPECT_FALSE(seen.like->sequence) << "no frame to name";
}

TEST(Changes, ASampleGoesItsWayAndIsCompared) {
  Changes changes({5, 2});
  changes.Sent(0, changes.Look(Wall(0)), Says(1));
  changes.Answered(0, true, nullptr);
  uint64_t audited = 0, differ = 0;
  int label = 1;  // of the last picture that went its way
  for (uint64_t i = 1; i <= 4000; ++i) {
    const auto seen = changes.Look(Wall(0));
    ASSERT_NE(seen.like, nullptr);
    const int found = i % 4 == 0 ? 2 : 1;
    changes.Sent(i, seen, Says(found));
    changes.Answered(i, true, nullptr);
    if (!seen.audited) continue;
    ++audited;
    differ += found != label;
    label = found;
  }
  EXPECT_NEAR(static_cast<double>(audited), 2000, 200);
  EXPECT_EQ(changes.counts().audited, audited);
  EXPECT_EQ(changes.counts().differ, differ);
  EXPECT_EQ(changes.counts().unchanged, 4000 - audited);
}

/// Answers come late, out of turn, before the sender says which frame it was, or never: whatever is
/// said again is what was found in a stored picture that looked so, none older than one known
/// before.
TEST(Changes, OnlyStoredPicturesAreRepeatedWhateverAnswersDo) {
  for (unsigned world = 0; world < 300; ++world) {
    std::mt19937 random(world);
    Changes changes({5, 0});
    struct Frame {
      int cell;
      bool stored = false;
    };
    std::vector<Frame> frames;
    std::deque<uint64_t> waiting;
    uint64_t newest = 0;
    const auto answer = [&](uint64_t sequence) {
      const bool stored = random() % 5 > 0;
      const ResultPayload says = Says(static_cast<int>(sequence));
      frames[sequence].stored = stored;
      changes.Answered(sequence, stored, &says);
    };
    int cell = 0;
    for (int i = 0; i < 300; ++i) {
      if (random() % 6 == 0) cell = static_cast<int>(random() % 4) * 20;
      const auto seen = changes.Look(Wall(cell));
      if (seen.like != nullptr) {
        const uint64_t like = *seen.like->sequence;
        ASSERT_TRUE(frames[like].stored);
        ASSERT_EQ(frames[like].cell, cell);
        ASSERT_EQ(seen.like->result.label, static_cast<int>(like));
        ASSERT_GE(like, newest);
        newest = like;
      }
      const uint64_t sequence = frames.size();
      frames.push_back({cell});
      const bool early = random() % 4 == 0;
      if (early) answer(sequence);
      changes.Sent(sequence, seen, std::nullopt);
      if (!early && random() % 8 > 0) waiting.push_back(sequence);
      while (!waiting.empty() && random() % 2 == 0) {
        const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(random() % waiting.size());
        const uint64_t answered = *at;
        waiting.erase(at);
        answer(answered);
      }
    }
  }
}

/// Against counting by hand, over all courses of five pictures of three states.
TEST(ChangeStudy, CountsWhatAThresholdMisses) {
  for (int course = 0; course < 243; ++course) {
    std::vector<int> cells;
    for (int i = 0, rest = course; i < 5; ++i, rest /= 3) cells.push_back((rest % 3) * 10);
    std::vector<WatchedPicture> pictures;
    for (const int cell : cells) pictures.push_back({Wall(cell), std::to_string(cell)});
    std::vector<ChangeStep> steps{{.threshold = 5}, {.threshold = 15}, {.threshold = 100}};
    Watch(pictures, steps);
    for (const ChangeStep& step : steps) {
      size_t unchanged = 0, wrong = 0, changes = 0, missed = 0;
      int known = -1000;
      std::vector<int> stored;
      for (const int cell : cells) {
        if (std::abs(cell - known) < step.threshold) {
          ++unchanged;
        } else {
          known = cell;
        }
        stored.push_back(known);
        wrong += known != cell;
      }
      for (size_t i = 1; i < cells.size(); ++i) {
        if (cells[i] == cells[i - 1]) continue;
        ++changes;
        size_t end = i;
        while (end < cells.size() && cells[end] == cells[i]) ++end;
        const auto from = stored.begin() + static_cast<std::ptrdiff_t>(i);
        const auto to = stored.begin() + static_cast<std::ptrdiff_t>(end);
        missed += std::find(from, to, cells[i]) == to;
      }
      EXPECT_EQ(step.pictures, 5U);
      EXPECT_EQ(step.unchanged, unchanged) << course << " at " << step.threshold;
      EXPECT_EQ(step.wrong, wrong) << course << " at " << step.threshold;
      EXPECT_EQ(step.changes, changes) << course << " at " << step.threshold;
      EXPECT_EQ(step.missed, missed) << course << " at " << step.threshold;
    }
  }
}

}  // namespace
}  // namespace fogline
