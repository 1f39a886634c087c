#include "frame/answer.h"

#include <algorithm>
#include <string_view>

namespace fogline {
namespace {

/// Whether an error is about what the device sent, named as it named it.
bool IsDevices(std::string_view where) {
  constexpr std::string_view kNames[] = {"frame", "JSON frame", "findings", "cloud"};
  return std::ranges::find(kNames, where) != std::end(kNames) || where.starts_with("model ") ||
         where.starts_with("bundle ");
}

}  // namespace

std::string ReasonFor(AckStatus status, const Error& error) {
  // Of an internal error nobody knows whose words it repeats.
  if (error.code != ErrorCode::kInternal && IsDevices(error.where)) return error.ToString();
  return fmt::format("the cloud cannot take it{} ({}); its log says why",
                     status == AckStatus::kRefused ? "" : " now", ReasonWord(error.code));
}

}  // namespace fogline
