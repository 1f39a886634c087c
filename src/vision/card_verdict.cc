#include "vision/card_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "vision/findings.h"

namespace fogline {
namespace {

constexpr size_t kMostCorners = 256;
constexpr double kMostNumber = 1e300;

struct VerdictKey {
  const char* word;
  ModelCard::Kind kind;
};
using CardKind = ModelCard::Kind;
constexpr std::array kVerdictKeys{
    VerdictKey{"classes", CardKind::kBoxes},     VerdictKey{"least_score", CardKind::kBoxes},
    VerdictKey{"least_count", CardKind::kBoxes}, VerdictKey{"region", CardKind::kBoxes},
    VerdictKey{"classes", CardKind::kMask},      VerdictKey{"least_share", CardKind::kMask},
    VerdictKey{"number", CardKind::kNumbers},    VerdictKey{"least", CardKind::kNumbers},
    VerdictKey{"most", CardKind::kNumbers}};

/// Whether any key is there; one of another kind than the card's is refused.
bool IsGiven(CardReader& verdict, const ModelCard& card) {
  std::vector<std::string> known, own;
  for (const VerdictKey& key : kVerdictKeys) {
    known.emplace_back(key.word);
    if (key.kind == card.kind) own.emplace_back(key.word);
  }
  verdict.Known(known);
  bool given = false;
  for (const std::string& key : known) {
    if (verdict.Find(key.c_str()) == nullptr) continue;
    given = true;
    if (own.empty()) {
      verdict.Set(
          "[verdict] is for networks of boxes, masks and numbers; others have 'output.positive' "
          "and 'output.threshold'");
    } else if (std::ranges::find(own, key) == own.end()) {
      verdict.Set(
          fmt::format("'verdict.{}' is for another kind of output; of this one there are "
                      "{}",
                      key, fmt::join(own, ", ")));
    }
  }
  return given;
}

void ReadClasses(CardReader& verdict, ModelCard& card) {
  const Toml* node = verdict.Find("classes");
  if (node == nullptr) return;
  for (const Toml& entry : node->list()) {
    const std::string label = entry.text().value_or("");
    if (!card.labels.empty() && std::ranges::find(card.labels, label) == card.labels.end()) {
      return verdict.Set("'verdict.classes' names '" + label + "', which is not among the labels" +
                         DidYouMean(label, card.labels));
    }
    card.verdict.classes.push_back(label);
  }
  if (card.verdict.classes.empty()) verdict.Wrong("classes", "a list of labels");
}

void ReadRegion(CardReader& verdict, VerdictRules& rules) {
  const Toml* node = verdict.Find("region");
  if (node == nullptr) return;
  for (const Toml& corner : node->list()) {
    const auto point = NumbersWithin(corner, 0, 1, 2);
    if (!point || point->size() != 2) break;
    rules.region.push_back({(*point)[0], (*point)[1]});
  }
  if (rules.region.size() < 3 || rules.region.size() != node->list().size() ||
      rules.region.size() > kMostCorners) {
    verdict.Wrong("region",
                  "three corners or more in parts of the picture, as in [[0, 0.5], "
                  "[1, 0.5], [1, 1], [0, 1]]");
  }
}

void ReadLimit(CardReader& verdict, const char* key, std::optional<double>& limit) {
  if (verdict.Find(key) == nullptr) return;
  double value = 0;
  verdict.Number(key, -kMostNumber, kMostNumber, value);
  limit = value;
}

void ReadLimits(CardReader& verdict, ModelCard& card) {
  VerdictRules& rules = card.verdict;
  verdict.Text("number", rules.number);
  ReadLimit(verdict, "least", rules.least);
  ReadLimit(verdict, "most", rules.most);
  if (rules.number.empty()) return verdict.Wrong("number", "the name of one of the numbers");
  if (!card.labels.empty() && std::ranges::find(card.labels, rules.number) == card.labels.end()) {
    return verdict.Set("'verdict.number' is '" + rules.number + "', which is not among the labels" +
                       DidYouMean(rules.number, card.labels));
  }
  if (!rules.least && !rules.most) verdict.Set("'verdict.least' or 'verdict.most' is missing");
}

}  // namespace

void ReadVerdictRules(CardReader& verdict, ModelCard& card) {
  VerdictRules& rules = card.verdict;
  rules.given = IsGiven(verdict, card);
  if (!rules.given) return;
  if (card.kind == CardKind::kNumbers) return ReadLimits(verdict, card);
  ReadClasses(verdict, card);
  verdict.Number("least_score", 0, 1, rules.least_score);
  verdict.Whole("least_count", 1, static_cast<int>(kMaxBoxes), rules.least_count);
  verdict.Number("least_share", 0, 1, rules.least_share);
  ReadRegion(verdict, rules);
}

}  // namespace fogline
