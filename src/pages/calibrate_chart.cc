#include "pages/calibrate_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "codec/runnable.h"
#include "report/frame.h"
#include "report/page.h"
#include "report/scale.h"
#include "report/svg.h"

namespace fogline {
namespace {

constexpr double kWidth = 960, kHeight = 460, kLegendRow = 18;
constexpr double kLeastShown = 0.6;  // fidelity at the bottom of the chart

struct Curve {
  std::string name;
  std::vector<XY> points;  // bytes, fidelity
  double json_bytes = 0;
};

double Fidelity(const CalibratedPair& pair) { return pair.agreement.value_or(0); }

/// The id of the cut at which pictures cross; 0 where none were coded.
uint64_t InputOf(const std::vector<CalibratedPair>& pairs) {
  const auto picture = std::ranges::find_if(pairs, [](const CalibratedPair& pair) {
    const auto codec = ParseCodec(pair.codec);
    return codec && CodesPictures(*codec);
  });
  return picture == pairs.end() ? 0 : picture->cut_id;
}

std::vector<Curve> CurvesOf(const std::vector<CalibratedPair>& pairs) {
  // Of cuts that send tensors of one size the last, where most is already computed.
  std::map<double, std::string> cut_of_size;
  for (const CalibratedPair& pair : pairs) {
    if (pair.codec == "f32") cut_of_size[-pair.bytes_mean] = pair.cut_name;
  }
  const uint64_t input = InputOf(pairs);
  std::vector<Curve> curves;
  for (const char* codec : {"jpeg:", "webp:"}) {
    Curve curve{codec[0] == 'j' ? "JPEG of the input" : "WebP of the input", {}, 0};
    for (const CalibratedPair& pair : pairs) {
      if (pair.codec.starts_with(codec)) {
        curve.points.push_back({pair.bytes_mean, Fidelity(pair)});
      } else if (pair.codec == "json" && pair.cut_id == input && codec[0] == 'j') {
        curve.json_bytes = pair.bytes_mean;
      }
    }
    if (!curve.points.empty()) curves.push_back(std::move(curve));
  }
  for (const auto& [size, cut] : cut_of_size) {
    Curve curve{cut, {}, 0};
    for (const CalibratedPair& pair : pairs) {
      if (pair.cut_name != cut || pair.cut_id == input) continue;
      if (pair.codec.starts_with('q')) curve.points.push_back({pair.bytes_mean, Fidelity(pair)});
      if (pair.codec == "json") curve.json_bytes = pair.bytes_mean;
    }
    if (!curve.points.empty()) curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace

std::string RateFidelitySvg(const std::string& model, const std::vector<CalibratedPair>& pairs) {
  const std::vector<Curve> curves = CurvesOf(pairs);
  double low = 1e12, high = 1;
  for (const Curve& curve : curves) {
    for (const XY& p : curve.points) {
      low = std::min(low, p.x);
      high = std::max({high, p.x, curve.json_bytes});
    }
  }
  const Axis x{.title = "bytes a picture", .log = true, .label = [](double v) {
                 return HumanBytes(static_cast<int64_t>(v));
               }};
  const Axis y{.title = "agrees with the unsplit model",
               .label = [](double v) { return fmt::format("{:.0f} %", 100 * v); }};
  const Scale xs = Scale::Log(low, high), ys = Scale::Linear(kLeastShown, 1.0, false);
  const std::string label = "Rate and fidelity of " + model;
  Svg svg(kWidth, kHeight, label);
  svg.Rect(0, 0, kWidth, kHeight, "sheet");
  ChartFrame frame = ChartFrame::Around(kWidth, kHeight, ys, y, false);
  const double legend = frame.right - 250;
  frame.right = legend - 20;
  frame.DrawY(svg, ys, y);
  frame.DrawX(svg, xs, x);
  const auto place = [&](const XY& p) {
    return XY{frame.left + xs(p.x) * frame.width(),
              frame.bottom - std::clamp(ys(p.y), 0.0, 1.0) * frame.height()};
  };
  for (size_t i = 0; i < curves.size(); ++i) {
    const std::string tone = ToneClass(SeriesTone(i));
    std::vector<XY> points;
    for (const XY& p : curves[i].points) points.push_back(place(p));
    svg.Path(PathThrough(points), "line " + tone);
    for (const XY& p : points) svg.Circle(p.x, p.y, 3.5, "dot " + tone);
    if (curves[i].json_bytes > 0) {
      const XY json = place({curves[i].json_bytes, 1});
      svg.Rect(json.x - 4, json.y - 4, 8, 8, "bar " + tone);
    }
    const double row = frame.top + kLegendRow * static_cast<double>(i) + 10;
    svg.Circle(legend, row - 4, 4, "dot " + tone);
    svg.Text(legend + 12, row, curves[i].name, "tick");
  }
  svg.Text(legend, frame.top + kLegendRow * static_cast<double>(curves.size()) + 18,
           "squares: the same tensor as JSON", "axis");
  // On its own the picture needs its name space and the page's colours.
  std::string out = svg.Finish();
  const size_t head = out.find('>') + 1;
  out.insert(head, fmt::format("<style>{}.sheet{{fill:var(--card)}}"
                               "svg{{font-family:system-ui,sans-serif}}</style>",
                               PageStyle()));
  out.insert(4, " xmlns=\"http://www.w3.org/2000/svg\"");
  return out + "\n";
}

}  // namespace fogline
