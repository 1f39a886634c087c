#include "vision/class_name.h"

#include <charconv>
#include <string>

namespace fogline {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

}  // namespace

std::optional<int> ClassLabelled(std::string_view name, const ModelCard& card) {
  for (const bool any_case : {false, true}) {
    for (size_t c = 0; c < card.labels.size(); ++c) {
      if (any_case ? Lower(card.labels[c]) == Lower(name) : card.labels[c] == name) {
        return static_cast<int>(c);
      }
    }
  }
  return std::nullopt;
}

std::optional<int> ClassNumbered(std::string_view name, size_t classes) {
  if (name.starts_with("class ")) name.remove_prefix(6);
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number >= classes) return {};
  return static_cast<int>(number);
}

}  // namespace fogline
