// What --source may say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "edge/edge.h"

namespace fogline {
namespace {

using testing::HasSubstr;

TEST(ParseSources, OneMayHaveANameOfItsOwn) {
  const auto plain = ParseSources({"/data/pictures"}, "host").value();
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].device, "host");
  EXPECT_EQ(plain[0].source, "/data/pictures");
  EXPECT_FALSE(plain[0].named);
  const auto named = ParseSources({"cam-1=/data/a=b"}, "host").value();
  EXPECT_EQ(named[0].device, "cam-1");
  EXPECT_EQ(named[0].source, "/data/a=b");
  EXPECT_TRUE(named[0].named);
  EXPECT_EQ(ParseSources({"/data/a=b"}, "host").value()[0].device, "host") << "no name has a '/'";
  const TempDir dir;
  const std::string odd = (dir.path() / "x").string();  // and a folder may be called like a name
  EXPECT_FALSE(ParseSources({odd + "=y"}, "host").value()[0].named);
}

TEST(ParseSources, SeveralHaveEachTheirOwn) {
  const auto two = ParseSources({"cam-1=/data/a", "cam-2=-"}, "host").value();
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[1].device, "cam-2");
  EXPECT_EQ(two[1].source, "-");
  EXPECT_TRUE(ParseSources({"a=/data", "b=/data"}, "host")) << "a folder has room for both";
  const std::vector<std::pair<std::vector<std::string>, const char*>> wrong{
      {{"a=/x", "a=/y"}, "two sources are called a"},
      {{"a=/x", "/y"}, "each is NAME=SOURCE"},
      {{"a=/x", "bad name=/y"}, "each is NAME=SOURCE"},
      {{"a=/x", "=/y"}, "each is NAME=SOURCE"},
      {{"a=-", "b=-"}, "stdin is one source"},
      {{"a=", "b=/y"}, "names no source"},
      {{"a="}, "names no source"},
      {{""}, "names no source"}};
  for (const auto& [texts, says] : wrong) {
    const auto sources = ParseSources(texts, "host");
    ASSERT_FALSE(sources) << texts.back();
    EXPECT_EQ(sources.error().code, ErrorCode::kUsage);
    EXPECT_THAT(sources.error().ToString(), HasSubstr(says));
  }
}

}  // namespace
}  // namespace fogline
