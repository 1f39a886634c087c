// The space of a chart inside its axes, and the axes.
#pragma once

#include "report/scale.h"
#include "report/svg.h"

namespace fogline {

struct ChartFrame {
  double left = 0, right = 0, top = 0, bottom = 0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }

  /// Leaves as much room on the left as the labels of `y` take; `room_above` for labels of marks.
  static ChartFrame Around(double width, double height, const Scale& scale, const Axis& y,
                           bool room_above);
  /// Grid lines with their values, and the axis' title above them.
  void DrawY(Svg& svg, const Scale& scale, const Axis& y) const;
  /// The base line, values under it and the title under those.
  void DrawX(Svg& svg, const Scale& scale, const Axis& x) const;
};

}  // namespace fogline
