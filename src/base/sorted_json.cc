#include "base/sorted_json.h"

#include "base/json.h"

namespace fogline {

Result<SortedJson> ParseSortedJson(std::string_view text, const std::string& where) {
  SortedJson parsed = SortedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Fail(ErrorCode::kInvalid, where, "is no JSON");
  return parsed;
}

}  // namespace fogline
