#include "web/basemap_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

using BasemapKind = BasemapChoice::Kind;
using ::testing::HasSubstr;

TEST(BasemapChoice, NobodyIsAskedUnlessNamed) {
  const auto none = ChooseBasemap("", "").value();
  EXPECT_EQ(none.kind, BasemapKind::kLand);
  EXPECT_EQ(none.origin, "");
  const auto file = ChooseBasemap("streets/town.pmtiles", "").value();
  EXPECT_EQ(file.kind, BasemapKind::kArchive);
  EXPECT_EQ(file.file, "streets/town.pmtiles");
  EXPECT_EQ(file.origin, "");
}

TEST(BasemapChoice, AnAddressNamesItsServerAndWhoseMapItIs) {
  const auto osm = ChooseBasemap("osm", "").value();
  EXPECT_EQ(osm.kind, BasemapKind::kTiles);
  EXPECT_EQ(osm.origin, "https://tile.openstreetmap.org");
  EXPECT_EQ(osm.attribution, "© OpenStreetMap contributors");
  EXPECT_EQ(ChooseBasemap("osm", "© us").value().attribution, "© us");

  const auto vector = ChooseBasemap("http://a:81/t/{z}/{x}/{y}.pbf?key=1", "© b").value();
  EXPECT_EQ(vector.kind, BasemapKind::kVector);
  EXPECT_EQ(vector.origin, "http://a:81");
  EXPECT_EQ(ChooseBasemap("https://a/{z}/{y}/{x}@2x.webp", "b").value().kind, BasemapKind::kTiles);
  const auto archive = ChooseBasemap("https://a.example/x/city.pmtiles?v=2", "").value();
  EXPECT_EQ(archive.kind, BasemapKind::kArchive);
  EXPECT_EQ(archive.origin, "https://a.example");
  EXPECT_TRUE(archive.file.empty());
}

TEST(BasemapChoice, SaysWhatAnAddressLacks) {
  for (const auto& [url, says] : {std::pair{"https://a.example/{z}/{x}/y.png", "lacks {y}"},
                                  {"https://a.example/", "lacks {z}"},
                                  {"https://a.example/{z}/{x}/{y}.png", "--basemap-attribution"},
                                  {"https:///{z}/{x}/{y}.png", "no host"},
                                  {"https://a;script-src *.b/{z}/{x}/{y}.png", "no host"},
                                  {"https://a'b/x.pmtiles", "no host"}}) {
    const auto chosen = ChooseBasemap(url, "");
    ASSERT_FALSE(chosen) << url;
    EXPECT_EQ(chosen.error().code, ErrorCode::kUsage);
    EXPECT_THAT(chosen.error().ToString(), HasSubstr(says));
    EXPECT_THAT(chosen.error().ToString(), HasSubstr(url));
  }
}

}  // namespace
}  // namespace fogline
