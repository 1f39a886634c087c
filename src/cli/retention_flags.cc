#include "cli/retention_flags.h"

#include <charconv>

namespace fogline::cli {
namespace {

constexpr double kMostDays = 36'500;

/// "90d", "12h", "2w", "1y".
Result<std::chrono::microseconds> ParseAge(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  double days = 0;  // of the unit
  if (error == std::errc() && end + 1 == text.data() + text.size()) {
    days = *end == 'h' ? 1.0 / 24 : *end == 'd' ? 1 : *end == 'w' ? 7 : *end == 'y' ? 365 : 0;
  }
  const double whole = number * days;
  if (!(whole > 0 && whole <= kMostDays)) {
    return Fail(ErrorCode::kUsage, "--keep " + text,
                "is no time up to 100y; write it as 12h, 90d, 8w or 1y");
  }
  return std::chrono::microseconds(static_cast<int64_t>(whole * 86'400e6));
}

}  // namespace

void AddRetentionFlags(Command& command, RetentionFlags& flags) {
  command
      .Add("--keep", flags.age, "forget detections that were stored longer ago: 12h, 90d, 8w, 1y")
      .Type("TIME");
  command.Add("--keep-rows", flags.rows, "forget the oldest detections beyond so many")
      .Range(uint64_t{1}, uint64_t{1} << 53);
  command
      .Add("--keep-bytes", flags.bytes,
           "forget the oldest detections beyond this size of the store, or when there is no "
           "room for more, e.g. 20GB")
      .Size()
      .Range(uint64_t{1'000'000}, uint64_t{1} << 53);
  command
      .Add("--keep-device-rows", flags.device_rows,
           "of one device, delete the oldest detections beyond so many")
      .Range(uint64_t{1}, uint64_t{1} << 53);
  command
      .Add("--keep-device-bytes", flags.device_bytes,
           "of one device, delete the oldest detections beyond so much: some 200 bytes each, what "
           "was found, and pictures; e.g. 100MB")
      .Size()
      .Range(uint64_t{10'000}, uint64_t{1} << 53);
}

Result<Retention> ToRetention(const RetentionFlags& flags) {
  Retention keep{.rows = flags.rows,
                 .bytes = flags.bytes,
                 .device_rows = flags.device_rows,
                 .device_bytes = flags.device_bytes};
  if (!flags.age.empty()) {
    FOGLINE_TRY(keep.age, ParseAge(flags.age));
  }
  return keep;
}

}  // namespace fogline::cli
