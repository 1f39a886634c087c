#include "store/columns.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace fogline {
namespace {

/// What the columns hold, as a plain map.
struct Model {
  std::map<uint64_t, std::vector<FoundBox>> rows;

  std::vector<uint64_t> Ids() const {
    std::vector<uint64_t> ids;
    for (const auto& [id, boxes] : rows) ids.push_back(id);
    return ids;
  }
  std::map<std::string, uint64_t> Boxes() const {
    std::map<std::string, uint64_t> counts;
    for (const auto& [id, boxes] : rows) {
      for (const FoundBox& box : boxes) ++counts[box.label];
    }
    return counts;
  }
};

// Rows come at one end, go at the other, and vanish between: whatever the order, what is left is
// what a plain map holds, boxes too.
TEST(Columns, HoldWhatIsLeftAfterForgettingAndErasing) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    Columns columns;
    Model model;
    uint64_t last = 0;
    for (int step = 0; step < 60; ++step) {
      const unsigned kind = random() % 4;
      if (kind < 2) {
        for (unsigned n = random() % 20; n > 0; --n) {
          last += 1 + random() % 3;
          std::vector<FoundBox> boxes;
          for (unsigned b = random() % 3; b > 0; --b) {
            boxes.push_back({random() % 2 == 0 ? "dog" : "car", 0.5F, 0, 0, 1, 1});
          }
          columns.Add({.id = last, .captured_us = kYear2000Us, .boxes = boxes});
          model.rows[last] = std::move(boxes);
        }
      } else if (kind == 2) {
        const uint64_t up_to = last == 0 ? 0 : random() % last / 2;
        columns.Forget(up_to);
        model.rows.erase(model.rows.begin(), model.rows.upper_bound(up_to));
      } else {
        std::vector<uint64_t> ids;
        for (uint64_t id = 1; id <= last; ++id) {
          if (random() % 8 == 0) ids.push_back(id);
        }
        columns.Erase(ids);
        for (const uint64_t id : ids) model.rows.erase(id);
      }
      ASSERT_EQ(columns.size(), model.rows.size()) << seed;
      ASSERT_EQ(columns.Ids({}, {}, Order::kOldestFirst, 10'000), model.Ids()) << seed;
      std::map<std::string, uint64_t> boxes;
      for (const FoundTally& tally : columns.Found({}, {})) boxes[tally.label] = tally.boxes;
      ASSERT_EQ(boxes, model.Boxes()) << seed;
    }
    EXPECT_EQ(columns.last_id(), last);
  }
}

// Whatever was added, forgotten and erased: what is packed, a piece at a time, and read by columns
// that hold others' rows already or none, is what they count.
TEST(Columns, ArePackedAndReadAgain) {
  constexpr std::array kTexts{"dog", "car", "a cat", ""};
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    const auto text = [&] { return std::string(kTexts[random() % kTexts.size()]); };
    const bool numbered = seed % 2 == 0;  // by the columns, or by the store
    Columns columns, read;
    for (uint64_t id = 1; id <= 50; id += 1 + random() % 2) {
      std::vector<FoundBox> boxes;
      for (unsigned b = random() % 3; b > 0; --b) boxes.push_back({text(), 0.5F, 0, 0, 1, 1});
      const auto number = [&] {
        return numbered ? columns.Number(text()) : static_cast<uint32_t>(random() % 9);
      };
      columns.Add({.id = id,
                   .captured_us = random() % 5 == 0 ? Columns::kNoTime : kYear2000Us + 7,
                   .has_position = random() % 2 == 0,
                   .lat = 47.1,
                   .lon = 8.2,
                   .score = 0.25F,
                   .positive = random() % 2 == 0,
                   .device = number(),
                   .label = number(),
                   .mechanism = number(),
                   .boxes = boxes});
    }
    columns.Forget(random() % 20);
    columns.Erase(std::vector<uint64_t>{21, 22, 23, 40});
    if (random() % 2 == 0) (void)read.Number("somebody else's");
    uint64_t after = 0;
    for (;;) {
      std::vector<std::byte> packed;
      const uint64_t last = columns.Pack(after, 1 + random() % 10, packed);
      if (last == after) break;
      after = last;
      ASSERT_TRUE(read.Unpack(packed)) << seed;
      ASSERT_FALSE(read.Unpack(packed)) << seed << ": rows that are there already";
      packed.resize(random() % packed.size());
      ASSERT_FALSE(read.Unpack(packed)) << seed << ": not all of a piece";
    }
    ASSERT_EQ(read.size(), columns.size());
    const auto words = [&](const Columns& of, const char* label) {
      WordFilter filter;
      filter.labels.insert(numbered ? of.NumberOf(label) : 3);
      return filter;
    };
    for (const char* label : kTexts) {
      ASSERT_EQ(read.Ids({}, words(read, label), Order::kOldestFirst, 100),
                columns.Ids({}, words(columns, label), Order::kOldestFirst, 100));
      Filter found;
      found.found.labels = {label};
      found.found.least = 1;
      ASSERT_EQ(read.Ids(found, {}, Order::kNewestFirst, 100),
                columns.Ids(found, {}, Order::kNewestFirst, 100));
    }
    ASSERT_EQ(read.Hexagons({}, {}, 3).size(), columns.Hexagons({}, {}, 3).size());
    ASSERT_EQ(read.Timeline({}, {}, 0, 1, 1).untimed, columns.Timeline({}, {}, 0, 1, 1).untimed);
  }
}

// Labels come from devices: as many different ones as they like, each as long as may be.
TEST(Columns, LabelsAreBoundedByBytes) {
  Columns columns;
  uint64_t id = 0;
  size_t bytes = 0;
  while (!columns.overfull()) {
    std::string label = std::to_string(++id);
    label.resize(250, 'x');
    bytes += label.size();
    const std::vector<FoundBox> boxes{{label, 0.5F, 0, 0, 1, 1}};
    columns.Add({.id = id, .captured_us = kYear2000Us, .boxes = boxes});
    ASSERT_LT(bytes, Columns::kMostNames);
  }
  const size_t boxes = columns.boxes();
  const std::vector<FoundBox> more{{"one more", 0.5F, 0, 0, 1, 1}};
  columns.Add({.id = id + 1, .captured_us = kYear2000Us, .boxes = more});
  EXPECT_EQ(columns.boxes(), boxes);
}

}  // namespace
}  // namespace fogline
