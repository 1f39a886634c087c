#include "cloud/crossing.h"

#include <algorithm>

#include "base/text.h"

namespace fogline {
namespace {

template <typename... Args>
tl::unexpected<Error> AtFault(fmt::format_string<Args...> format, Args&&... args) {
  return Fail(ErrorCode::kInvalid, "frame", format, std::forward<Args>(args)...);
}

}  // namespace

Status CheckIs(const Payload& payload, const Port& due) {
  if (payload.dtype == due.dtype && payload.shape == due.shape) return {};
  return AtFault("holds '{}' as {} {} where {} {} is due", due.name, DTypeName(payload.dtype),
                 payload.shape.ToString(), DTypeName(due.dtype), due.shape.ToString());
}

Status MatchTensors(const Frame& frame, const OpenCut& open,
                    std::vector<const Payload*>& carriers) {
  const std::vector<Port>& tensors = open.cut.tensors;
  carriers.assign(tensors.size(), nullptr);
  for (const Payload& payload : frame.payloads) {
    if (payload.role != Role::kActivation) continue;
    const bool only = payload.tensor == 0 && tensors.size() == 1;
    const auto named = std::ranges::find(open.tensors, payload.tensor);
    if (!only && named == open.tensors.end()) {
      return AtFault("holds a tensor {:08x}, which does not cross at '{}'", payload.tensor,
                     open.cut.name);
    }
    const size_t at = only ? 0 : static_cast<size_t>(named - open.tensors.begin());
    const Port& due = tensors[at];
    if (carriers[at] != nullptr) return AtFault("holds tensor '{}' twice", due.name);
    carriers[at] = &payload;
    if (open.cut.is_cloud_only()) continue;
    FOGLINE_CHECK(CheckIs(payload, due));
  }
  const auto missing = std::ranges::find(carriers, nullptr);
  if (missing == carriers.end()) return {};
  return AtFault("lacks tensor '{}', which crosses at '{}'",
                 tensors[static_cast<size_t>(missing - carriers.begin())].name, open.cut.name);
}

}  // namespace fogline
