// A mirror holds what its store holds, as far as it says that it has read: whatever is stored,
// forgotten and deleted while it is being read in parts of any size.
#include "store/mirror.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "base/file.h"
#include "base/paths.h"

namespace fogline {
namespace {

/// A store of rows that have an id and nothing else, and a reader that is stopped where it pleases.
class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    extent_.epoch = []() -> Result<std::string> { return std::string(kEpoch); };
    extent_.row = [this](uint64_t id, Columns& columns) -> Status {
      if (std::ranges::binary_search(rows_, id)) columns.Add(RowOf(id));
      return {};
    };
  }
  static constexpr const char* kEpoch = "0123456789abcdef";

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
      columns.Add(RowOf(id));
    }
    return {};
  }

  std::vector<uint64_t> Before(uint64_t id) const {
    std::vector<uint64_t> rows = rows_;
    std::erase_if(rows, [&](uint64_t row) { return row >= id; });
    return rows;
  }
  /// As a server whose newest rows were lost, and which gave their ids to others.
  void LoseAndGoOn() {
    if (rows_.empty()) return;
    history_ += 1;
    const uint64_t kept = rows_[Draw(rows_.size())];
    std::erase_if(rows_, [&](uint64_t id) { return id > kept; });
    extent_.last = std::max(kept, extent_.forgotten);
    for (uint64_t n = Draw(20); n > 0; --n) rows_.push_back(++extent_.last);
  }
  uint64_t last() const { return extent_.last; }
  uint64_t Draw(uint64_t below) { return random_() % below; }

  void Delete() {
    auto& gone = deleted_[++extent_.deletions];
    for (uint64_t n = Draw(4); n > 0 && !rows_.empty(); --n) {
      const auto at = rows_.begin() + static_cast<ptrdiff_t>(Draw(rows_.size()));
      gone.push_back(*at);
      rows_.erase(at);
    }
  }

 private:
  Columns::Row RowOf(uint64_t id) const {
    return {.id = id, .captured_us = kYear2000Us + static_cast<int64_t>(history_)};
  }

  std::mt19937 random_;
  uint64_t history_ = 0;
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

/// Whoever starts with the copy that others left, whole, torn or damaged, holds what the store
/// holds; and what was deleted is not in the copy any more once somebody knew.
TEST(Mirror, GoesOnFromTheCopyThatItKept) {
  constexpr size_t kMost = 100'000;
  uint64_t spared = 0, starts = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    World world(seed);
    const TempDir dir;
    const auto file = dir.path() / (std::string(World::kEpoch) + ".rows");
    for (int start = 0; start < 12; ++start) {
      Mirror mirror(dir.path(), world.Draw(12));
      std::optional<Mirror> other;  // which may read the copy, and not write it
      if (world.Draw(4) == 0) other.emplace(dir.path(), 0);
      std::optional<uint64_t> first;  // the first row that was asked for
      const auto read = [&](uint64_t after, Columns& columns) {
        if (!first) first = after;
        return world.Read(after, columns);
      };
      for (uint64_t step = world.Draw(6) + 1; step > 0; --step) {
        for (Mirror* each : {&mirror, other ? &*other : nullptr}) {
          if (each == nullptr) continue;
          const uint64_t counted = each->ReadOn(world.extent(), kMost, read).value();
          ASSERT_EQ(Held(*each, counted + 1), world.Before(counted + 1)) << seed << " " << start;
        }
        world.Live();
      }
      ++starts;
      spared += first.value_or(0) > 0 ? 1 : 0;
      other.reset();
    }
    if (world.Draw(3) == 0) {
      auto bytes = ReadFile(file).value();
      if (bytes.empty()) continue;
      if (world.Draw(2) == 0) bytes.resize(world.Draw(bytes.size()));
      if (!bytes.empty()) bytes[world.Draw(bytes.size())] ^= std::byte{0x20};
      ASSERT_TRUE(WriteFile(file, bytes));
    } else if (world.Draw(3) == 0) {
      world.LoseAndGoOn();
    }
    Mirror mirror(dir.path(), 0);
    const auto read = [&](uint64_t after, Columns& columns) { return world.Read(after, columns); };
    const uint64_t counted = mirror.ReadOn(world.extent(), kMost, read).value();
    ASSERT_EQ(Held(mirror, counted + 1), world.Before(counted + 1)) << seed;
  }
  EXPECT_GT(spared, starts / 4);
}

TEST(Mirror, LeavesNothingOfWhatWasDeletedOrOfATooLargeStoreInItsCopy) {
  const TempDir dir;
  const auto file = dir.path() / (std::string(World::kEpoch) + ".rows");
  World world(1);
  while (world.last() < 200) world.Live();
  const auto read = [&](uint64_t after, Columns& columns) { return world.Read(after, columns); };
  {
    Mirror mirror(dir.path(), 1);
    while (mirror.ReadOn(world.extent(), 1000, read).value() < world.last()) {
    }
  }
  ASSERT_GT(BytesOf(file), 1000U);
  Mirror mirror(dir.path(), 1000);  // as few rows as are left are not worth a copy to this one
  world.Delete();
  EXPECT_TRUE(mirror.ReadOn(world.extent(), 1000, read));
  EXPECT_EQ(BytesOf(file), 0U);
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
