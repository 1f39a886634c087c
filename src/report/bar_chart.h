// Stacked bars, one a category, with what they are to be held against.
#pragma once

#include <string>
#include <vector>

#include "report/scale.h"
#include "report/svg.h"

namespace fogline {

struct BarChart {
  struct Part {
    std::string name;
    Tone tone = Tone::kNetwork;
    std::vector<double> values;  // by category; what is missing counts 0
  };
  std::string label;  // for those who cannot see it
  std::string x_title;
  Axis y;                               // always from 0, never by logarithm
  std::vector<std::string> categories;  // under the bars, thinned out where they do not fit
  std::vector<std::string> tips;        // by category
  std::vector<Part> parts;              // first at the bottom
  /// Optional, by category: a line across the bar at this height, and an outline up to this height
  /// around it. Where an outline would stand higher than `y.high`, it is cut off.
  std::string mark_name, outline_name;  // for the legend
  std::vector<double> marks, outlines;
  double width = 960, height = 320;

  /// One <svg>, with its legend before it when there are several parts.
  std::string Render() const;
};

}  // namespace fogline
