#include "web/ogc_time.h"

#include <charconv>
#include <ctime>
#include <limits>

namespace fogline {
namespace {

constexpr int64_t kUsInMs = 1'000;

/// The next `digits` of a text as a number, and the character that follows them, if one must.
std::optional<int> TakeNumber(std::string_view& text, size_t digits, char then = 0) {
  const size_t length = digits + (then == 0 ? 0 : 1);
  if (text.size() < length) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc() || end != text.data() + digits || text.front() == '-') {
    return std::nullopt;
  }
  if (then != 0 && text[digits] != then && !(then == 'T' && text[digits] == 't')) {
    return std::nullopt;
  }
  text.remove_prefix(length);
  return value;
}

/// "Z", "+01:00": minutes east of Greenwich, the end of the text.
std::optional<int> TakeZone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '+' ? 1 : -1;
  text.remove_prefix(1);
  const auto hours = TakeNumber(text, 2, ':'), minutes = TakeNumber(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::optional<int64_t> ParseInstant(std::string_view text) {
  const auto year = TakeNumber(text, 4, '-'), month = TakeNumber(text, 2, '-');
  const auto day = TakeNumber(text, 2, 'T'), hour = TakeNumber(text, 2, ':');
  const auto minute = TakeNumber(text, 2, ':'), second = TakeNumber(text, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 ||
      *second > 60) {
    return std::nullopt;
  }
  int64_t ms = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    size_t digits = 0;
    for (int64_t unit = 100; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
         ++digits, unit /= 10) {
      ms += unit * (text[digits] - '0');
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  const auto zone = TakeZone(text);
  if (!zone) return std::nullopt;
  std::tm utc{};
  utc.tm_year = *year - 1900;
  utc.tm_mon = *month - 1;
  utc.tm_mday = *day;
  utc.tm_hour = *hour;
  utc.tm_min = *minute;
  const int64_t seconds = timegm(&utc) + *second;
  if (utc.tm_mday != *day) return std::nullopt;  // the 30th of February
  return (seconds - int64_t{60} * *zone) * 1'000'000 + ms * kUsInMs;
}

Result<TimeSpan> ParseOgcTime(std::string_view text) {
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "datetime",
                "must be a time as 2026-03-01T12:34:56Z, or two with a slash between, '..' for an "
                "open end");
  };
  const size_t slash = text.find('/');
  const auto open = [](std::string_view end) { return end.empty() || end == ".."; };
  TimeSpan span{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  const std::string_view first = text.substr(0, slash);
  const std::string_view last = slash == text.npos ? first : text.substr(slash + 1);
  if (slash == text.npos && open(text)) return bad();
  if (!open(first)) {
    const auto from = ParseInstant(first);
    if (!from) return bad();
    span.from_us = *from;
  }
  if (!open(last)) {
    const auto to = ParseInstant(last);
    if (!to) return bad();
    span.to_us = *to + kUsInMs;
  }
  if (span.from_us >= span.to_us) return bad();
  return span;
}

}  // namespace fogline
