#include "cli/lab/eval_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/lab/gallery_picture.h"
#include "cli/lab/score_view.h"
#include "report/bar_chart.h"
#include "report/gallery.h"
#include "report/matrix.h"
#include "report/page.h"
#include "report/xy_chart.h"
#include "vision/preprocess.h"

namespace fogline::cli {
namespace {

constexpr size_t kMostShown = 60;     // mistakes; about 15 kB of page each
constexpr size_t kMatrixOnPage = 40;  // a larger matrix is a table's job
constexpr int kThumbnailSide = 320;   // pixels of the longer side
constexpr size_t kBars = 20;

std::string Percent(double share, int digits = 1) {
  return fmt::format("{:.{}f} %", 100 * share, digits);
}

Axis ShareAxis(std::string title) {
  Axis axis;
  axis.title = std::move(title);
  axis.low = 0;
  axis.high = 1;
  axis.label = [](double v) { return fmt::format("{:.0f} %", 100 * v); };
  return axis;
}

const std::string& PositiveLabel(const EvaluateReport& report) {
  return report.labels[static_cast<size_t>(report.positive)];
}

void AddTiles(const EvaluateReport& report, Page& page) {
  const Score& score = report.score;
  const Interval sure = WilsonInterval(score.correct, score.images);
  std::vector<Page::Tile> tiles{
      {"accuracy", Percent(score.accuracy),
       fmt::format("95 % sure of {:.1f} to {:.1f} %", 100 * sure.low, 100 * sure.high)},
      {"balanced accuracy", Percent(score.balanced_accuracy), "mean recall of the classes"},
      {"pictures", std::to_string(report.images),
       report.skipped.empty() ? fmt::format("{} classes", report.labels.size())
                              : fmt::format("{} more could not be read", report.skipped.size())},
      {"mistakes", std::to_string(score.images - score.correct), "shown below"}};
  if (score.correct == score.images) tiles.back().note = "none at all";
  if (report.positive >= 0) {
    tiles.push_back(
        {"ranking", fmt::format("{:.3f}", report.curve.auc), "area under the ROC curve"});
    tiles.push_back({"threshold", fmt::format("{:.2f}", report.card.threshold),
                     fmt::format("{:.2f} would suit these pictures", report.best_threshold)});
  }
  page.AddTiles(tiles);
}

std::string ThresholdTip(const ThresholdPoint& p) {
  return fmt::format(
      "from {:.2f} on\nrecall {}\nprecision {}\nbalanced accuracy {}\n{} missed, {} "
      "false alarms",
      p.threshold, Percent(p.recall()), Percent(p.precision()), Percent(p.balanced_accuracy()),
      p.false_negatives, p.false_positives);
}

XYChart ThresholdChart(const EvaluateReport& report) {
  XYChart chart;
  chart.label = "Recall, precision and balanced accuracy over the threshold";
  chart.x = ShareAxis("reported from this probability on");
  chart.x.label = [](double v) { return fmt::format("{:.1f}", v); };
  chart.y = ShareAxis("");
  Series recall{"recall: of the positives, found", Tone::kNetwork, Series::Style::kLine, {}};
  Series precision{"precision: of those reported, right", Tone::kEdge, Series::Style::kLine, {}};
  Series balanced{"balanced accuracy", Tone::kCloud, Series::Style::kLine, {}};
  for (const ThresholdPoint& p : report.curve.points) {
    recall.points.push_back({p.threshold, p.recall(), ThresholdTip(p)});
    precision.points.push_back({p.threshold, p.precision(), ""});
    balanced.points.push_back({p.threshold, p.balanced_accuracy(), ""});
  }
  chart.series = {std::move(recall), std::move(precision), std::move(balanced)};
  chart.marks.push_back({report.card.threshold, fmt::format("card {:.2f}", report.card.threshold),
                         "the threshold of the model's card", true});
  return chart;
}

XYChart RocChart(const EvaluateReport& report) {
  XYChart chart;
  chart.label = "Recall over the false positive rate";
  chart.x = ShareAxis("false positive rate: of the others, reported all the same");
  chart.y = ShareAxis("recall");
  Series roc{
      fmt::format("area {:.3f}", report.curve.auc), Tone::kNetwork, Series::Style::kLine, {}};
  const auto& points = report.curve.points;
  roc.points.push_back({0, 0, ""});
  for (size_t i = points.size(); i-- > 0;) {
    roc.points.push_back(
        {points[i].false_positive_rate(), points[i].recall(), ThresholdTip(points[i])});
  }
  Series chance{"guessing", Tone::kSlate, Series::Style::kLine, {{0, 0, ""}, {1, 1, ""}}};
  chart.series = {std::move(roc), std::move(chance)};
  return chart;
}

BarChart ProbabilityChart(const EvaluateReport& report) {
  BarChart chart;
  chart.label = "How many pictures got which probability";
  chart.x_title = "probability of " + PositiveLabel(report);
  chart.y.title = "pictures";
  BarChart::Part is{"is " + PositiveLabel(report), Tone::kEdge, std::vector<double>(kBars)};
  BarChart::Part other{"is not", Tone::kNetwork, std::vector<double>(kBars)};
  for (const Prediction& p : report.predictions) {
    const double said = p.probabilities[static_cast<size_t>(report.positive)];
    const auto bar = static_cast<size_t>(std::clamp(said * kBars, 0.0, kBars - 1.0));
    (p.sample.label == report.positive ? is : other).values[bar] += 1;
  }
  for (size_t i = 0; i < kBars; ++i) {
    const double low = static_cast<double>(i) / kBars, high = static_cast<double>(i + 1) / kBars;
    chart.categories.push_back(fmt::format("{:.2f}", low));
    chart.tips.push_back(fmt::format("{:.2f} to {:.2f}\n{} are {}\n{} are not", low, high,
                                     is.values[i], PositiveLabel(report), other.values[i]));
  }
  chart.parts = {std::move(is), std::move(other)};
  chart.height = 260;
  return chart;
}

XYChart CalibrationChart(const EvaluateReport& report) {
  XYChart chart;
  chart.label = "How often it was true over the probability said";
  chart.x = ShareAxis("probability said");
  chart.y = ShareAxis("how often it was so");
  Series bins{"tenths of the scale that hold pictures", Tone::kNetwork, Series::Style::kDots, {}};
  Series exact{"exactly right", Tone::kSlate, Series::Style::kLine, {{0, 0, ""}, {1, 1, ""}}};
  for (const CalibrationBin& bin : report.calibration) {
    if (bin.images == 0) continue;
    bins.points.push_back({bin.said, bin.was,
                           fmt::format("{} pictures\nsaid {}\nwas so for {}", bin.images,
                                       Percent(bin.said), Percent(bin.was))});
  }
  chart.series = {std::move(exact), std::move(bins)};
  return chart;
}

/// The picture small, with what the network saw of it framed.
bool Thumbnail(const std::filesystem::path& file, const ModelCard& card, GalleryItem& item) {
  const auto image = ShowSmall(file, kThumbnailSide, item);
  if (!image) return false;
  const Rectangle seen = SeenPart(image->width, image->height, card);
  item.left = static_cast<double>(seen.x) / image->width;
  item.top = static_cast<double>(seen.y) / image->height;
  item.right = static_cast<double>(seen.x + seen.width) / image->width;
  item.bottom = static_cast<double>(seen.y + seen.height) / image->height;
  return true;
}

void AddMistakes(const EvaluateReport& report, Page& page) {
  const std::vector<Prediction> wrong = Mistakes(report.predictions);
  if (wrong.empty()) return;
  std::vector<GalleryItem> items;
  for (size_t i = 0; i < std::min(kMostShown, wrong.size()); ++i) {
    const Prediction& p = wrong[i];
    const std::string& is = report.labels[static_cast<size_t>(p.sample.label)];
    const std::string& taken = report.labels[static_cast<size_t>(p.decided)];
    GalleryItem item;
    if (!Thumbnail(p.sample.file, report.card, item)) continue;
    item.title = fmt::format("{} taken for {}", is, taken);
    item.note = fmt::format("{} · {} sure of {}", p.sample.file.filename().string(),
                            Percent(p.of_truth(), 0), is);
    item.share = 1 - p.of_truth();
    item.tip = p.sample.file.string();
    for (size_t c = 0; c < std::min<size_t>(report.labels.size(), 6); ++c) {
      item.tip += fmt::format("\n{} {}", report.labels[c], Percent(p.probabilities[c]));
    }
    items.push_back(std::move(item));
  }
  std::string caption =
      "The worst first: the bar is how far the model was from the truth. The frame is what the "
      "network saw.";
  if (wrong.size() > items.size()) {
    caption += fmt::format(" {} of {} are shown.", items.size(), wrong.size());
  }
  page.AddFigure("Mistakes", caption, Gallery(items));
}

}  // namespace

std::string EvaluatePage(const std::string& model, const EvaluateReport& report) {
  Page page(model, fmt::format("How good it is on {} labelled pictures · SHA-256 {}", report.images,
                               ToHex(report.model_hash)));
  AddTiles(report, page);
  for (const std::string& warning : report.warnings) page.AddText("Mind: " + warning + ".");
  if (report.labels.size() <= kMatrixOnPage) {
    MatrixChart matrix;
    matrix.label = "Confusion matrix: true classes against decided classes";
    matrix.names = report.labels;
    matrix.counts = report.score.confusion;
    page.AddFigure("Confusion",
                   "Shades are shares of the row: all green on the diagonal is perfect.",
                   matrix.Render());
  }
  AddMistakes(report, page);
  page.AddTable("Classes",
                "Precision: of those taken for the class, right. Recall: of the class, found.",
                ClassTable(report.labels, report.score));
  if (report.positive >= 0) {
    page.AddFigure(
        "Threshold",
        fmt::format("What reporting {} from another probability on would give.",
                    PositiveLabel(report)),
        {{"by threshold", ThresholdChart(report).Render()}, {"ROC", RocChart(report).Render()}});
    page.AddFigure("Probabilities", "The further apart the two colours, the easier any threshold.",
                   ProbabilityChart(report).Render());
  }
  page.AddFigure(
      "Calibration",
      fmt::format("Whether 80 % means 80 %: dots on the line are honest. Off by {} on average.",
                  Percent(report.calibration_error)),
      CalibrationChart(report).Render());
  if (!report.skipped.empty()) {
    Table table({{"picture", false, true}, {"reason", false, true}});
    for (const Skipped& s : report.skipped) table.Add({Printable(s.file.string()), s.reason});
    page.AddFolded(fmt::format("{} pictures left out", report.skipped.size()), table);
  }
  return page.Finish();
}

}  // namespace fogline::cli
