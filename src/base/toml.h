// TOML, read in one place: the parser is compiled there once, what it read is a plain tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace fogline {

/// One value of a TOML file: a text, a number, a list, a table, or none.
class Toml {
 public:
  using List = std::vector<Toml>;
  using Table = std::vector<std::pair<std::string, Toml>>;  // by key, in alphabetical order

  /// Errors: kInvalid with `where`, the line, and what is wrong there; also for what is deeper or
  /// larger than any file of ours (base/toml_depth.h).
  static Result<Toml> Parse(std::string_view text, const std::string& where);

  /// What is looked for in a value that has no such key or place is none.
  const Toml& operator[](std::string_view key) const;
  const Toml& operator[](size_t place) const;
  bool Has(std::string_view key) const { return !(*this)[key].is_none(); }

  bool is_none() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_table() const { return std::holds_alternative<Table>(value_); }
  /// Empty where this is none.
  const List& list() const;
  const Table& table() const;

  // Nothing where this is something else.
  std::optional<std::string> text() const;
  std::optional<double> number() const;  // a whole one too
  std::optional<int64_t> whole() const;  // a number without a fraction
  std::optional<bool> yes() const;

  /// The line that it begins on, from 1.
  int line() const { return line_; }

 private:
  friend class TomlBuilder;
  struct Other {};  // a date or a time
  std::variant<std::monostate, std::string, int64_t, double, bool, List, Table, Other> value_;
  int line_ = 0;
};

}  // namespace fogline
