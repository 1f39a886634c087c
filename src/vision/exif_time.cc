#include "vision/exif_time.h"

#include <algorithm>
#include <chrono>

namespace fogline {
namespace {

/// Reads a text from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  bool Take(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_[0]) == any_of.npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  void SkipBlanks() {
    while (Take(" ")) {
    }
  }
  /// A number of `least` to `most` digits; -1 when there is none.
  int Digits(size_t least, size_t most) {
    int value = 0;
    size_t n = 0;
    for (; n < most && n < text_.size() && text_[n] >= '0' && text_[n] <= '9'; ++n) {
      value = value * 10 + (text_[n] - '0');
    }
    if (n < least) return -1;
    text_.remove_prefix(n);
    return value;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

std::string_view Trimmed(std::string_view text) {
  const size_t end = text.find('\0');
  text = text.substr(0, end);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<int64_t> ToMicros(int year, int month, int day, int hour, int minute, int second) {
  namespace chr = std::chrono;
  const chr::year_month_day date{chr::year(year), chr::month(static_cast<unsigned>(month)),
                                 chr::day(static_cast<unsigned>(day))};
  const bool clock = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                     second <= 60;  // leap seconds
  if (!date.ok() || !clock) return std::nullopt;
  const int64_t days = chr::sys_days(date).time_since_epoch().count();
  return (days * 86400 + hour * 3600 + minute * 60 + second) * 1'000'000;
}

std::optional<int32_t> ParseUtcOffset(std::string_view text) {
  Scanner scan(Trimmed(text));
  if (scan.Take("Zz")) return scan.done() ? std::optional<int32_t>(0) : std::nullopt;
  const bool behind = scan.rest().starts_with('-');
  if (!scan.Take("+-")) return std::nullopt;
  const int hours = scan.Digits(1, 2);
  const bool colon = scan.Take(":");
  const int minutes = scan.done() && !colon ? 0 : scan.Digits(2, 2);
  if (hours < 0 || minutes < 0 || minutes >= 60 || !scan.done()) return std::nullopt;
  const int32_t seconds = hours * 3600 + minutes * 60;
  if (seconds > 15 * 3600) return std::nullopt;
  return behind ? -seconds : seconds;
}

std::optional<CameraTime> ParseCameraTime(std::string_view text) {
  Scanner scan(Trimmed(text));
  const int year = scan.Digits(4, 4);
  if (!scan.Take(":-/.")) return std::nullopt;
  const int month = scan.Digits(1, 2);
  if (!scan.Take(":-/.")) return std::nullopt;
  const int day = scan.Digits(1, 2);
  if (year < 1900 || year > 2099 || month < 1 || day < 1 || !scan.Take(" Tt")) return std::nullopt;
  scan.SkipBlanks();
  const int hour = scan.Digits(1, 2);
  if (!scan.Take(":")) return std::nullopt;
  const int minute = scan.Digits(1, 2);
  // Seconds may be left out.
  const int second = scan.Take(":") ? scan.Digits(1, 2) : 0;
  const auto whole = ToMicros(year, month, day, hour, minute, second);
  if (!whole) return std::nullopt;
  CameraTime time;
  time.local_us = *whole;
  if (scan.Take(".,")) {
    for (int64_t unit = 100'000; !scan.done(); unit /= 10) {
      const int digit = scan.Digits(1, 1);
      if (digit < 0) break;
      time.local_us += digit * unit;
    }
  }
  scan.SkipBlanks();
  if (!scan.done()) {
    time.offset_s = ParseUtcOffset(scan.rest());
    if (!time.offset_s) return std::nullopt;
  }
  return time;
}

bool IsBlankTime(std::string_view text) {
  text = Trimmed(text);
  return std::ranges::all_of(text, [](char c) {
    return c == ' ' || c == '0' || c == ':' || c == '-' || c == '/' || c == 'T' || c == 'Z' ||
           c == '.' || c == '+';
  });
}

}  // namespace fogline
