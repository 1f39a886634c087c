#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "report/html.h"

namespace fogline {

std::string ToneClass(Tone tone) { return fmt::format("t{}", static_cast<int>(tone)); }

Tone SeriesTone(size_t i) {
  // Blue first: the calmest where a chart has one series.
  constexpr Tone kOrder[] = {Tone::kNetwork, Tone::kEdge, Tone::kCloud, Tone::kSplit,
                             Tone::kRed,     Tone::kTeal, Tone::kOlive, Tone::kSlate};
  return kOrder[i % std::size(kOrder)];
}

Svg::Svg(double width, double height, std::string_view label) {
  out_ = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", SvgNumber(width),
                     SvgNumber(height), HtmlEscape(label));
}

void Svg::Close(std::string_view css, std::string_view tip) {
  if (!css.empty()) out_ += fmt::format(" class=\"{}\"", css);
  if (!tip.empty()) out_ += fmt::format(" data-tip=\"{}\"", HtmlEscape(tip));
  out_ += "/>";
}

void Svg::Rect(double x, double y, double width, double height, std::string_view css,
               std::string_view tip, double radius) {
  out_ +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", SvgNumber(x), SvgNumber(y),
                  SvgNumber(std::max(width, 0.0)), SvgNumber(std::max(height, 0.0)));
  if (radius > 0) out_ += fmt::format(" rx=\"{}\"", SvgNumber(radius));
  Close(css, tip);
}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view css,
               std::string_view tip) {
  out_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"", SvgNumber(x1), SvgNumber(y1),
                      SvgNumber(x2), SvgNumber(y2));
  Close(css, tip);
}

void Svg::Circle(double x, double y, double radius, std::string_view css, std::string_view tip) {
  out_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", SvgNumber(x), SvgNumber(y),
                      SvgNumber(radius));
  Close(css, tip);
}

void Svg::Path(std::string_view d, std::string_view css, std::string_view tip) {
  out_ += fmt::format("<path d=\"{}\"", d);
  Close(css, tip);
}

void Svg::Text(double x, double y, std::string_view text, std::string_view css, Anchor anchor,
               double rotate) {
  constexpr const char* kAnchors[] = {"start", "middle", "end"};
  out_ += fmt::format("<text x=\"{}\" y=\"{}\"", SvgNumber(x), SvgNumber(y));
  if (!css.empty()) out_ += fmt::format(" class=\"{}\"", css);
  if (anchor != Anchor::kStart) {
    out_ += fmt::format(" text-anchor=\"{}\"", kAnchors[static_cast<int>(anchor)]);
  }
  if (rotate != 0) {
    out_ += fmt::format(" transform=\"rotate({} {} {})\"", SvgNumber(rotate), SvgNumber(x),
                        SvgNumber(y));
  }
  out_ += fmt::format(">{}</text>", HtmlEscape(text));
}

void Svg::BeginGroup(std::string_view css) { out_ += fmt::format("<g class=\"{}\">", css); }
void Svg::EndGroup() { out_ += "</g>"; }

std::string Svg::Finish() {
  out_ += "</svg>";
  return std::exchange(out_, {});
}

std::string PathThrough(const std::vector<XY>& points, bool step) {
  std::string d;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      d = fmt::format("M{} {}", SvgNumber(points[i].x), SvgNumber(points[i].y));
    } else if (step) {
      d += fmt::format("H{}V{}", SvgNumber(points[i].x), SvgNumber(points[i].y));
    } else {
      d += fmt::format("L{} {}", SvgNumber(points[i].x), SvgNumber(points[i].y));
    }
  }
  return d;
}

double TextWidth(std::string_view text) {
  const auto glyphs = std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return static_cast<double>(glyphs) * 6.6;
}

}  // namespace fogline
