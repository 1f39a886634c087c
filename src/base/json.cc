#include "base/json.h"

#include <algorithm>

namespace fogline {

Result<Json> ParseJson(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    std::string why = e.what();
    std::ranges::replace(why, '\n', ' ');
    return Fail(ErrorCode::kInvalid, where, "{}", why);
  }
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fogline
