// The query of a request: every parameter known, in range, and given at most as often as it may be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/filter.h"

namespace fogline {

/// A target taken apart and percent-decoded. Reading marks a parameter as known; Finish() refuses
/// what nobody has read, so that a mistyped filter is an error and not a filter left out.
class Parameters {
 public:
  /// kUsage for broken percent-encoding, invalid UTF-8, more than 64 parameters, or a value of more
  /// than 1,024 bytes.
  static Result<Parameters> Parse(std::string_view target);

  const std::string& path() const { return path_; }

  /// Decimal; kUsage outside [low, high] or when given twice. `fallback` when absent.
  Result<int64_t> Integer(std::string_view name, int64_t low, int64_t high, int64_t fallback);
  /// Milliseconds since 1970, a date, or a time of RFC 3339; gives microseconds.
  Result<int64_t> Time(std::string_view name, int64_t fallback);
  Result<double> Number(std::string_view name, double low, double high, double fallback);
  /// 1/true, 0/false.
  Result<bool> Flag(std::string_view name);
  /// One of `choices`; the first when absent.
  Result<std::string> Choice(std::string_view name, const std::vector<std::string>& choices);
  Result<std::string> Text(std::string_view name);
  /// Every value given under a name, at most 32.
  Result<std::vector<std::string>> List(std::string_view name);
  bool Has(std::string_view name) const;

  /// box=west,south,east,north (west > east crosses the 180th meridian), from, to (see Time),
  /// min_score, max_score, positive, label*, device*, mechanism*, found* (labels of
  /// boxes), found_least, found_score, after, before (ids).
  Result<Filter> ReadFilter();

  /// kUsage, with the nearest known name, for a parameter that nobody has read.
  Status Finish() const;

 private:
  struct Entry {
    std::string name, value;
  };
  Result<const std::string*> Single(std::string_view name);

  std::string path_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
};

}  // namespace fogline
