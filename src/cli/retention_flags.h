// --keep and its like: how much a store may hold.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "store/store.h"

namespace fogline::cli {

struct RetentionFlags {
  std::string age;
  uint64_t rows = 0, bytes = 0, device_rows = 0, device_bytes = 0;
};
/// --keep, --keep-rows, --keep-bytes, and the last two of one device.
void AddRetentionFlags(Command& command, RetentionFlags& flags);
Result<Retention> ToRetention(const RetentionFlags& flags);

}  // namespace fogline::cli
