// Counts that PostgreSQL makes itself are the mirror's, on rows and questions at random.
#include "store/postgres_counts.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "servers/local_postgres.h"

namespace fogline {
namespace {

using Cells = std::map<std::pair<int32_t, int32_t>, std::tuple<uint64_t, uint64_t, float, int64_t>>;

Cells Sorted(const std::vector<HexCount>& counts) {
  Cells cells;
  for (const HexCount& c : counts) {
    cells[{c.cell.row, c.cell.column}] = {c.count, c.positives, c.max_score, c.newest_us};
  }
  return cells;
}

std::vector<Detection> RandomRows(std::mt19937& random, size_t count) {
  const auto uniform = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  std::vector<Detection> rows;
  for (uint64_t i = 0; i < count; ++i) {
    Detection d;
    d.device = fmt::format("cam-{}", random() % 5);
    d.sequence = i;
    d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(uniform(0, 1e12));
    if (random() % 9 == 0) d.captured_from = TimeSource::kNone;
    // As older clouds stored them: of unknown time, since they cannot be.
    if (random() % 20 == 0) d.captured_us = std::numeric_limits<int64_t>::max();
    if (random() % 20 == 0) d.captured_us = 1000;
    d.has_position = random() % 8 != 0;
    // Some in one town, where fine hexagons hold several; some at the edges of the map.
    const bool town = random() % 2 == 0;
    d.lat = town ? uniform(47.3, 47.4) : uniform(-90, 90);
    d.lon = town ? uniform(8.5, 8.6) : uniform(-180, 180);
    if (random() % 50 == 0) d.lon = random() % 2 == 0 ? 180 : -180;
    if (random() % 50 == 0) d.lat = random() % 2 == 0 ? 90 : -90;
    d.label = random() % 2 == 0 ? "litter" : "clean";
    d.score = static_cast<float>(uniform(0, 1));
    d.positive = random() % 3 == 0;
    d.mechanism = "split";
    if (random() % 2 == 0) {
      std::vector<FoundBox> boxes;
      for (size_t n = random() % 4; n > 0; --n) {
        const float sure = 0.25F * static_cast<float>(1 + random() % 3);
        boxes.push_back({random() % 2 == 0 ? "dog" : "car", sure, 0, 0, 1, 1});
      }
      d.findings = BoxFindings{std::move(boxes), 0};
    }
    rows.push_back(std::move(d));
  }
  return rows;
}

Filter RandomFilter(std::mt19937& random) {
  const auto uniform = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  Filter filter;
  if (random() % 2 == 0) {
    const double south = uniform(-90, 80);
    filter.box = Box{uniform(-180, 180), south, uniform(-180, 180), uniform(south, 90)};
  }
  if (random() % 3 == 0) filter.decimals = static_cast<int>(random() % 5);
  if (random() % 3 == 0)
    filter.from_us = 1'700'000'000'000'000 + static_cast<int64_t>(uniform(0, 1e12));
  if (random() % 3 == 0) filter.min_score = static_cast<float>(uniform(0, 0.9));
  if (random() % 4 == 0) filter.positive_only = true;
  if (random() % 3 == 0) filter.devices = {"cam-1", "cam-3", "nobody"};
  if (random() % 3 == 0) filter.found = {{"dog"}, 1 + random() % 2, 0.5F};
  if (random() % 4 == 0) filter.after_id = random() % 2000;
  return filter;
}

TEST(PostgresCounts, AreThoseOfTheMirror) {
  const auto server = LocalPostgres::Start().value();
  const auto mirrored = OpenStore(server->url()).value();
  const auto counted = OpenStore(server->url(), {.mirrored_rows = 0}).value();
  std::mt19937 random(11);
  ASSERT_TRUE(mirrored->Put(RandomRows(random, 3000)));
  for (int round = 0; round < 60; ++round) {
    const Filter filter = RandomFilter(random);
    const int level = static_cast<int>(random() % (HexGrid::kMaxLevel + 1));
    EXPECT_EQ(Sorted(counted->Hexagons(filter, level).value()),
              Sorted(mirrored->Hexagons(filter, level).value()))
        << round << " at level " << level;
    const int64_t from = 1'700'000'000'000'000 + static_cast<int64_t>(random() % 1000) * 1'000'000;
    const int64_t to = from + 1 + static_cast<int64_t>(random()) * 200;
    const size_t bins = random() % 40;
    const TimeCounts a = counted->Timeline(filter, from, to, bins).value();
    const TimeCounts b = mirrored->Timeline(filter, from, to, bins).value();
    EXPECT_EQ(a.untimed, b.untimed);
    EXPECT_EQ(a.timed, b.timed);
    EXPECT_EQ(a.first_us, b.first_us);
    EXPECT_EQ(a.last_us, b.last_us);
    ASSERT_EQ(a.bins.size(), b.bins.size());
    for (size_t i = 0; i < bins; ++i) {
      EXPECT_EQ(a.bins[i].count, b.bins[i].count) << round << " " << i;
      EXPECT_EQ(a.bins[i].positives, b.bins[i].positives);
    }
    const auto x = counted->Found(filter).value(), y = mirrored->Found(filter).value();
    ASSERT_EQ(x.size(), y.size());
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(x[i].label, y[i].label);
      EXPECT_EQ(x[i].pictures, y[i].pictures);
      EXPECT_EQ(x[i].boxes, y[i].boxes);
    }
  }
}

}  // namespace
}  // namespace fogline
