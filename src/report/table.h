// Rows and columns, for a terminal or a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fogline {

/// What the receiving end can show.
struct TextStyle {
  bool color = false;
  bool unicode = true;
  size_t width = 0;  // columns of the terminal; 0: unknown, nothing is shortened
};
/// Of this process's stdout: colour on a terminal unless NO_COLOR is set or TERM is dumb.
TextStyle StdoutStyle();

/// Columns that a text takes: code points, combining marks and wide letters aside.
size_t Columns(std::string_view text);
/// Cut to `columns` with "…" in the middle, where the least is lost of a layer's name.
std::string Shorten(std::string_view text, size_t columns);

/// Lines for a terminal of so many columns (0: as they are): what does not fit goes on below, where
/// the last column of its line begins, as a --help page's text does. Words are never parted, nor is
/// a line that is a command ("  fogline …"), which people copy.
std::string FitLines(const std::string& text, size_t columns);

/// What a stretch of a cell is about: its colour where the terminal has any (report/colours.inc has
/// those of pages).
enum class Ink : uint8_t { kPlain, kEdge, kNetwork, kCloud };

struct Cell {
  Cell(std::string text_) : text(std::move(text_)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* text_) : text(text_) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string text_, double value_) : text(std::move(text_)), value(value_), has_value(true) {}

  std::string text;
  double value = 0;  // what a page sorts by
  bool has_value = false;
  /// Columns of an ink one after the other, from the left; what is left of the text is plain.
  std::vector<std::pair<size_t, Ink>> inks;
};

/// "█████░░▒▒▒": stretches of lengths between 0 and 1 of `width` columns, one behind the other,
/// each with the sign of its ink, so that no colour is needed to read it.
Cell StackedBar(const std::vector<std::pair<double, Ink>>& lengths, size_t width,
                const TextStyle& style);
/// The sign of an ink, as StackedBar draws it.
const char* SignOf(Ink ink, const TextStyle& style);

/// A table of texts. Columns are as wide as their widest cell; where the terminal is narrower,
/// those that are wanted least are left out, and then the columns marked `may_shrink` give way.
class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;       // numbers align right
    bool may_shrink = false;  // names may be shortened
    int spare = 0;            // left out where there is no room, the greatest first; 0: never
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// `weak` rows are dimmed, `strong` ones bold.
  enum class Weight { kNormal, kWeak, kStrong };
  /// Missing cells are empty, those past the last column are dropped.
  void Add(std::vector<Cell> cells, Weight weight = Weight::kNormal);

  size_t rows() const { return rows_.size(); }
  /// Lines, each ending in '\n'.
  std::string ToText(const TextStyle& style) const;
  /// A <table> whose columns a page sorts on a click.
  std::string ToHtml() const;

 private:
  struct Row {
    std::vector<Cell> cells;
    Weight weight;
  };
  /// Columns and their widths.
  using Widths = std::vector<std::pair<size_t, size_t>>;
  Widths Fit(size_t width) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace fogline
