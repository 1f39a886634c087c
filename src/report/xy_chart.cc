#include "report/xy_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/frame.h"
#include "report/html.h"

namespace fogline {
namespace {

Scale ScaleOf(const Axis& axis, double low, double high, bool from_zero) {
  if (axis.low != axis.high) {
    return axis.log ? Scale::Log(axis.low, axis.high, false)
                    : Scale::Linear(axis.low, axis.high, false);
  }
  if (axis.log) return Scale::Log(low, high);
  return Scale::Linear(from_zero ? std::min(low, 0.0) : low, high);
}

/// What the points span; what has no logarithm is left out where one is drawn.
struct Extent {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
};

Extent ExtentOf(const XYChart& chart) {
  Extent e;
  for (const Series& s : chart.series) {
    for (const Series::Point& p : s.points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
      if (!chart.x.log || p.x > 0) e.x_low = std::min(e.x_low, p.x);
      e.x_high = std::max(e.x_high, p.x);
      if (!chart.y.log || p.y > 0) e.y_low = std::min(e.y_low, p.y);
      e.y_high = std::max(e.y_high, p.y);
    }
  }
  return e;
}

}  // namespace

std::string Legend(const std::vector<std::pair<std::string, Tone>>& entries) {
  std::string out = "<div class=\"legend\">";
  for (const auto& [name, tone] : entries) {
    out += fmt::format("<span><i class=\"{}\"></i>{}</span>", ToneClass(tone), HtmlEscape(name));
  }
  return out + "</div>";
}

std::string XYChart::Render() const {
  const Extent of = ExtentOf(*this);
  const Scale xs = ScaleOf(x, of.x_low, of.x_high, false);
  const Scale ys = ScaleOf(y, of.y_low, of.y_high, true);
  const ChartFrame frame = ChartFrame::Around(width, height, ys, y, !marks.empty());
  Svg svg(width, height, label);
  const auto px = [&](double v) { return frame.left + xs(v) * frame.width(); };
  const auto py = [&](double v) {
    return frame.bottom - std::clamp(ys(v), 0.0, 1.0) * frame.height();
  };

  for (const Band& band : bands) {
    svg.Rect(px(band.from), frame.top, px(band.to) - px(band.from), frame.height(),
             band.strong ? "band strong" : "band", band.tip);
  }
  frame.DrawY(svg, ys, y);
  frame.DrawX(svg, xs, x);

  for (const Series& s : series) {
    std::vector<XY> points;
    for (const Series::Point& p : s.points) points.push_back({px(p.x), py(p.y)});
    const std::string tone = ToneClass(s.tone);
    if (s.style == Series::Style::kArea && points.size() > 1) {
      svg.Path(PathThrough(points, true) +
                   fmt::format("V{}H{}Z", SvgNumber(frame.bottom), SvgNumber(points.front().x)),
               "area " + tone);
    }
    if (s.style == Series::Style::kDots) {
      for (size_t i = 0; i < points.size(); ++i) {
        svg.Circle(points[i].x, points[i].y, 4, "dot " + tone, s.points[i].tip);
      }
      continue;
    }
    if (points.size() > 1) {
      svg.Path(PathThrough(points, s.style != Series::Style::kLine), "line " + tone);
    }
  }

  double last_label = -INFINITY;
  for (const Mark& mark : marks) {
    svg.Line(px(mark.x), frame.top, px(mark.x), frame.bottom, mark.strong ? "mark" : "mark weak");
    const double half = TextWidth(mark.label) / 2;
    if (mark.label.empty() || !mark.strong || px(mark.x) - half < last_label + 6) continue;
    svg.Text(px(mark.x), frame.top - 7, mark.label, "tick", Anchor::kMiddle);
    last_label = px(mark.x) + half;
  }

  // What hovering hits: the column of each point, over everything but narrow marks.
  for (const Series& s : series) {
    if (s.style == Series::Style::kDots) continue;
    for (size_t i = 0; i < s.points.size(); ++i) {
      if (s.points[i].tip.empty()) continue;
      const bool step = s.style != Series::Style::kLine;
      const double from =
          step || i == 0 ? px(s.points[i].x) : (px(s.points[i - 1].x) + px(s.points[i].x)) / 2;
      const double to = i + 1 == s.points.size() ? frame.right
                        : step                   ? px(s.points[i + 1].x)
                                                 : (px(s.points[i].x) + px(s.points[i + 1].x)) / 2;
      svg.Rect(from, frame.top, std::max(to - from, 0.5), frame.height(), "hit", s.points[i].tip);
    }
  }
  for (const Mark& mark : marks) {
    if (mark.tip.empty()) continue;
    svg.Rect(px(mark.x) - 1.5, frame.top - 16, 3, frame.height() + 16, "hit", mark.tip);
  }

  std::vector<std::pair<std::string, Tone>> names;
  for (const Series& s : series) {
    if (!s.name.empty()) names.emplace_back(s.name, s.tone);
  }
  return (legend && names.size() > 1 ? Legend(names) : std::string()) + svg.Finish();
}

}  // namespace fogline
