#include "store/quotas.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "store/retention.h"

namespace fogline {
namespace {

/// Devices that a step serves. Whoever has most is served first.
constexpr size_t kDevicesServed = 16;
constexpr size_t kMostPassed = 1024;

uint64_t Beyond(uint64_t held, uint64_t most) { return most > 0 && held > most ? held - most : 0; }

}  // namespace

Result<DeviceQuotas::Devices> DeviceQuotas::Beyond(Store& store, const Retention& keep) {
  Devices devices;
  FOGLINE_TRY(const Holdings holdings, store.Heaviest(kDevicesServed));
  for (const auto* tallies : {&holdings.by_rows, &holdings.by_bytes}) {
    for (const ValueTally& held : *tallies) {
      const Excess excess{fogline::Beyond(held.count, keep.device_rows),
                          fogline::Beyond(held.stored_bytes, keep.device_bytes)};
      if (excess.rows > 0 || excess.bytes > 0) devices[held.text] = excess;
    }
  }
  return devices;
}

Result<ForgetStep> DeviceQuotas::Step(Store& store, const Retention& keep) {
  ForgetStep step;
  if (!keep.any_of_a_device()) return step;
  FOGLINE_TRY(Devices beyond, Beyond(store, keep));
  if (beyond.empty()) return step;
  step.more = true;
  if (passed_.size() > kMostPassed) passed_.clear();
  uint64_t cursor = std::numeric_limits<uint64_t>::max();
  for (const auto& [device, excess] : beyond) cursor = std::min(cursor, passed_[device]);
  FOGLINE_TRY(const auto rows, store.Query({.after_id = cursor}, Order::kOldestFirst, kRowsLooked));
  std::vector<uint64_t> ids;
  for (const StoredDetection& row : rows) {
    const auto device = beyond.find(row.detection.device);
    if (device != beyond.end()) {
      Excess& excess = device->second;
      // Whether it still holds too much the next step is told.
      if ((excess.rows == 0 && excess.bytes == 0) || ids.size() == kForgetRows) break;
      ids.push_back(row.id);
      excess.rows -= std::min<uint64_t>(excess.rows, 1);
      const uint64_t bytes = row.has_thumbnail ? kMaxThumbnailBytes : kPlainRowBytes;
      excess.bytes -= std::min(excess.bytes, bytes);
    }
    cursor = row.id;
  }
  FOGLINE_TRY(step.rows, store.Delete(ids));
  for (const auto& [device, excess] : beyond) {
    passed_[device] = std::max(passed_[device], cursor);
  }
  if (rows.empty()) step.more = false;  // what it holds is being stored just now
  return step;
}

}  // namespace fogline
