// Reads checked values out of one table of a TOML file, with errors that name the file and the key.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/toml.h"

namespace fogline {

class TomlReader {
 public:
  /// `prefix` is put before keys in errors: "compute." for the table [compute]. `table` must
  /// outlive this.
  TomlReader(const Toml& table, std::string where, std::string prefix = {})
      : table_(table), where_(std::move(where)), prefix_(std::move(prefix)) {}

  /// A number of at least `least`. kInvalid when the key is missing.
  Result<double> Number(std::string_view key, double least) const;
  /// The same with a value for a missing key.
  Result<double> NumberOr(std::string_view key, double least, double fallback) const;
  /// A string, empty when the key is missing.
  Result<std::string> Text(std::string_view key) const;
  /// A sub-table, or nullptr.
  const Toml* Table(std::string_view key) const;
  /// kInvalid for the first key that is not in `known`, with the nearest that is: a typing error
  /// shall not be a silent default.
  Status OnlyKeys(std::span<const std::string> known) const;

 private:
  const Toml& table_;
  std::string where_, prefix_;
};

}  // namespace fogline
