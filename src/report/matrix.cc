#include "report/matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/svg.h"
#include "report/table.h"

namespace fogline {
namespace {

constexpr double kWidth = 960;
constexpr double kTop = 44;  // column title and names
constexpr double kGap = 3;   // between cells
constexpr size_t kNameColumns = 24;
constexpr double kLegibleCell = 30;  // narrower cells show no figures

}  // namespace

std::string MatrixChart::Render() const {
  const size_t n = names.size();
  double name_width = TextWidth(row_title);
  for (const std::string& name : names) {
    name_width = std::max(name_width, TextWidth(Shorten(name, kNameColumns)));
  }
  const double left = name_width + 24;
  const double wide = (kWidth - left) / static_cast<double>(std::max<size_t>(n, 1));
  const double cell_width = std::min(wide, 220.0);
  const double cell_height = std::clamp(cell_width * 0.4, 18.0, 64.0);
  Svg svg(kWidth, kTop + static_cast<double>(n) * cell_height + 8, label);
  svg.Text(left, 12, column_title + " →", "axis");
  svg.Text(left - 12, kTop - 10, row_title + " ↓", "axis", Anchor::kEnd);
  for (size_t r = 0; r < n; ++r) {
    const double y = kTop + static_cast<double>(r) * cell_height;
    svg.Text(left - 12, y + cell_height / 2 + 4, Shorten(names[r], kNameColumns), "tick",
             Anchor::kEnd);
    size_t total = 0;
    for (const size_t count : counts[r]) total += count;
    for (size_t c = 0; c < n; ++c) {
      const double x = left + static_cast<double>(c) * cell_width;
      if (r == 0 && TextWidth(names[c]) < 4 * cell_width) {
        const auto columns = static_cast<size_t>(std::max(3.0, cell_width / 8));
        if (cell_width >= kLegibleCell) {
          svg.Text(x + cell_width / 2, kTop - 10, Shorten(names[c], columns), "tick",
                   Anchor::kMiddle);
        }
      }
      const size_t count = counts[r][c];
      const double share = total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
      const std::string tip =
          fmt::format("{}: {}\n{}: {}\n{} of {} ({:.1f} %)", row_title, names[r], column_title,
                      names[c], count, total, 100 * share);
      // Twenty shades, so that the style sheet can follow light and dark.
      const int shade = count == 0 ? 0 : 1 + static_cast<int>(share * 9.999);
      svg.Rect(x + kGap / 2, y + kGap / 2, cell_width - kGap, cell_height - kGap,
               fmt::format("cell {} s{}", r == c ? "right" : "wrong", shade), tip, 4);
      if (cell_width >= kLegibleCell) {
        svg.Text(x + cell_width / 2, y + cell_height / 2 + 4, std::to_string(count),
                 shade >= 7 ? "cellnote strong" : "cellnote", Anchor::kMiddle);
      }
    }
  }
  return svg.Finish();
}

}  // namespace fogline
