// Reads the tables of a model's card.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "base/toml.h"

namespace fogline {

/// Numbers of a list that are all within [low, high]; nothing for anything else.
inline std::optional<std::vector<double>> NumbersWithin(const Toml& node, double low, double high,
                                                        size_t most) {
  if (!node.is_list() || node.list().empty() || node.list().size() > most) return {};
  std::vector<double> numbers;
  for (const Toml& entry : node.list()) {
    const auto value = entry.number();
    if (!value || !(*value >= low && *value <= high)) return {};
    numbers.push_back(*value);
  }
  return numbers;
}

/// Reads keys of one TOML table; the first problem is kept and everything after it is skipped.
class CardReader {
 public:
  CardReader(const Toml& table, std::string prefix, std::string where, Status& status)
      : table_(table), prefix_(std::move(prefix)), where_(std::move(where)), status_(status) {}

  /// Refuses keys that nothing reads: a mistyped one would otherwise be ignored silently.
  void Known(const std::vector<std::string>& keys) {
    for (const auto& [name, value] : table_.table()) {
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        Set("unknown key '" + prefix_ + name + "'" + DidYouMean(name, keys));
      }
    }
  }
  void Text(const char* key, std::string& out) {
    if (const auto* node = Find(key)) {
      if (const auto value = node->text()) {
        out = *value;
      } else {
        Wrong(key, "a text");
      }
    }
  }
  void Number(const char* key, double low, double high, double& out) {
    if (const auto* node = Find(key)) {
      const auto value = node->number();
      if (!value || !(*value >= low && *value <= high)) {
        return Wrong(key, fmt::format("a number from {} to {}", low, high));
      }
      out = *value;
    }
  }
  void Whole(const char* key, int low, int high, int& out) {
    double value = out;
    Number(key, low, high, value);
    if (value != static_cast<int>(value)) Wrong(key, "a whole number");
    out = static_cast<int>(value);
  }
  /// The place of a text among `words`, which stand in `out` as they are.
  template <typename Word>
  void OneOf(const char* key, const std::vector<std::pair<std::string, Word>>& words, Word& out) {
    std::string text, known;
    Text(key, text);
    if (Find(key) == nullptr) return;
    for (const auto& [word, meaning] : words) {
      if (word == text) {
        out = meaning;
        return;
      }
      known += (known.empty() ? "\"" : ", \"") + word + "\"";
    }
    const size_t last = known.rfind(", ");
    if (last != std::string::npos) known.replace(last, 2, " or ");
    Wrong(key, known);
  }
  /// One number for all channels, or one for each.
  void PerChannel(const char* key, int channels, bool nonzero, std::array<float, 4>& out) {
    const auto* node = Find(key);
    if (node == nullptr) return;
    const auto wrong = [&] {
      Wrong(key,
            fmt::format("a number, or {} of them{}", channels, nonzero ? ", none of them 0" : ""));
    };
    if (node->is_list() && node->list().size() != static_cast<size_t>(channels)) return wrong();
    for (size_t i = 0; i < static_cast<size_t>(channels); ++i) {
      const auto value = (node->is_list() ? node->list()[i] : *node).number();
      if (!value || (nonzero && *value == 0)) return wrong();
      out[i] = static_cast<float>(*value);
    }
  }
  const Toml* Find(const char* key) const {
    return status_ && table_.Has(key) ? &table_[key] : nullptr;
  }
  void Wrong(const char* key, const std::string& wanted) {
    Set("'" + prefix_ + key + "' must be " + wanted);
  }
  void Set(const std::string& message) {
    if (status_) status_ = Fail(ErrorCode::kInvalid, where_, "{}", message);
  }

 private:
  const Toml& table_;
  std::string prefix_, where_;
  Status& status_;
};

}  // namespace fogline
