#include "report/table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/text.h"
#include "report/html.h"

namespace fogline {
namespace {

constexpr size_t kColumnGap = 2;  // columns between columns

bool StartsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// The first `columns` code points.
std::string_view Head(std::string_view text, size_t columns) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (StartsCodePoint(text[at]) && columns-- == 0) break;
  }
  return text.substr(0, at);
}

constexpr const char* kPlainAgain = "\x1b[0m";

const char* ColourOf(Ink ink) {
  constexpr std::array kColours{"", "\x1b[33m", "\x1b[34m", "\x1b[32m"};
  return kColours[static_cast<size_t>(ink)];
}

/// A cell's text with its colours, in a line that is otherwise `on`.
std::string Inked(std::string_view text, const Cell& cell, const char* on) {
  std::string out;
  for (const auto& [columns, ink] : cell.inks) {
    const std::string_view stretch = Head(text, columns);
    text.remove_prefix(stretch.size());
    out += std::string(ColourOf(ink)) + std::string(stretch) + kPlainAgain + on;
  }
  return out + std::string(text);
}

}  // namespace

TextStyle StdoutStyle() {
  TextStyle style;
  if (isatty(STDOUT_FILENO) == 0) return style;
  // NOLINTBEGIN(concurrency-mt-unsafe): read before any thread starts
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  style.color = (no_color == nullptr || *no_color == '\0') && term != nullptr &&
                std::string_view(term) != "dumb";
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) style.width = size.ws_col;
  return style;
}

const char* SignOf(Ink ink, const TextStyle& style) {
  constexpr std::array kUnicode{" ", "█", "░", "▒"};
  constexpr std::array kAscii{" ", "E", ".", "C"};
  return (style.unicode ? kUnicode : kAscii)[static_cast<size_t>(ink)];
}

Cell StackedBar(const std::vector<std::pair<double, Ink>>& lengths, size_t width,
                const TextStyle& style) {
  Cell bar("");
  double sum = 0;
  size_t drawn = 0;
  for (const auto& [length, ink] : lengths) {
    sum += std::isfinite(length) ? std::max(0.0, length) : 0;
    const auto until =
        static_cast<size_t>(std::lround(std::min(1.0, sum) * static_cast<double>(width)));
    if (until <= drawn) continue;
    bar.inks.emplace_back(until - drawn, ink);
    for (; drawn < until; ++drawn) bar.text += SignOf(ink, style);
  }
  return bar;
}

size_t Columns(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, StartsCodePoint));
}

std::string Shorten(std::string_view text, size_t columns) {
  const size_t have = Columns(text);
  if (have <= columns) return std::string(text);
  if (columns < 3) return std::string(Head(text, columns));
  const size_t front = (columns - 1) / 2;
  const size_t back = columns - 1 - front;
  return std::string(Head(text, front)) + "…" +
         std::string(text.substr(Head(text, have - back).size()));
}

std::string FitLines(const std::string& text, size_t columns) {
  constexpr size_t kLeast = 20;  // columns that are worth a column of text
  if (columns == 0) return text;
  std::string fitted;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    // What stands behind the last gap of a line goes on below where it begins.
    const size_t words = line.find_first_not_of(' ');
    const size_t gap = words == line.npos ? line.npos : line.rfind("  ");
    const bool columned = gap != line.npos && gap > words;
    const bool command = !columned && line.compare(0, 10, "  fogline ") == 0;
    size_t indent = columned ? gap + 2 : words == line.npos ? 0 : words;
    if (indent + kLeast > columns) indent = std::min<size_t>(words + 4, columns / 4);
    while (!command && Columns(line) > columns) {
      // The last blank before the edge, in bytes.
      size_t cut = line.npos;
      for (size_t at = line.find(' ', std::max(indent, words) + 1);
           at != line.npos && Columns(std::string_view(line).substr(0, at)) <= columns;
           at = line.find(' ', at + 1)) {
        cut = at;
      }
      if (cut == line.npos) break;
      const size_t end = line.find_last_not_of(' ', cut);
      fitted += line.substr(0, end + 1) + "\n";
      line = std::string(indent, ' ') + line.substr(line.find_first_not_of(' ', cut));
    }
    fitted += line + "\n";
  }
  return fitted;
}

void Table::Add(std::vector<Cell> cells, Weight weight) {
  cells.resize(columns_.size(), Cell(""));
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back({std::move(cells), weight});
}

Table::Widths Table::Fit(size_t width) const {
  constexpr size_t kLeast = 12;
  Widths widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t widest = Columns(columns_[c].title);
    for (const Row& row : rows_) widest = std::max(widest, Columns(row.cells[c].text));
    widths.emplace_back(c, widest);
  }
  const auto total = [&] {
    size_t sum = kColumnGap * (widths.size() - 1);
    for (const auto& [column, wide] : widths) sum += wide;
    return sum;
  };
  while (width > 0 && total() > width) {
    int most = 0;
    for (const auto& [column, wide] : widths) most = std::max(most, columns_[column].spare);
    if (most > 0) {
      std::erase_if(widths, [&](const auto& w) { return columns_[w.first].spare == most; });
      continue;
    }
    // The widest column that may shrink gives way, one column at a time.
    size_t* widest = nullptr;
    for (auto& [column, wide] : widths) {
      if (columns_[column].may_shrink && wide > kLeast && (widest == nullptr || wide > *widest)) {
        widest = &wide;
      }
    }
    if (widest == nullptr) break;
    --*widest;
  }
  return widths;
}

std::string Table::ToText(const TextStyle& style) const {
  const Widths widths = Fit(style.width);
  std::string out;
  const auto line = [&](const auto& cell_of, const char* on) {
    std::string text;
    size_t blanks = 0;  // not written where nothing follows
    for (const auto& [c, wide] : widths) {
      const Cell& cell = cell_of(c);
      const std::string shown = Shorten(cell.text, wide);
      const size_t pad = wide - Columns(shown);
      if (columns_[c].right) blanks += pad;
      if (!shown.empty()) {
        text.append(std::exchange(blanks, 0), ' ');
        text += style.color ? Inked(shown, cell, on) : shown;
      }
      blanks += (columns_[c].right ? 0 : pad) + kColumnGap;
    }
    if (style.color && *on != '\0') text = on + text + kPlainAgain;
    out += text + "\n";
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title);
  line([&](size_t c) -> const Cell& { return titles[c]; }, "\x1b[1m");
  std::string rule;
  for (const auto& [c, wide] : widths) {
    if (!rule.empty()) rule.append(kColumnGap, ' ');
    for (size_t i = 0; i < wide; ++i) rule += style.unicode ? "─" : "-";
  }
  out += style.color ? "\x1b[2m" + rule + kPlainAgain + "\n" : rule + "\n";
  for (const Row& row : rows_) {
    line([&](size_t c) -> const Cell& { return row.cells[c]; },
         row.weight == Weight::kWeak     ? "\x1b[2m"
         : row.weight == Weight::kStrong ? "\x1b[1m"
                                         : "");
  }
  return out;
}

std::string Table::ToHtml() const {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const Column& column : columns_) {
    out +=
        fmt::format("<th{}>{}</th>", column.right ? " class=\"r\"" : "", HtmlEscape(column.title));
  }
  out += "</tr></thead><tbody>";
  for (const Row& row : rows_) {
    out += row.weight == Weight::kWeak     ? "<tr class=\"weak\">"
           : row.weight == Weight::kStrong ? "<tr class=\"strong\">"
                                           : "<tr>";
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Cell& cell = row.cells[c];
      out += columns_[c].right ? "<td class=\"r\"" : "<td";
      if (cell.has_value) out += fmt::format(" data-v=\"{}\"", cell.value);
      out += fmt::format(">{}</td>", HtmlEscape(cell.text));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

}  // namespace fogline
