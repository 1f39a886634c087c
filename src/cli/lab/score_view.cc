#include "cli/lab/score_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace fogline::cli {
namespace {

constexpr size_t kMatrixClasses = 12;  // a wider confusion matrix fits no terminal

Cell Percent(double share, bool known) {
  return known ? Cell(fmt::format("{:.1f} %", 100 * share), share) : Cell("–", -1);
}

Cell Count(size_t count) { return {std::to_string(count), static_cast<double>(count)}; }

}  // namespace

Table ClassTable(const std::vector<std::string>& labels, const Score& score) {
  const bool matrix = labels.size() <= kMatrixClasses;
  std::vector<Table::Column> columns{{"class", false, true},
                                     {"pictures", true},
                                     {"precision", true},
                                     {"recall", true},
                                     {"F1", true}};
  if (matrix) {
    for (const std::string& label : labels) columns.push_back({"→ " + Printable(label), true});
  }
  Table table(std::move(columns));
  for (size_t c = 0; c < labels.size(); ++c) {
    const ClassScore& s = score.classes[c];
    std::vector<Cell> cells{Printable(labels[c]), Count(s.support),
                            Percent(s.precision, s.predicted > 0), Percent(s.recall, s.support > 0),
                            Percent(s.f1, s.support + s.predicted > 0)};
    if (matrix) {
      for (const size_t count : score.confusion[c]) cells.push_back(Count(count));
    }
    table.Add(std::move(cells));
  }
  return table;
}

Table MistakeTable(const std::vector<std::string>& labels, const std::vector<Prediction>& mistakes,
                   size_t most) {
  Table table({{"picture", false, true}, {"is"}, {"taken for"}, {"with", true}});
  for (size_t i = 0; i < std::min(most, mistakes.size()); ++i) {
    const Prediction& p = mistakes[i];
    const double sure = p.probabilities[static_cast<size_t>(p.decided)];
    table.Add({Printable(p.sample.file.string()),
               Printable(labels[static_cast<size_t>(p.sample.label)]),
               Printable(labels[static_cast<size_t>(p.decided)]), Percent(sure, true)});
  }
  return table;
}

Json ClassesToJson(const std::vector<std::string>& labels, const Score& score) {
  Json list = Json::array();
  for (size_t c = 0; c < labels.size(); ++c) {
    const ClassScore& s = score.classes[c];
    list.push_back({{"label", labels[c]},
                    {"images", s.support},
                    {"predicted", s.predicted},
                    {"correct", s.correct},
                    {"precision", s.predicted > 0 ? Json(s.precision) : Json()},
                    {"recall", s.support > 0 ? Json(s.recall) : Json()},
                    {"f1", s.support + s.predicted > 0 ? Json(s.f1) : Json()}});
  }
  return list;
}

Json MistakesToJson(const std::vector<std::string>& labels,
                    const std::vector<Prediction>& predictions) {
  Json list = Json::array();
  for (const Prediction& p : Mistakes(predictions)) {
    list.push_back({{"file", p.sample.file.string()},
                    {"label", labels[static_cast<size_t>(p.sample.label)]},
                    {"decided", labels[static_cast<size_t>(p.decided)]},
                    {"probability", p.probabilities[static_cast<size_t>(p.decided)]},
                    {"probability_of_label", p.of_truth()}});
  }
  return list;
}

void StageProgress::Advance(std::string_view stage, size_t total) {
  if (line_ == nullptr || stage_ != stage) {
    line_.reset();
    stage_ = stage;
    line_ = std::make_unique<Progress>(stage_, total);
  }
  line_->Advance();
}

}  // namespace fogline::cli
