#include "cost/paper_tables.h"

#include <gmock/gmock.h>

#include <map>

#include "base/file.h"

namespace fogline {
namespace {

using testing::HasSubstr;

std::string ScenarioText() {
  const auto text = ReadTextFile(FOGLINE_SOURCE_DIR "/scenarios/paper.toml");
  EXPECT_TRUE(text);
  return text.value_or("");
}

Result<PaperTables> Make(const std::string& text) {
  FOGLINE_TRY(const PaperConstants constants, ParsePaperConstants(text, "paper.toml"));
  return MakePaperTables(constants, text);
}

// The cells of tables 3 to 6 as the paper prints them, typed from it a second time: the test must
// not believe the scenario's own [printed].
const std::map<std::string, std::vector<std::vector<double>>> kPaper = {
    {"table3", {{122, 40}, {0.01, 0.0051}, {0.002, 0.001}, {1.46, 0.73}}},
    {"table4",
     {{10, 228, 29, 32, 143},
      {500, 22, 173, 157, 35},
      {3763.5, 165.594, 1302.171, 1181.739, 263.445},
      {0.7526, 0.0331, 0.2604, 0.2363, 0.0526}}},
    {"table5",
     {{610000},
      {50833.333},
      {7300},
      {58133.333},
      {3763.5, 165.594, 1302.171, 1181.739, 263.445},
      {61896.83, 58298.93, 59435.5, 59315.07, 58396.78},
      {12.37, 11.66, 11.88, 11.86, 11.67}}},
    {"table6",
     {{200000},
      {16666.667},
      {3650},
      {20316.667},
      {3763.5, 165.594, 1302.171, 1181.739, 263.445},
      {24080.17, 20482.26, 21618.84, 21498.41, 20580.11},
      {4.816, 4.096, 4.324, 4.300, 4.116}}}};

TEST(PaperTables, EveryCellIsThePapersButOne) {
  const auto made = Make(ScenarioText());
  ASSERT_TRUE(made) << made.error().ToString();
  ASSERT_EQ(made->tables.size(), 4U);
  int cells = 0, truncated = 0;
  std::vector<std::string> different;
  for (const PaperTable& table : made->tables) {
    const auto& rows = kPaper.at(table.key);
    ASSERT_EQ(table.rows.size(), rows.size()) << table.key;
    for (size_t r = 0; r < rows.size(); ++r) {
      size_t k = 0;
      for (const auto& cell : table.rows[r].cells) {
        if (!cell) continue;
        const std::string at = table.key + ", " + table.rows[r].title;
        ASSERT_LT(k, rows[r].size()) << at;
        EXPECT_EQ(std::stod(cell->printed), rows[r][k]) << at;
        if (cell->match == CellMatch::kDiffers) different.push_back(at);
        truncated += cell->match == CellMatch::kTruncated ? 1 : 0;
        ++k, ++cells;
      }
      EXPECT_EQ(k, rows[r].size());
    }
  }
  EXPECT_EQ(cells, 66);
  // One cost a user of table 4 and three of table 5 are cut off where the others are rounded, and
  // 3763.5 / 5000 is 0.7527 where 0.7526 is printed: cut off after binary rounding, most likely.
  EXPECT_EQ(truncated, 4);
  EXPECT_THAT(different, testing::ElementsAre("table4, Monthly costs/user, €"));
}

TEST(PaperTables, DifferencesAreListed) {
  const auto made = Make(ScenarioText());
  ASSERT_TRUE(made);
  std::string all;
  for (const std::string& line : made->differences) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("Split15"));
  EXPECT_THAT(all, HasSubstr("credits earn 10 %"));
  EXPECT_THAT(all, HasSubstr("0.010311"));
  EXPECT_THAT(all, HasSubstr("printed 0.7526"));
  EXPECT_THAT(all, HasSubstr("0.7446"));  // the Raspberry Pi's month without the rounded hour
}

TEST(PaperTables, FigureTenHasADotForEachDeviceAndMechanism) {
  const auto made = Make(ScenarioText());
  ASSERT_TRUE(made);
  ASSERT_EQ(made->figure10.size(), 10U);
  for (const PaperDot& dot : made->figure10) {
    EXPECT_GT(dot.latency_ms, 0);
    EXPECT_EQ(dot.euro_per_user_month > 10, dot.device == "jetson-nano");
  }
}

TEST(PaperTables, ComparesAtThePrintedDecimals) {
  EXPECT_EQ(Compare(4.2996812, "4.300"), CellMatch::kRounded);
  EXPECT_EQ(Compare(12.379367, "12.37"), CellMatch::kTruncated);
  EXPECT_EQ(Compare(12.379367, "12.38"), CellMatch::kRounded);
  EXPECT_EQ(Compare(12.379367, "12.36"), CellMatch::kDiffers);
  EXPECT_EQ(Compare(500, "500"), CellMatch::kRounded);
}

TEST(PaperTables, BadInputNamesTheKeyAndTheFile) {
  const std::string text = ScenarioText();
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    const auto made = Make(other);
    return made ? std::string("fine") : made.error().ToString();
  };
  EXPECT_THAT(changed("instance_euro_per_month = 7.527", ""),
              HasSubstr("paper.toml: lacks the number 'paper.instance_euro_per_month'"));
  EXPECT_THAT(changed("devices = 5000", "divices = 5000"),
              HasSubstr("unknown key 'paper.divices' on line"));
  EXPECT_THAT(changed("devices = 5000", "divices = 5000"), HasSubstr("did you mean 'devices'"));
  EXPECT_THAT(changed("\"11.66\"", "\"dear\""), HasSubstr("printed.table5.user_month_euro[1]"));
  EXPECT_THAT(changed("devices = 5000", "devices = 0"), HasSubstr("'paper.devices' is 0"));
}

}  // namespace
}  // namespace fogline
