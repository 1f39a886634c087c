#include "cloud/share_group.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace fogline {
namespace {

TEST(ShareGroup, IsNamedByTheKeyThatItsWorkersShare) {
  const TempDir dir;
  LinkOptions link;
  EXPECT_EQ(ShareGroup(link).value(), "cloud");
  link.key_file = dir.path() / "cloud.key";
  EXPECT_EQ(ShareGroup(link).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteFile(dir.path() / "cloud.key", "one"));
  const std::string one = ShareGroup(link).value();
  EXPECT_EQ(one.size(), 38U);
  EXPECT_EQ(ShareGroup(link).value(), one);
  ASSERT_TRUE(WriteFile(dir.path() / "cloud.key", "another"));
  EXPECT_NE(ShareGroup(link).value(), one);
}

}  // namespace
}  // namespace fogline
