#include "profile/toml_reader.h"

#include <cmath>

#include "base/text.h"

namespace fogline {

Result<toml::table> ParseToml(std::string_view text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& e) {
    return Fail(ErrorCode::kInvalid, where, "line {}: {}", e.source().begin.line,
                Printable(e.description()));  // it quotes line breaks as they are
  }
}

Result<double> TomlReader::NumberOr(std::string_view key, double least, double fallback) const {
  if (!table_.contains(key)) return fallback;
  return Number(key, least);
}

Result<double> TomlReader::Number(std::string_view key, double least) const {
  const auto node = table_[key];
  if (!node) return Fail(ErrorCode::kInvalid, where_, "lacks the number '{}{}'", prefix_, key);
  const auto value = node.value<double>();
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
  const auto node = table_[key];
  if (!node) return std::string();
  const auto value = node.value<std::string>();
  if (!value) return Fail(ErrorCode::kInvalid, where_, "'{}{}' is not a text", prefix_, key);
  return *value;
}

}  // namespace fogline
