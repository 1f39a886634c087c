#include "base/toml_reader.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace fogline {

Result<double> TomlReader::NumberOr(std::string_view key, double least, double fallback) const {
  if (!table_.Has(key)) return fallback;
  return Number(key, least);
}

Result<double> TomlReader::Number(std::string_view key, double least) const {
  const Toml& node = table_[key];
  if (node.is_none()) {
    return Fail(ErrorCode::kInvalid, where_, "lacks the number '{}{}'", prefix_, key);
  }
  const auto value = node.number();
  if (!value || !std::isfinite(*value)) {
    return Fail(ErrorCode::kInvalid, where_, "'{}{}' is not a number", prefix_, key);
  }
  if (*value < least) {
    return Fail(ErrorCode::kInvalid, where_, "'{}{}' is {}, less than {}", prefix_, key, *value,
                least);
  }
  return *value;
}

Result<std::string> TomlReader::Text(std::string_view key) const {
  const Toml& node = table_[key];
  if (node.is_none()) return std::string();
  auto value = node.text();
  if (!value) return Fail(ErrorCode::kInvalid, where_, "'{}{}' is not a text", prefix_, key);
  return *std::move(value);
}

const Toml* TomlReader::Table(std::string_view key) const {
  const Toml& node = table_[key];
  return node.is_table() ? &node : nullptr;
}

Status TomlReader::OnlyKeys(std::span<const std::string> known) const {
  for (const auto& [key, value] : table_.table()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return Fail(ErrorCode::kInvalid, where_, "unknown key '{}{}' on line {}{}", prefix_, key,
                value.line(), DidYouMean(key, known));
  }
  return {};
}

}  // namespace fogline
