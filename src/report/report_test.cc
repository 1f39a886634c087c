#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "report/bar_chart.h"
#include "report/html.h"
#include "report/page.h"
#include "report/scale.h"
#include "report/table.h"
#include "report/xy_chart.h"

namespace fogline {
namespace {

TEST(Html, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(HtmlEscape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(HtmlEscape("two\nlines"), "two\nlines");
  EXPECT_EQ(HtmlEscape("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(HtmlEscape("é€"), "é€");
}

TEST(Html, WritesShortNumbers) {
  EXPECT_EQ(SvgNumber(1), "1");
  EXPECT_EQ(SvgNumber(1.256), "1.26");
  EXPECT_EQ(SvgNumber(-0.001), "0");
  EXPECT_EQ(SvgNumber(100), "100");
  EXPECT_EQ(SvgNumber(NAN), "0");
}

TEST(Scale, IsStraight) {
  const Scale scale = Scale::Linear(0, 97);
  EXPECT_EQ(scale.high(), 100);
  EXPECT_DOUBLE_EQ(scale(50), 0.5);
  EXPECT_EQ(scale.Ticks(), (std::vector<double>{0, 20, 40, 60, 80, 100}));
}

TEST(Scale, IsLogarithmic) {
  const Scale scale = Scale::Log(3, 900);
  EXPECT_DOUBLE_EQ(scale.low(), 2);
  EXPECT_DOUBLE_EQ(scale.high(), 1000);
  EXPECT_EQ(scale(0), 0);
  for (const double tick : scale.Ticks()) {
    EXPECT_GE(tick, 2);
    EXPECT_LE(tick, 1000);
  }
  EXPECT_FALSE(scale.Ticks().empty());
}

TEST(Scale, StandsDegenerateRanges) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0, 0}, {5, 5}, {7, 3}, {INFINITY, -INFINITY}, {NAN, NAN}, {-1, -1}, {1e300, 1e300}}) {
    for (const Scale& scale : {Scale::Linear(low, high), Scale::Log(low, high)}) {
      EXPECT_LT(scale.low(), scale.high());
      EXPECT_TRUE(std::isfinite(scale(scale.low())));
      EXPECT_LT(scale.Ticks().size(), 50U);
    }
  }
}

TEST(Table, AlignsAndShortens) {
  Table table({{"n", true}, {"layer", false, true}});
  table.Add({"7", "features/block/expand/conv"});
  table.Add({"12", "é"});
  TextStyle plain;
  EXPECT_EQ(table.ToText(plain),
            " n  layer\n──  ──────────────────────────\n 7  features/block/expand/conv\n12  é\n");
  TextStyle narrow;
  narrow.width = 20;
  EXPECT_EQ(table.ToText(narrow), " n  layer\n──  ────────────────\n 7  feature…and/conv\n12  é\n");
}

TEST(Table, ShowsControlCharactersOfNames) {
  Table table({{"name"}});
  table.Add({"evil\x1b[2J\nname"});
  const std::string text = table.ToText({});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

TEST(Table, DrawsBarsOfSeveralInks) {
  const TextStyle plain;
  const auto bar = [&](std::vector<std::pair<double, Ink>> lengths, const TextStyle& style) {
    return StackedBar(lengths, 4, style).text;
  };
  EXPECT_EQ(bar({}, plain), "");
  EXPECT_EQ(bar({{0.5, Ink::kEdge}, {0.25, Ink::kNetwork}, {0.25, Ink::kCloud}}, plain), "██░▒");
  EXPECT_EQ(bar({{0.01, Ink::kEdge}, {9, Ink::kCloud}, {NAN, Ink::kEdge}}, plain), "▒▒▒▒");
  EXPECT_EQ(bar({{0.5, Ink::kEdge}, {0.5, Ink::kCloud}}, {.unicode = false}), "EECC");
}

TEST(Table, ColoursAreTheCellsAndTakeNoColumns) {
  Table table({{"a"}, {"b"}});
  table.Add({StackedBar({{0.5, Ink::kEdge}, {0.5, Ink::kCloud}}, 4, {}), "end"});
  table.Add({"x\x1b[31m", "end"}, Table::Weight::kStrong);
  EXPECT_EQ(table.ToText({.color = true}),
            "\x1b[1ma          b\x1b[0m\n\x1b[2m─────────  ───\x1b[0m\n"
            "\x1b[33m██\x1b[0m\x1b[32m▒▒\x1b[0m       end\n\x1b[1mx\\x1b[31m  end\x1b[0m\n");
  EXPECT_EQ(table.ToText({}), "a          b\n─────────  ───\n██▒▒       end\nx\\x1b[31m  end\n");
}

TEST(Table, WhatIsSpareGoesBeforeANameIsShortened) {
  Table table({{"name", false, true}, {"bar", false, false, 2}, {"c", true, false, 1}, {"d"}});
  table.Add({"a name of 20 columns", "▒▒▒▒▒▒▒▒", "1", "2"});
  const auto first = [&](size_t width) {
    const std::string text = table.ToText({.width = width});
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first(36), "name                  bar       c  d");
  EXPECT_EQ(first(35), "name                  c  d");
  EXPECT_EQ(first(25), "name                  d");
  EXPECT_EQ(first(22), "name                 d") << "and then names are shortened";
}

TEST(Table, CarriesValuesToSortBy) {
  Table table({{"size", true}});
  table.Add({{"1.50 kB", 1500}}, Table::Weight::kWeak);
  const std::string html = table.ToHtml();
  EXPECT_NE(html.find("<tr class=\"weak\"><td class=\"r\" data-v=\"1500\">1.50 kB</td>"),
            std::string::npos);
}

/// Every chart must be drawn without a number that a browser cannot read.
void ExpectDrawn(const std::string& svg) {
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
}

TEST(XYChart, DrawsAnything) {
  XYChart chart;
  ExpectDrawn(chart.Render());
  chart.series.push_back({"one", Tone::kEdge, Series::Style::kLine, {{1, 5, "a"}, {2, 7, ""}}});
  chart.series.push_back({"two", Tone::kCloud, Series::Style::kDots, {{1, NAN, "x"}, {3, 2, "y"}}});
  chart.series.push_back({"", Tone::kRed, Series::Style::kArea, {{1, 0, ""}, {2, 1e9, ""}}});
  chart.marks.push_back({1.5, "13", "a cut"});
  chart.bands.push_back({1, 2, "block"});
  ExpectDrawn(chart.Render());
  chart.x.log = chart.y.log = true;
  const std::string svg = chart.Render();
  ExpectDrawn(svg);
  EXPECT_NE(svg.find("data-tip=\"a cut\""), std::string::npos);
  EXPECT_NE(svg.find("class=\"legend\""), std::string::npos);
}

TEST(BarChart, DrawsAnything) {
  BarChart chart;
  ExpectDrawn(chart.Render());
  chart.categories = {"a", "b", "c"};
  chart.parts = {{"edge", Tone::kEdge, {1, 0}}, {"cloud", Tone::kCloud, {0, 5, 2}}};
  chart.tips = {"first"};
  ExpectDrawn(chart.Render());
  for (int i = 0; i < 500; ++i) chart.categories.emplace_back("x");
  ExpectDrawn(chart.Render());
}

TEST(Page, AsksNobodyForAnything) {
  Page page("<model>", "sub & title");
  page.AddTiles({{"a", "1", "note"}});
  page.AddFigure("Figure", "caption", {{"one", BarChart().Render()}, {"two", XYChart().Render()}});
  Table table({{"x"}});
  table.Add({"<script>alert(1)</script>"});
  page.AddTable("Table", "", table);
  page.AddFolded("More", table);
  const std::string html = page.Finish();
  EXPECT_NE(html.find("&lt;model&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const char* reach : {"http:", "https:", "src=", "href=", "url(", "@import", "fetch("}) {
    EXPECT_EQ(html.find(reach), std::string::npos) << reach;
  }
}

}  // namespace
}  // namespace fogline
