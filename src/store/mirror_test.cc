// A mirror holds what its store holds, as far as it says that it has read: whatever is stored,
// forgotten and deleted while it is being read in parts of any size.
#include "store/mirror.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace fogline {
namespace {

/// A store of rows that have an id and nothing else, and a reader that is stopped where it pleases.
class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {}

  void Live() {
    for (uint64_t n = Draw(6); n > 0; --n) rows_.push_back(++extent_.last);
    if (Draw(12) == 0) {
      extent_.forgotten = std::min(extent_.last, extent_.forgotten + Draw(9));
      std::erase_if(rows_, [&](uint64_t id) { return id <= extent_.forgotten; });
    }
    if (Draw(8) == 0) Delete();
  }

  Mirror::Extent extent() {
    Mirror::Extent said = extent_;
    const bool remembers = Draw(10) != 0;
    said.deleted = [this,
                    remembers](uint64_t after) -> Result<std::optional<std::vector<uint64_t>>> {
      if (!remembers) return std::nullopt;
      std::vector<uint64_t> ids;
      for (uint64_t step = after + 1; step <= extent_.deletions; ++step) {
        ids.insert(ids.end(), deleted_[step].begin(), deleted_[step].end());
      }
      return ids;
    };
    return said;
  }

  /// Adds some of the rows after an id, or all of them.
  Status Read(uint64_t after, Columns& columns) {
    uint64_t left = Draw(3) == 0 ? rows_.size() : Draw(8);
    for (const uint64_t id : rows_) {
      if (id <= after) continue;
      if (left-- == 0) return Fail(ErrorCode::kExhausted, "world", "the time is over");
      columns.Add({.id = id});
    }
    return {};
  }

  std::vector<uint64_t> Before(uint64_t id) const {
    std::vector<uint64_t> rows = rows_;
    std::erase_if(rows, [&](uint64_t row) { return row >= id; });
    return rows;
  }
  uint64_t last() const { return extent_.last; }
  uint64_t Draw(uint64_t below) { return random_() % below; }

 private:
  void Delete() {
    auto& gone = deleted_[++extent_.deletions];
    for (uint64_t n = Draw(4); n > 0 && !rows_.empty(); --n) {
      const auto at = rows_.begin() + static_cast<ptrdiff_t>(Draw(rows_.size()));
      gone.push_back(*at);
      rows_.erase(at);
    }
  }

  std::mt19937 random_;
  Mirror::Extent extent_{.where = "world", .deleted = {}};
  std::vector<uint64_t> rows_;
  std::map<uint64_t, std::vector<uint64_t>> deleted_;
};

std::vector<uint64_t> Held(const Mirror& mirror, uint64_t before) {
  return mirror.columns().Ids({.before_id = before}, {}, Order::kOldestFirst, 1'000'000);
}

TEST(Mirror, HoldsWhatItsStoreHoldsAsFarAsItHasRead) {
  constexpr size_t kMost = 100'000;
  uint64_t part = 0, whole = 0, refused = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    World world(seed);
    Mirror mirror;
    const auto read = [&](uint64_t after, Columns& columns) { return world.Read(after, columns); };
    for (int step = 0; step < 60; ++step) {
      world.Live();
      if (world.Draw(2) == 0) {
        const uint64_t counted = mirror.ReadOn(world.extent(), kMost, read).value();
        ASSERT_LE(counted, world.last());
        (counted < world.last() ? part : whole) += 1;
        ASSERT_EQ(Held(mirror, counted + 1), world.Before(counted + 1)) << seed << " " << step;
        // What it said that it can count it counts, without another look at the store.
        const auto no_more = [](uint64_t, Columns&) -> Status {
          return Fail(ErrorCode::kInternal, "world", "nobody had to read");
        };
        ASSERT_TRUE(mirror.Follow(world.extent(), kMost, counted + 1, no_more).value_or(false));
      } else {
        const uint64_t before =
            world.Draw(2) == 0 ? world.last() + 1 : world.Draw(world.last() + 2);
        const auto followed = mirror.Follow(world.extent(), kMost, before, read);
        if (followed) {
          ASSERT_TRUE(*followed);
          ASSERT_EQ(Held(mirror, before), world.Before(before)) << seed << " " << step;
        } else {
          ASSERT_EQ(followed.error().code, ErrorCode::kUnavailable);
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(part, 100U);
  EXPECT_GT(whole, 100U);
  EXPECT_GT(refused, 100U);
}

TEST(Mirror, SaysThatAStoreTooLargeForItIsCountedAtOnce) {
  Mirror mirror;
  const auto nobody = [](uint64_t, Columns&) -> Status {
    return Fail(ErrorCode::kInternal, "world", "nobody had to read");
  };
  Mirror::Extent large{.where = "world", .last = 11, .deleted = {}};
  EXPECT_EQ(mirror.ReadOn(large, 10, nobody).value(), 11U);
  EXPECT_FALSE(mirror.Follow(large, 10, 5, nobody).value());
}

}  // namespace
}  // namespace fogline
