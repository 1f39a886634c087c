// Drawing primitives: an SVG picture as text, coloured by the page's style sheet so that it follows
// light and dark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fogline {

/// Colours that mean the same on every page (colours.inc): the two sides of the line and what lies
/// between, the mechanism that uses both; encode and decode are for bars. The others tell series
/// apart.
enum class Tone { kEdge, kCloud, kNetwork, kSplit, kRed, kTeal, kOlive, kSlate, kEncode, kDecode };
/// The CSS class that gives an element a tone: "t0" … "t9".
std::string ToneClass(Tone tone);
/// The i-th series of a chart, round and round.
Tone SeriesTone(size_t i);

enum class Anchor { kStart, kMiddle, kEnd };

/// Builds one <svg>. Coordinates are in pixels of its view box, y downwards. `css` is one or more
/// class names of page_style.cc; `tip` is what hovering shows, lines separated by '\n'.
class Svg {
 public:
  /// `label` describes the picture to those who cannot see it.
  Svg(double width, double height, std::string_view label);

  void Rect(double x, double y, double width, double height, std::string_view css,
            std::string_view tip = {}, double radius = 0);
  void Line(double x1, double y1, double x2, double y2, std::string_view css,
            std::string_view tip = {});
  void Circle(double x, double y, double radius, std::string_view css, std::string_view tip = {});
  void Path(std::string_view d, std::string_view css, std::string_view tip = {});
  void Text(double x, double y, std::string_view text, std::string_view css,
            Anchor anchor = Anchor::kStart, double rotate = 0);
  void BeginGroup(std::string_view css);
  void EndGroup();

  /// The whole element; the builder is empty afterwards.
  std::string Finish();

 private:
  void Close(std::string_view css, std::string_view tip);
  std::string out_;
};

/// "M x y L x y …" through points; `step` draws each value as a level that ends at the next.
struct XY {
  double x = 0, y = 0;
};
std::string PathThrough(const std::vector<XY>& points, bool step = false);

/// About how wide a text is drawn, in pixels, at the charts' 12 px.
double TextWidth(std::string_view text);

}  // namespace fogline
