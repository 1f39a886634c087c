// Refuses keys that a table does not have, so that a typing error is not a silent default.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "profile/toml_reader.h"

namespace fogline {

/// kInvalid for the first key of `table` that is not in `known`, with the nearest that is.
/// `prefix` stands before the key in the message: "pool.".
inline Status OnlyKeys(const toml::table& table, std::span<const std::string> known,
                       const std::string& where, const std::string& prefix = {}) {
  for (const auto& [key, value] : table) {
    const std::string name(key.str());
    bool found = false;
    for (const std::string& k : known) found = found || k == name;
    if (!found) {
      return Fail(ErrorCode::kInvalid, where, "unknown key '{}{}' on line {}{}", prefix, name,
                  value.source().begin.line, DidYouMean(name, known));
    }
  }
  return {};
}

}  // namespace fogline
