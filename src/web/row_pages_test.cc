#include "web/row_pages.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/forwarding_store.h"

namespace fogline {
namespace {

/// Knows the longest page that it was asked for.
class PagedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    auto rows = ForwardingStore::Query(filter, order, limit);
    if (rows) longest = std::max(longest, rows->size());
    return rows;
  }
  size_t longest = 0;
};

class RowPagesTest : public ::testing::Test {
 protected:
  RowPagesTest() : kept_(OpenStore("sqlite::memory:").value()), store_(*kept_) {
    std::vector<Detection> rows(2500);
    for (Detection& row : rows) {
      row.device = "cam";
      row.sequence = sequence_++;
    }
    EXPECT_TRUE(kept_->Put(rows));
  }
  RowsRead Read(const Filter& filter, Order order, size_t limit, size_t bytes_a_row,
                size_t most_bytes = kMostRowBytes) {
    ids_.clear();
    return ReadRows(
               store_, filter, order, limit,
               [&](const StoredDetection& row) {
                 ids_.push_back(row.id);
                 return ids_.size() * bytes_a_row;
               },
               most_bytes)
        .value();
  }

  std::unique_ptr<Store> kept_;
  PagedStore store_;
  uint64_t sequence_ = 0;
  std::vector<uint64_t> ids_;
};

TEST_F(RowPagesTest, GivesEachRowOnceInOrderHoweverManyPagesItTakes) {
  for (const Order order : {Order::kNewestFirst, Order::kOldestFirst}) {
    const RowsRead read = Read({.before_id = 2400}, order, 10'000, 6'000);
    EXPECT_EQ(read.rows, 2399U);
    EXPECT_FALSE(read.more);
    ASSERT_EQ(ids_.size(), 2399U);
    for (size_t i = 0; i < ids_.size(); ++i) {
      EXPECT_EQ(ids_[i], order == Order::kOldestFirst ? i + 1 : 2399 - i);
    }
  }
}

TEST_F(RowPagesTest, LongRowsAreReadFewAtATime) {
  Read({}, Order::kOldestFirst, 10'000, 1 << 20);
  EXPECT_EQ(store_.longest, 1000U);
  store_.longest = 0;
  Read({.after_id = 1000}, Order::kOldestFirst, 10'000, 1);
  EXPECT_EQ(store_.longest, 1000U);  // and all that are left, in one
}

TEST_F(RowPagesTest, EndsAtTheLimitOrWhenTheTextIsLongAndSaysWhereToGoOn) {
  RowsRead read = Read({}, Order::kOldestFirst, 7, 1);
  EXPECT_TRUE(read.more);
  EXPECT_EQ(read.last_id, 7U);
  read = Read({}, Order::kOldestFirst, 10'000, 100, 1000);
  EXPECT_TRUE(read.more);
  EXPECT_EQ(read.rows, 10U);
  read = Read({.after_id = read.last_id}, Order::kOldestFirst, 10'000, 100);
  EXPECT_FALSE(read.more);
  EXPECT_EQ(read.rows, 2490U);
}

}  // namespace
}  // namespace fogline
