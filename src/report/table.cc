#include "report/table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "report/html.h"

namespace fogline {
namespace {

bool StartsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// The first `columns` code points.
std::string_view Head(std::string_view text, size_t columns) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (StartsCodePoint(text[at]) && columns-- == 0) break;
  }
  return text.substr(0, at);
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

std::string TextBar(double fraction, size_t width, bool unicode) {
  constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double part = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0;
  const auto eighths = static_cast<size_t>(std::lround(part * static_cast<double>(width) * 8));
  std::string bar;
  if (!unicode) {
    bar.assign((eighths + 4) / 8, '#');
    return bar + std::string(width - bar.size(), ' ');
  }
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  const size_t used = (eighths + 7) / 8;
  return bar + std::string(width - used, ' ');
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

void Table::Add(std::vector<Cell> cells, Weight weight) {
  cells.resize(columns_.size(), Cell(""));
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back({std::move(cells), weight});
}

std::string Table::ToText(const TextStyle& style) const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t widest = Columns(columns_[c].title);
    for (const Row& row : rows_) widest = std::max(widest, Columns(row.cells[c].text));
    widths.push_back(widest);
  }
  constexpr size_t kGap = 2;
  size_t total = kGap * (columns_.size() - 1);
  for (const size_t w : widths) total += w;
  // The widest column that may shrink gives way, one column at a time.
  constexpr size_t kLeast = 12;
  while (style.width > 0 && total > style.width) {
    size_t* widest = nullptr;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (columns_[c].may_shrink && widths[c] > kLeast &&
          (widest == nullptr || widths[c] > *widest)) {
        widest = &widths[c];
      }
    }
    if (widest == nullptr) break;
    --*widest;
    --total;
  }

  std::string out;
  const auto line = [&](const auto& text_of, const char* on) {
    std::string text;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string cell = Shorten(text_of(c), widths[c]);
      const std::string pad(widths[c] - Columns(cell), ' ');
      text += columns_[c].right ? pad + cell : cell + pad;
      if (c + 1 < columns_.size()) text.append(kGap, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    if (style.color && on != nullptr) text = std::string(on) + text + "\x1b[0m";
    out += text + "\n";
  };
  line([&](size_t c) -> const std::string& { return columns_[c].title; }, "\x1b[1m");
  std::string rule;
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (size_t i = 0; i < widths[c]; ++i) rule += style.unicode ? "─" : "-";
    if (c + 1 < columns_.size()) rule.append(kGap, ' ');
  }
  out += style.color ? "\x1b[2m" + rule + "\x1b[0m\n" : rule + "\n";
  for (const Row& row : rows_) {
    line([&](size_t c) -> const std::string& { return row.cells[c].text; },
         row.weight == Weight::kWeak     ? "\x1b[2m"
         : row.weight == Weight::kStrong ? "\x1b[1m"
                                         : nullptr);
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
