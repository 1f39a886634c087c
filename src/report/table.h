// Rows and columns, for a terminal or a page.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
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

/// "████▌     " of `width` columns for a fraction between 0 and 1; '#' without unicode.
std::string TextBar(double fraction, size_t width, bool unicode = true);
/// Columns that a text takes: code points, combining marks and wide letters aside.
size_t Columns(std::string_view text);
/// Cut to `columns` with "…" in the middle, where the least is lost of a layer's name.
std::string Shorten(std::string_view text, size_t columns);

struct Cell {
  Cell(std::string text_) : text(std::move(text_)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* text_) : text(text_) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string text_, double value_) : text(std::move(text_)), value(value_), has_value(true) {}

  std::string text;
  double value = 0;  // what a page sorts by
  bool has_value = false;
};

/// A table of texts. Columns are as wide as their widest cell; where the terminal is narrower, the
/// columns marked `may_shrink` give way.
class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;       // numbers align right
    bool may_shrink = false;  // names may be shortened
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
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace fogline
