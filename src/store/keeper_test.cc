#include "store/keeper.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"

namespace fogline {
namespace {

std::vector<Detection> Stored(uint64_t first, uint64_t count) {
  std::vector<Detection> batch(count);
  for (Detection& d : batch) {
    d.device = "cam";
    d.sequence = first++;
  }
  return batch;
}

TEST(StoreKeeper, KeepsAStoreWithinItsLimitsWhileOthersWrite) {
  const TempDir dir;
  const auto store = OpenStore("sqlite:" + (dir.path() / "s.db").string()).value();
  const StoreKeeper keeper(*store, {.rows = 500}, std::chrono::milliseconds(1));
  for (uint64_t i = 0; i < 5000; i += 100) ASSERT_TRUE(store->Put(Stored(i, 100)));
  while (keeper.rows() < 4500) std::this_thread::yield();
  EXPECT_EQ(store->Stock().value().count, 500U);
  EXPECT_EQ(store->LastId().value(), 5000U);
  EXPECT_EQ(keeper.failures(), 0U);
}

TEST(StoreKeeper, EndsAtOnce) {
  const auto store = OpenStore("sqlite::memory:").value();
  ASSERT_TRUE(store->Put(Stored(0, 10)));
  { const StoreKeeper keeper(*store, {.rows = 500}, std::chrono::hours(1)); }
  EXPECT_EQ(store->Stock().value().count, 10U);
}

}  // namespace
}  // namespace fogline
