#include "cloud/unstored.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST(UnstoredByDevice, CountsAndKeepsTheLastReasonOfThoseWhoLatelyHadTrouble) {
  UnstoredByDevice book(2);
  const Error nonsense{ErrorCode::kInvalid, "frame", "is nonsense"};
  const Error missing{ErrorCode::kNotFound, "model 0b", "is not there"};
  book.Count("a", AckStatus::kRefused, nonsense, 1s);
  book.Count("b", AckStatus::kRetry, missing, 2s);
  book.Count("a", AckStatus::kRetry, missing, 3s);
  book.Count("c", AckStatus::kRefused, nonsense, 4s);  // b has been quiet for longest
  const auto all = book.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at("a").refused, 1U);
  EXPECT_EQ(all.at("a").not_now, 1U);
  EXPECT_EQ(all.at("a").reason, "model 0b: is not there");
  EXPECT_EQ(all.at("c").refused, 1U);
}

}  // namespace
}  // namespace fogline
