#include "base/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/toml_depth.h"

namespace fogline {
namespace {

const Toml kNone;

/// Whole numbers are exact as a double up to here.
constexpr int64_t kExact = int64_t{1} << 53;

}  // namespace

class TomlBuilder {
 public:
  static Toml Make(const toml::node& node) {
    Toml made;
    made.line_ = static_cast<int>(node.source().begin.line);
    if (const toml::table* table = node.as_table()) {
      Toml::Table& entries = made.value_.emplace<Toml::Table>();
      for (const auto& [key, value] : *table) entries.emplace_back(key.str(), Make(value));
    } else if (const toml::array* array = node.as_array()) {
      Toml::List& items = made.value_.emplace<Toml::List>();
      for (const toml::node& item : *array) items.push_back(Make(item));
    } else if (const auto* text = node.as_string()) {
      made.value_ = text->get();
    } else if (const auto* whole = node.as_integer()) {
      made.value_ = whole->get();
    } else if (const auto* number = node.as_floating_point()) {
      made.value_ = number->get();
    } else if (const auto* yes = node.as_boolean()) {
      made.value_ = yes->get();
    } else {
      made.value_ = Toml::Other{};
    }
    return made;
  }
};

Result<Toml> Toml::Parse(std::string_view text, const std::string& where) {
  FOGLINE_CHECK(CheckTomlDepth(text, where));
  try {
    return TomlBuilder::Make(toml::parse(text, where));
  } catch (const toml::parse_error& e) {
    return Fail(ErrorCode::kInvalid, where, "line {}: {}", e.source().begin.line,
                Printable(e.description()));  // it quotes line breaks as they are
  }
}

const Toml& Toml::operator[](std::string_view key) const {
  const Table& entries = table();
  const auto at = std::ranges::find(entries, key, &Table::value_type::first);
  return at == entries.end() ? kNone : at->second;
}

const Toml& Toml::operator[](size_t place) const {
  return place < list().size() ? list()[place] : kNone;
}

const Toml::List& Toml::list() const {
  static const List kEmpty;
  const List* held = std::get_if<List>(&value_);
  return held != nullptr ? *held : kEmpty;
}

const Toml::Table& Toml::table() const {
  static const Table kEmpty;
  const Table* held = std::get_if<Table>(&value_);
  return held != nullptr ? *held : kEmpty;
}

std::optional<std::string> Toml::text() const {
  const auto* held = std::get_if<std::string>(&value_);
  return held != nullptr ? std::optional(*held) : std::nullopt;
}

std::optional<double> Toml::number() const {
  if (const auto* held = std::get_if<double>(&value_)) return *held;
  const auto* held = std::get_if<int64_t>(&value_);
  if (held == nullptr || *held < -kExact || *held > kExact) return std::nullopt;
  return static_cast<double>(*held);
}

std::optional<int64_t> Toml::whole() const {
  if (const auto* held = std::get_if<int64_t>(&value_)) return *held;
  const auto* held = std::get_if<double>(&value_);
  const bool exact = held != nullptr && std::abs(*held) <= static_cast<double>(kExact) &&
                     *held == std::floor(*held);
  return exact ? std::optional(static_cast<int64_t>(*held)) : std::nullopt;
}

std::optional<bool> Toml::yes() const {
  if (const auto* held = std::get_if<bool>(&value_)) return *held;
  const auto* held = std::get_if<int64_t>(&value_);
  return held != nullptr ? std::optional(*held != 0) : std::nullopt;
}

}  // namespace fogline
