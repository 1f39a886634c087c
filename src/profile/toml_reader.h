// Reads checked values out of one table of a TOML file, with errors that name the key.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// Parses TOML; the parser's exception becomes one line with the position.
Result<toml::table> ParseToml(std::string_view text, const std::string& where);

class TomlReader {
 public:
  /// `prefix` is put before keys in errors: "compute." for the table [compute].
  TomlReader(const toml::table& table, std::string where, std::string prefix = {})
      : table_(table), where_(std::move(where)), prefix_(std::move(prefix)) {}

  /// A number of at least `least`. kInvalid when the key is missing.
  Result<double> Number(std::string_view key, double least) const;
  /// The same with a value for a missing key.
  Result<double> NumberOr(std::string_view key, double least, double fallback) const;
  /// A string, empty when the key is missing.
  Result<std::string> Text(std::string_view key) const;
  /// A sub-table, or nullptr.
  const toml::table* Table(std::string_view key) const { return table_[key].as_table(); }

 private:
  const toml::table& table_;
  std::string where_, prefix_;
};

}  // namespace fogline
