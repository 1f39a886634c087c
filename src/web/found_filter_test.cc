// Detections by what was found in them, whatever else they are asked by.
#include "web/found_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const FoundBox kDog{"dog", 0.9F, 0, 0, 1, 1}, kUnsure{"dog", 0.3F, 0, 0, 1, 1},
    kCar{"car", 0.8F, 0, 0, 1, 1};

class Found : public ::testing::Test {
 protected:
  void Put(std::vector<FoundBox> boxes, const std::string& device = "cam") {
    Detection d;
    d.device = device;
    d.sequence = ++sequence_;
    d.captured_us = 1'767'225'600'000'000 + static_cast<int64_t>(d.sequence);
    d.label = "x";
    d.mechanism = "split";
    if (!boxes.empty()) d.findings = BoxFindings{std::move(boxes), 0};
    ASSERT_TRUE(store_->Put(std::span(&d, 1)));
  }
  FoundRows Ask(const std::string& query, Order order = Order::kOldestFirst, size_t limit = 1000) {
    auto parameters = Parameters::Parse("/?" + query);
    EXPECT_TRUE(parameters);
    const auto filter = parameters->ReadFilter();
    EXPECT_TRUE(filter);
    const auto found = FoundFilter::Read(*parameters);
    EXPECT_TRUE(found) << query;
    EXPECT_TRUE(parameters->Finish());
    auto rows = QueryFound(*store_, *filter, *found, order, limit);
    EXPECT_TRUE(rows);
    return *std::move(rows);
  }
  std::vector<uint64_t> Ids(const std::string& query) {
    std::vector<uint64_t> ids;
    for (const StoredDetection& row : Ask(query).rows) ids.push_back(row.id);
    return ids;
  }

  std::unique_ptr<Store> store_ = OpenStore("sqlite::memory:").value();
  uint64_t sequence_ = 0;
};

TEST_F(Found, ByLabelNumberAndScore) {
  Put({kDog, kUnsure, kCar});
  Put({});
  Put({kUnsure}, "other");
  Put({kCar});
  EXPECT_THAT(Ids(""), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Ids("found=dog"), ElementsAre(1, 3));
  EXPECT_THAT(Ids("found=dog&device=other"), ElementsAre(3));
  EXPECT_THAT(Ids("found=dog&found_least=2"), ElementsAre(1));
  EXPECT_THAT(Ids("found=dog&found_score=0.5"), ElementsAre(1));
  EXPECT_THAT(Ids("found_score=0.5"), ElementsAre(1, 4));
  EXPECT_THAT(Ids("found_least=3"), ElementsAre(1));
  EXPECT_THAT(Ids("found=dog&found=car"), ElementsAre(1, 3, 4));
  EXPECT_THAT(Ids("found=cat"), IsEmpty());
}

/// Pages of rows, one after the other, in both orders, give each row once.
TEST_F(Found, PageByPage) {
  std::vector<uint64_t> dogs;
  for (uint64_t i = 1; i <= 1300; ++i) {
    const bool dog = i % 7 == 0;
    Put({dog ? kDog : kCar});
    if (dog) dogs.push_back(i);
  }
  for (const Order order : {Order::kOldestFirst, Order::kNewestFirst}) {
    std::vector<uint64_t> seen;
    uint64_t from = order == Order::kOldestFirst ? 0 : 2000;
    for (bool more = true; more;) {
      const std::string query = order == Order::kOldestFirst ? "after=" : "before=";
      const FoundRows page = Ask("found=dog&" + query + std::to_string(from), order, 50);
      for (const StoredDetection& row : page.rows) seen.push_back(row.id);
      more = page.more;
      ASSERT_FALSE(more && page.read_to == from);
      from = page.read_to;
    }
    if (order == Order::kNewestFirst) std::ranges::reverse(seen);
    EXPECT_EQ(seen, dogs);
  }
}

TEST_F(Found, RefusesWhatNobodyCanAsk) {
  for (const char* bad : {"found_least=0", "found_least=301", "found_least=x", "found_score=2"}) {
    auto parameters = Parameters::Parse(std::string("/?") + bad);
    ASSERT_TRUE(parameters);
    EXPECT_FALSE(FoundFilter::Read(*parameters)) << bad;
  }
}

}  // namespace
}  // namespace fogline
