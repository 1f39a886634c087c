// Values over values: lines, steps and dots, with bands behind and marks across.
#pragma once

#include <string>
#include <vector>

#include "report/scale.h"
#include "report/svg.h"

namespace fogline {

struct Series {
  enum class Style {
    kLine,
    kStep,  // each y holds until the next x
    kArea,  // a filled step
    kDots,
  };
  struct Point {
    double x = 0, y = 0;
    std::string tip;  // shown on hover; a column of the chart belongs to each point that has one
  };
  std::string name;
  Tone tone = Tone::kNetwork;
  Style style = Style::kLine;
  std::vector<Point> points;  // by ascending x, except for dots
};

/// A stretch of the x axis shaded behind the series.
struct Band {
  double from = 0, to = 0;
  std::string tip;
  bool strong = false;
};

/// A vertical line.
struct Mark {
  double x = 0;
  std::string label;  // above the line, left out where there is no room
  std::string tip;
  bool strong = true;  // a weak mark is fainter and never labelled
};

struct XYChart {
  std::string label;  // for those who cannot see it
  Axis x, y;
  std::vector<Series> series;
  std::vector<Band> bands;
  std::vector<Mark> marks;
  double width = 960, height = 340;
  bool legend = true;  // drawn by the page when more than one series has a name

  /// One <svg>, with its legend before it.
  std::string Render() const;
};

/// The legend of named tones, as HTML.
std::string Legend(const std::vector<std::pair<std::string, Tone>>& entries);

}  // namespace fogline
