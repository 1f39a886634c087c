#include "cli/lab/eval_boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/lab/score_view.h"
#include "cli/skipped.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

constexpr size_t kClassesPrinted = 25;

double PartOf(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json BoxesToJson(const BoxEvaluateOptions& options, const BoxEvaluateReport& report,
                 double seconds) {
  Json classes = Json::array(), pictures = Json::array();
  for (const ClassPrecision& c : report.precision.classes) {
    classes.push_back(
        {{"label", c.label}, {"objects", c.truth}, {"ap50", c.ap50}, {"ap50_95", c.ap50_95}});
  }
  for (const BoxPicture& p : report.pictures) {
    pictures.push_back({{"file", p.file.string()},
                        {"hits", p.hits},
                        {"misses", p.misses},
                        {"false_alarms", p.alarms}});
  }
  return {{"images", report.pictures.size()},
          {"map50", report.precision.map50},
          {"map50_95", report.precision.map50_95},
          {"per_class", std::move(classes)},
          {"objects", report.truth},
          {"least_score", report.card.boxes.least_score},
          {"hits", report.hits},
          {"misses", report.truth - report.hits},
          {"false_alarms", report.alarms},
          {"per_image", std::move(pictures)},
          {"skipped", SkippedToJson(report.skipped)},
          {"warnings", report.warnings},
          {"model",
           {{"path", options.model.string()},
            {"sha256", ToHex(report.model_hash)},
            {"layout", NameOf(*report.card.boxes.layout)},
            {"size", {report.card.height, report.card.width}}}},
          {"seconds", seconds}};
}

void PrintBoxes(const BoxEvaluateReport& report) {
  fmt::print("{} pictures, {} objects of {} classes\n", report.pictures.size(), report.truth,
             report.precision.classes.size());
  fmt::print("  mAP at an overlap of 0.5          {:5.1f} %\n", 100 * report.precision.map50);
  fmt::print("  mAP at overlaps of 0.5 to 0.95    {:5.1f} %\n", 100 * report.precision.map50_95);
  fmt::print(
      "  told at a score of {:.2f} or more   {} hits, {} misses, {} false alarms "
      "(recall {:.1f} %, precision {:.1f} %)\n\n",
      report.card.boxes.least_score, report.hits, report.truth - report.hits, report.alarms,
      100 * PartOf(report.hits, report.truth),
      100 * PartOf(report.hits, report.hits + report.alarms));
  fmt::print("{}", BoxClassTable(report, kClassesPrinted).ToText(StdoutStyle()));
  const size_t classes = report.precision.classes.size();
  if (classes > kClassesPrinted) {
    fmt::print("and {} classes more; --json and --html have all\n", classes - kClassesPrinted);
  }
}

}  // namespace

Table BoxClassTable(const BoxEvaluateReport& report, size_t most) {
  Table table({{"class"}, {"objects", true}, {"AP at 0.5", true}, {"AP at 0.5 to 0.95", true}});
  std::vector<ClassPrecision> classes = report.precision.classes;
  std::ranges::stable_sort(classes, std::greater<>(), &ClassPrecision::truth);
  classes.resize(std::min(most, classes.size()));
  for (const ClassPrecision& c : classes) {
    table.Add({Printable(c.label), std::to_string(c.truth), fmt::format("{:.1f} %", 100 * c.ap50),
               fmt::format("{:.1f} %", 100 * c.ap50_95)});
  }
  return table;
}

Status RunBoxEval(const BoxEvaluateOptions& options, const std::filesystem::path& html, bool json) {
  const auto start = std::chrono::steady_clock::now();
  StageProgress progress;
  auto evaluated = EvaluateBoxes(options, [&](std::string_view stage, size_t, size_t total) {
    progress.Advance(stage, total);
  });
  progress.Wipe();
  FOGLINE_TRY(const BoxEvaluateReport report, std::move(evaluated));
  LogSkipped(report.skipped);
  for (const std::string& warning : report.warnings) LogWarning("{}", warning);
  if (!html.empty()) {
    FOGLINE_CHECK(WriteFile(html, BoxEvaluatePage(options.model.filename().string(), report)));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (json) {
    fmt::print("{}\n", Dump(BoxesToJson(options, report, seconds)));
    return {};
  }
  PrintBoxes(report);
  if (!html.empty()) fmt::print("\nwritten to {}\n", html.string());
  return {};
}

}  // namespace fogline::cli
