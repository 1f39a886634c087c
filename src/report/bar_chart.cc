#include "report/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/frame.h"
#include "report/html.h"
#include "report/xy_chart.h"

namespace fogline {

std::string BarChart::Render() const {
  const size_t count = categories.size();
  double highest = 0;
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (const Part& part : parts) sum += i < part.values.size() ? part.values[i] : 0;
    highest = std::max(
        {highest, sum, i < marks.size() ? marks[i] : 0, i < outlines.size() ? outlines[i] : 0});
  }
  const Scale ys = Scale::Linear(0, y.high > 0 ? y.high : highest);
  const ChartFrame frame = ChartFrame::Around(width, height, ys, y, false);
  Svg svg(width, height, label);
  frame.DrawY(svg, ys, y);

  const double pitch = frame.width() / std::max<double>(1, static_cast<double>(count));
  // A hair of air between bars while they are wide enough to afford it.
  const double gap = pitch > 12 ? 3 : pitch > 5 ? 1.5 : pitch > 3 ? 0.75 : 0;
  const double bar = std::min(pitch - gap, 48.0);
  const double radius = bar > 8 ? 2 : 0;
  double widest = 0;
  for (const std::string& category : categories) widest = std::max(widest, TextWidth(category));
  const auto every = static_cast<size_t>(std::max(1.0, std::ceil((widest + 8) / pitch)));
  for (size_t i = 0; i < count; ++i) {
    const double middle = frame.left + (static_cast<double>(i) + 0.5) * pitch;
    double from = frame.bottom;
    if (i < outlines.size() && outlines[i] > 0) {
      const double tall = std::min(1.0, ys(outlines[i])) * frame.height();
      svg.Rect(middle - bar / 2 - 2, frame.bottom - tall, bar + 4, tall, "outline");
    }
    for (const Part& part : parts) {
      const double value = i < part.values.size() ? part.values[i] : 0;
      const double tall = ys(value) * frame.height();
      if (tall <= 0) continue;
      const double air = tall > 3 && from < frame.bottom && bar > 3 ? 1 : 0;
      svg.Rect(middle - bar / 2, from - tall, bar, tall - air, "bar " + ToneClass(part.tone), {},
               radius);
      from -= tall;
    }
    if (i < marks.size() && marks[i] > 0 && ys(marks[i]) <= 1) {
      const double at = frame.bottom - ys(marks[i]) * frame.height();
      svg.Line(middle - bar / 2 - 5, at, middle + bar / 2 + 5, at, "forecast");
    }
    if (i < tips.size() && !tips[i].empty()) {
      svg.Rect(middle - pitch / 2, frame.top, pitch, frame.height(), "hit", tips[i]);
    }
    if (i % every == 0) {
      svg.Text(middle, frame.bottom + 17, categories[i], "tick", Anchor::kMiddle);
    }
  }
  svg.Line(frame.left, frame.bottom, frame.right, frame.bottom, "base");
  if (!x_title.empty()) {
    svg.Text((frame.left + frame.right) / 2, frame.bottom + 36, x_title, "axis", Anchor::kMiddle);
  }
  std::vector<std::pair<std::string, Tone>> names;
  for (const Part& part : parts) names.emplace_back(part.name, part.tone);
  std::string legend = names.size() > 1 ? Legend(names) : std::string();
  for (const auto& [name, css] :
       {std::pair(&mark_name, "forecast"), std::pair(&outline_name, "outline")}) {
    if (name->empty() || legend.empty()) continue;
    legend.insert(legend.rfind("</div>"),
                  fmt::format("<span><i class=\"{}\"></i>{}</span>", css, HtmlEscape(*name)));
  }
  return legend + svg.Finish();
}

}  // namespace fogline
