#include "vision/card_exits.h"

#include <algorithm>
#include <cmath>

#include "vision/contract.h"

namespace fogline {
namespace {

constexpr size_t kMostExits = 16, kMostSteps = 1000;
constexpr int64_t kMostPictures = 1'000'000'000;

void ReadCounts(CardReader& reader, const char* key, const EarlyExit& exit, size_t steps,
                std::vector<double>& out) {
  const Toml* node = reader.Find(key);
  if (node == nullptr) return reader.Wrong(key, "there");
  auto numbers =
      NumbersWithin(*node, 0, static_cast<double>(exit.pictures), kMostSteps).value_or(out);
  const bool whole = std::ranges::all_of(numbers, [](double v) { return v == std::floor(v); });
  if (numbers.size() != steps || !whole || !std::ranges::is_sorted(numbers)) {
    return reader.Wrong(key, "a number of pictures a threshold, none less than the one before");
  }
  out = std::move(numbers);
}

void ReadSteps(CardReader& reader, EarlyExit& exit) {
  const Toml* node = reader.Find("thresholds");
  if (node == nullptr) return reader.Wrong("thresholds", "there");
  const auto thresholds = NumbersWithin(*node, 0, 1, kMostSteps);
  if (!thresholds ||
      std::ranges::adjacent_find(*thresholds, std::ranges::less_equal{}) != thresholds->end()) {
    return reader.Wrong("thresholds", "numbers from 1 down to 0");
  }
  std::vector<double> sure, differ;
  ReadCounts(reader, "sure", exit, thresholds->size(), sure);
  ReadCounts(reader, "differ", exit, thresholds->size(), differ);
  if (sure.size() != thresholds->size() || differ.size() != sure.size()) return;
  for (size_t i = 0; i < sure.size(); ++i) {
    if (differ[i] > sure[i]) return reader.Wrong("differ", "no more than 'sure'");
    exit.steps.push_back(
        {(*thresholds)[i], static_cast<int64_t>(sure[i]), static_cast<int64_t>(differ[i])});
  }
}

void ReadOne(CardReader& reader, EarlyExit& exit) {
  reader.Known(
      {"at", "head", "network", "measured_on", "pictures", "thresholds", "sure", "differ"});
  reader.Text("at", exit.at);
  reader.Text("head", exit.head);
  reader.Text("network", exit.network);
  reader.Text("measured_on", exit.measured_on);
  const bool hex = exit.network.size() == 64 &&
                   exit.network.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (exit.at.empty()) reader.Wrong("at", "the tensor that its head reads");
  if (exit.head.empty()) reader.Wrong("head", "the output of the network that its head gives");
  if (!hex) reader.Wrong("network", "the SHA-256 of the ONNX file, 64 digits of 0…9 and a…f");
  ReadCounted(reader, exit);
}

}  // namespace

void ReadCounted(CardReader& reader, EarlyExit& exit) {
  double pictures = 0;
  reader.Number("pictures", 1, static_cast<double>(kMostPictures), pictures);
  exit.pictures = static_cast<int64_t>(pictures);
  if (exit.pictures == 0) reader.Wrong("pictures", "how many it was measured on");
  ReadSteps(reader, exit);
}

std::string CountedText(const EarlyExit& exit) {
  std::string text = fmt::format("pictures = {}\n", exit.pictures);
  const auto list = [&](const char* key, auto value) {
    text += fmt::format("{} = [", key);
    for (size_t i = 0; i < exit.steps.size(); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : ", ", exit.steps[i].*value);
    }
    text += "]\n";
  };
  list("thresholds", &GateStep::threshold);
  list("sure", &GateStep::sure);
  list("differ", &GateStep::differ);
  return text;
}

void ReadExits(const Toml& root, const std::string& where, Status& status, ModelCard& card) {
  const Toml& list = root["exit"];
  CardReader top(root, "", where, status);
  if (list.is_none()) return;
  if (!list.is_list() || list.list().size() > kMostExits) {
    return top.Wrong("exit", fmt::format("[[exit]] tables, {} at most", kMostExits));
  }
  if (!IsClasses(card.kind)) {
    return top.Set("[[exit]] is for classifiers: 'output.kind' is to be logits or probabilities");
  }
  for (const Toml& table : list.list()) {
    CardReader reader(table, "exit.", where, status);
    EarlyExit exit;
    ReadOne(reader, exit);
    const auto same = [&](const EarlyExit& other) {
      return other.at == exit.at || other.head == exit.head;
    };
    if (std::ranges::any_of(card.exits, same) || exit.head == card.output) {
      reader.Set("two exits are at '" + exit.at + "', or read from '" + exit.head + "'");
    }
    card.exits.push_back(std::move(exit));
  }
}

}  // namespace fogline
