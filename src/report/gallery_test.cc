// Pictures in pages, and the picture of a confusion matrix.
#include "report/gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/matrix.h"
#include "report/page.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Encode(std::string_view text) {
  return DataUri("x/y", std::as_bytes(std::span(text.data(), text.size())));
}

TEST(DataUri, IsBase64) {  // the test vectors of RFC 4648
  EXPECT_EQ(Encode(""), "data:x/y;base64,");
  EXPECT_EQ(Encode("f"), "data:x/y;base64,Zg==");
  EXPECT_EQ(Encode("fo"), "data:x/y;base64,Zm8=");
  EXPECT_EQ(Encode("foo"), "data:x/y;base64,Zm9v");
  EXPECT_EQ(Encode("foobar"), "data:x/y;base64,Zm9vYmFy");
  EXPECT_EQ(Encode("\xff\xfe\xfd"), "data:x/y;base64,//79");
}

TEST(Gallery, EscapesWhatAFileIsCalled) {
  GalleryItem item;
  item.image = Encode("foo");
  item.title = "<script>";
  item.note = "a\"b";
  const std::string html = Gallery({item});
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<i "))) << "no frame around the whole picture";
  item.left = 0.25;
  EXPECT_THAT(Gallery({item}), HasSubstr("left:25.0%"));
}

TEST(Gallery, DrawsBoxesOverThePicture) {
  GalleryItem item;
  item.boxes = {{GalleryBox::Kind::kMiss, 0.1, 0.2, 0.3, 0.4, "a \"dog\""},
                {GalleryBox::Kind::kAlarm, 0, 0, 1, 1, ""}};
  const std::string html = Gallery({item});
  EXPECT_THAT(html,
              HasSubstr("class=\"miss\" style=\"left:10.0%;top:20.0%;width:30.0%;height:40.0%\""));
  EXPECT_THAT(html, HasSubstr("class=\"alarm\""));
  EXPECT_THAT(html, Not(HasSubstr("\"dog\"")));
}

TEST(Gallery, IsAllowedByThePagesPolicy) {
  Page page("title", "subtitle");
  EXPECT_THAT(page.Finish(), HasSubstr("img-src data:"));
}

TEST(MatrixChart, ShowsEveryCount) {
  MatrixChart chart;
  chart.names = {"clean", "litter"};
  chart.counts = {{56, 4}, {0, 53}};
  const std::string svg = chart.Render();
  for (const char* count : {">56<", ">4<", ">0<", ">53<"}) EXPECT_THAT(svg, HasSubstr(count));
  EXPECT_THAT(svg, HasSubstr("cell wrong s0"));
  EXPECT_THAT(svg, HasSubstr("cell right s"));
  chart.counts = {{0, 0}, {0, 0}};
  EXPECT_THAT(chart.Render(), HasSubstr("0 of 0 (0.0 %)"));
  EXPECT_FALSE(MatrixChart{}.Render().empty());
}

TEST(MatrixChart, StaysInsideItsWidthWithManyClasses) {
  MatrixChart chart;
  chart.names.assign(40, std::string(60, 'x'));
  chart.counts.assign(40, std::vector<size_t>(40, 1));
  EXPECT_THAT(chart.Render(), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace fogline
