#include "web/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Parameters, TakesATargetApart) {
  auto p = Parameters::Parse("/api/x%20y?a=1&b=%C3%A9+z&b=2&c").value();
  EXPECT_EQ(p.path(), "/api/x y");
  EXPECT_EQ(p.Integer("a", 0, 9, 5).value(), 1);
  EXPECT_THAT(p.List("b").value(), ElementsAre("\xc3\xa9 z", "2"));
  EXPECT_EQ(p.Text("c").value(), "");
  EXPECT_TRUE(p.Finish());
}

TEST(Parameters, RefusesBrokenTargets) {
  for (const char* target : {"", "x", "/%", "/%2", "/%zz", "/?a=%ff", "/%c3%28", "/?%"}) {
    EXPECT_FALSE(Parameters::Parse(target)) << target;
  }
  EXPECT_FALSE(Parameters::Parse("/?a=" + std::string(1025, 'x')));
  std::string many = "/?";
  for (int i = 0; i < 65; ++i) many += "a=1&";
  EXPECT_FALSE(Parameters::Parse(many));
}

TEST(Parameters, RefusesWhatIsOutOfRangeOrGivenTwice) {
  const auto number = [](const char* target) {
    return Parameters::Parse(target).value().Number("n", 0, 1, 0.5);
  };
  EXPECT_EQ(number("/").value(), 0.5);
  EXPECT_EQ(number("/?n=0.25").value(), 0.25);
  for (const char* target :
       {"/?n=", "/?n=2", "/?n=-1", "/?n=nan", "/?n=inf", "/?n=1x", "/?n=0&n=1"}) {
    EXPECT_FALSE(number(target)) << target;
  }
}

TEST(Parameters, NamesTheNearestKnownParameter) {
  auto p = Parameters::Parse("/?devise=x").value();
  ASSERT_TRUE(p.ReadFilter());
  const Status done = p.Finish();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().ToString(), HasSubstr("device"));
}

TEST(Parameters, ReadsAFilter) {
  auto p = Parameters::Parse(
               "/?box=170,-10,-170,10&from=1000&to=2000&min_score=0.5&positive=1&label=a&label=b"
               "&device=d&mechanism=split&after=3&before=9")
               .value();
  const Filter f = p.ReadFilter().value();
  EXPECT_TRUE(p.Finish());
  EXPECT_EQ(f.box->west, 170);
  EXPECT_EQ(f.box->east, -170);
  EXPECT_EQ(f.from_us, 1'000'000);
  EXPECT_EQ(f.to_us, 2'000'000);
  EXPECT_EQ(f.min_score, 0.5F);
  EXPECT_TRUE(f.positive_only);
  EXPECT_THAT(f.labels, ElementsAre("a", "b"));
  EXPECT_THAT(f.devices, ElementsAre("d"));
  EXPECT_THAT(f.mechanisms, ElementsAre("split"));
  EXPECT_EQ(f.after_id, 3U);
  EXPECT_EQ(f.before_id, 9U);
}

TEST(Parameters, RefusesBoxesThatAreNone) {
  for (const char* box : {"1,2,3", "1,2,3,4,5", "0,10,0,-10", "-181,0,0,0", "0,0,0,91", "a,b,c,d",
                          "nan,0,0,0", ",,,"}) {
    auto p = Parameters::Parse(std::string("/?box=") + box).value();
    EXPECT_FALSE(p.ReadFilter()) << box;
  }
}

}  // namespace
}  // namespace fogline
