#include "report/frame.h"

#include <algorithm>

namespace fogline {
namespace {

std::string LabelOf(const Axis& axis, double value) {
  return axis.label ? axis.label(value) : PlainLabel(value);
}

}  // namespace

ChartFrame ChartFrame::Around(double width, double height, const Scale& scale, const Axis& y,
                              bool room_above) {
  double widest = 0;
  for (const double tick : scale.Ticks()) widest = std::max(widest, TextWidth(LabelOf(y, tick)));
  ChartFrame frame;
  frame.left = widest + 14;
  frame.right = width - 14;
  frame.top = (y.title.empty() ? 10 : 26) + (room_above ? 16 : 0);
  frame.bottom = height - 44;
  return frame;
}

void ChartFrame::DrawY(Svg& svg, const Scale& scale, const Axis& y) const {
  if (!y.title.empty()) svg.Text(0, 13, y.title, "axis");
  for (const double tick : scale.Ticks()) {
    const double at = bottom - scale(tick) * height();
    svg.Line(left, at, right, at, "grid");
    svg.Text(left - 8, at + 4, LabelOf(y, tick), "tick", Anchor::kEnd);
  }
}

void ChartFrame::DrawX(Svg& svg, const Scale& scale, const Axis& x) const {
  svg.Line(left, bottom, right, bottom, "base");
  double last = -1e9;
  for (const double tick : scale.Ticks(10)) {
    const double at = left + scale(tick) * width();
    const std::string text = LabelOf(x, tick);
    const double half = TextWidth(text) / 2;
    if (at - half < last + 8) continue;
    svg.Text(at, bottom + 17, text, "tick", Anchor::kMiddle);
    last = at + half;
  }
  if (!x.title.empty()) svg.Text((left + right) / 2, bottom + 36, x.title, "axis", Anchor::kMiddle);
}

}  // namespace fogline
