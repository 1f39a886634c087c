#include "profile/csv_trace.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <span>

#include "base/text.h"

namespace fogline {
namespace {

constexpr double kMostMbps = 1e9;
constexpr double kMostSeconds = 1e10;

/// Blank lines and comments are passed over; `number` counts all of them.
std::string_view TakeRow(std::string_view& text, size_t& number) {
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    ++number;
    if (!line.empty() && line.front() != '#') return line;
  }
  return {};
}

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

/// What separates the columns: whatever the header has most of, blanks if nothing else.
char SeparatorOf(std::string_view header) {
  constexpr char kSeparators[] = {',', ';', '\t'};
  size_t counts[3] = {};
  bool quoted = false;
  for (const char c : header) {
    if (c == '"') quoted = !quoted;
    for (size_t i = 0; i < 3; ++i) counts[i] += !quoted && c == kSeparators[i] ? 1 : 0;
  }
  const size_t* most = std::ranges::max_element(counts);
  return *most == 0 ? ' ' : kSeparators[most - counts];
}

std::vector<std::string_view> Fields(std::string_view row, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    size_t end = 0;
    bool quoted = false;
    for (; end < row.size() && (quoted || row[end] != separator); ++end) {
      if (row[end] == '"') quoted = !quoted;
    }
    std::string_view field = Trim(row.substr(0, end));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = Trim(field.substr(1, field.size() - 2));
    }
    // Several blanks are one separator.
    if (separator != ' ' || !field.empty()) fields.push_back(field);
    if (end >= row.size()) return fields;
    row.remove_prefix(end + 1);
  }
}

std::optional<double> Number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// "DL_bitrate" → dl, bitrate; "uploadMbps" → upload, mbps; "Time (ms)" → time, ms.
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words;
  bool open = false;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (std::isalnum(c) == 0) {
      open = false;
      continue;
    }
    const bool hump =
        i > 0 && std::isupper(c) != 0 && std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (!open || hump) words.emplace_back();
    open = true;
    words.back() += static_cast<char>(std::tolower(c));
  }
  return words;
}

bool AnyOf(const std::vector<std::string>& words, std::span<const std::string_view> wanted) {
  return std::ranges::any_of(
      words, [&](const std::string& w) { return std::ranges::find(wanted, w) != wanted.end(); });
}

// ---- columns of rates

struct RateUnit {
  std::string_view text;
  double mbps;
  std::string_view said;
};

/// Longest first, so that kbps is not read as bps. Of a b and a B the latter means bytes.
constexpr RateUnit kUnits[] = {
    {"Gbit/s", 1e3, "Gbit/s"},  {"Mbits/s", 1, "Mbit/s"},    {"Mbit/s", 1, "Mbit/s"},
    {"mbit/s", 1, "Mbit/s"},    {"kbits/s", 1e-3, "kbit/s"}, {"kbit/s", 1e-3, "kbit/s"},
    {"Kbit/s", 1e-3, "kbit/s"}, {"bytes/s", 8e-6, "B/s"},    {"bits/s", 1e-6, "bit/s"},
    {"bit/s", 1e-6, "bit/s"},   {"Gbps", 1e3, "Gbit/s"},     {"gbps", 1e3, "Gbit/s"},
    {"MBps", 8, "MB/s"},        {"MB/s", 8, "MB/s"},         {"Mbps", 1, "Mbit/s"},
    {"mbps", 1, "Mbit/s"},      {"MBPS", 1, "Mbit/s"},       {"Mb/s", 1, "Mbit/s"},
    {"kBps", 8e-3, "kB/s"},     {"KBps", 8e-3, "kB/s"},      {"kB/s", 8e-3, "kB/s"},
    {"KB/s", 8e-3, "kB/s"},     {"kbps", 1e-3, "kbit/s"},    {"Kbps", 1e-3, "kbit/s"},
    {"KBPS", 1e-3, "kbit/s"},   {"kb/s", 1e-3, "kbit/s"},    {"Kb/s", 1e-3, "kbit/s"},
    {"Bps", 8e-6, "B/s"},       {"B/s", 8e-6, "B/s"},        {"bps", 1e-6, "bit/s"},
    {"b/s", 1e-6, "bit/s"},
};

const RateUnit* UnitIn(std::string_view name) {
  for (const RateUnit& unit : kUnits) {
    const size_t at = name.rfind(unit.text);
    if (at == std::string_view::npos) continue;
    // Not the end of some other word: "uploadMbps", but not "xkbps".
    const bool joined = at > 0 && std::isalpha(static_cast<unsigned char>(name[at - 1])) != 0 &&
                        std::islower(static_cast<unsigned char>(name[at])) != 0;
    if (!joined) return &unit;
  }
  return nullptr;
}

enum class Direction { kUp, kDown, kNone };

struct RateColumn {
  size_t index = 0;
  std::string name;
  Direction direction = Direction::kNone;
  const RateUnit* unit = nullptr;  // nullptr: the name does not say
};

constexpr std::string_view kRateWords[] = {"bitrate", "rate",     "bandwidth", "throughput",
                                           "goodput", "datarate", "capacity"};
constexpr std::string_view kUpWords[] = {"ul", "up", "uplink", "upload", "upstream", "tx"};
constexpr std::string_view kDownWords[] = {"dl",       "down",       "downlink",
                                           "download", "downstream", "rx"};
constexpr RateUnit kKilobits{"", 1e-3, "kbit/s"};
constexpr RateUnit kMegabits{"", 1, "Mbit/s"};

std::optional<RateColumn> RateColumnOf(size_t index, std::string_view name) {
  RateColumn column{index, std::string(name), Direction::kNone, UnitIn(name)};
  std::vector<std::string> words = WordsOf(name);
  // "ULbitrate" is one word to a splitter.
  for (const std::string& word : std::vector<std::string>(words)) {
    for (const std::string_view way : {"ul", "dl", "uplink", "downlink", "upload", "download"}) {
      if (!word.starts_with(way) || word == way) continue;
      const std::string rest = word.substr(way.size());
      if (AnyOf({rest}, kRateWords)) words.insert(words.end(), {std::string(way), rest});
    }
  }
  if (column.unit == nullptr && !AnyOf(words, kRateWords)) return std::nullopt;
  if (AnyOf(words, kUpWords)) column.direction = Direction::kUp;
  if (AnyOf(words, kDownWords)) {
    column.direction = column.direction == Direction::kUp ? Direction::kNone : Direction::kDown;
  }
  if (column.unit == nullptr) {
    const std::string plain = Lower(name);
    // As the 4G and 5G recordings of University College Cork have them.
    if (plain == "ul_bitrate" || plain == "dl_bitrate") column.unit = &kKilobits;
    // As in the form of two columns.
    if (plain == "bandwidth" || plain == "throughput") column.unit = &kMegabits;
  }
  return column;
}

std::string Names(const std::vector<std::string_view>& header) {
  std::string text;
  for (const std::string_view name : header) {
    text += (text.empty() ? "" : ", ") + Printable(name.substr(0, 40));
    if (text.size() > 400) return text + " …";
  }
  return text;
}

Result<RateColumn> PickRate(const std::vector<std::string_view>& header, const std::string& where,
                            const TraceColumns& asked) {
  std::vector<RateColumn> of[3];
  for (size_t i = 0; i < header.size(); ++i) {
    const auto column = RateColumnOf(i, header[i]);
    if (!asked.rate.empty() && Lower(header[i]) == Lower(asked.rate)) {
      return column.value_or(RateColumn{i, std::string(header[i]), Direction::kNone, nullptr});
    }
    if (column) of[static_cast<size_t>(column->direction)].push_back(*column);
  }
  if (!asked.rate.empty()) {
    return Fail(ErrorCode::kInvalid, where, "has no column '{}'; its columns are {}",
                Printable(asked.rate), Names(header));
  }
  for (const Direction way : {Direction::kUp, Direction::kNone}) {
    const auto& found = of[static_cast<size_t>(way)];
    if (found.size() == 1) return found.front();
    if (found.empty()) continue;
    std::vector<std::string_view> names;
    for (const RateColumn& column : found) names.push_back(column.name);
    return Fail(ErrorCode::kInvalid, where,
                "has several columns of rates ({}): say which, as in column={}", Names(names),
                Printable(names.front()));
  }
  if (const auto& down = of[static_cast<size_t>(Direction::kDown)]; !down.empty()) {
    return Fail(ErrorCode::kInvalid, where,
                "holds download rates only; column={} takes '{}' for the uplink all the same",
                Printable(down.front().name), Printable(down.front().name));
  }
  return Fail(ErrorCode::kInvalid, where,
              "has no column of rates (UL_bitrate, bandwidth, Mbps, …); its columns are {}",
              Names(header));
}

Result<double> FactorOf(const RateColumn& column, const std::string& where,
                        const TraceColumns& asked, std::string_view& said) {
  const RateUnit* unit = column.unit;
  if (!asked.unit.empty()) {
    unit = nullptr;
    for (const RateUnit& known : kUnits) {
      if (known.text == asked.unit) unit = &known;
    }
    if (unit == nullptr) {
      return Fail(ErrorCode::kUsage, where, "unit={} is none of kbps, Mbps, Gbps, bps, kB/s, MB/s",
                  Printable(asked.unit));
    }
  }
  if (unit == nullptr) {
    return Fail(ErrorCode::kInvalid, where,
                "column '{}' does not say its unit: add unit=kbps or unit=Mbps",
                Printable(column.name));
  }
  said = unit->said;
  return unit->mbps;
}

// ---- times

struct TimeColumn {
  size_t index = 0;
  bool millis = false;
};

std::optional<TimeColumn> PickTime(const std::vector<std::string_view>& header) {
  constexpr std::string_view kPreferred[] = {
      "timestamp", "datetime", "time", "elapsed", "seconds",      "second", "sec",
      "secs",      "t",        "ms",   "millis",  "milliseconds", "epoch",  "date"};
  constexpr std::string_view kMillis[] = {"ms", "msec", "millis", "milliseconds"};
  for (const std::string_view wanted : kPreferred) {
    for (size_t i = 0; i < header.size(); ++i) {
      const std::vector<std::string> words = WordsOf(header[i]);
      if (std::ranges::find(words, wanted) == words.end()) continue;
      return TimeColumn{i, AnyOf(words, kMillis)};
    }
  }
  return std::nullopt;
}

/// "2018.01.18_16.31.51", "2020-02-14T13:21:26.000Z", "13:21:26.5": seconds since some moment.
std::optional<double> Date(std::string_view text) {
  double parts[7] = {};
  size_t count = 0;
  while (!text.empty() && count < 7) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto digits = static_cast<size_t>(end - text.data());
    if (error != std::errc() || value < 0 || digits > 9) return std::nullopt;
    // The last of all may be a fraction of a second.
    parts[count] = static_cast<double>(value);
    if (count == 6 || (count == 3 && parts[0] < 24)) {
      parts[count] /= std::pow(10, static_cast<double>(digits));
    }
    ++count;
    text.remove_prefix(digits);
    if (!text.empty()) text.remove_prefix(1);  // whatever separates
    if (text == "Z" || text.empty()) break;
  }
  if (count == 3 || count == 4) {
    if (parts[0] >= 24 || parts[1] >= 60 || parts[2] >= 61) return std::nullopt;
    return parts[0] * 3600 + parts[1] * 60 + parts[2] + parts[3];
  }
  if (count < 6 || parts[0] < 1970 || parts[0] > 9999) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(parts[0])),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[3] >= 24 || parts[4] >= 60 || parts[5] >= 61) return std::nullopt;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5] + parts[6];
}

std::optional<double> Seconds(std::string_view text, bool millis) {
  const auto number = Number(text);
  if (!number) return Date(text);
  if (!std::isfinite(*number) || *number < 0) return std::nullopt;
  // Since 1970 in milli-, micro- or nanoseconds, by size: seconds have ten digits in this century.
  if (*number >= 1e17) return *number / 1e9;
  if (*number >= 1e14) return *number / 1e6;
  if (*number >= 1e11) return *number / 1e3;
  return millis ? *number / 1e3 : *number;
}

bool Missing(std::string_view field) {
  const std::string text = Lower(field);
  return text.empty() || text == "-" || text == "nan" || text == "n/a" || text == "na" ||
         text == "null" || text == "none";
}

}  // namespace

bool HasHeader(std::string_view text) {
  text = WithoutMark(text);
  size_t number = 0;
  const std::string_view row = TakeRow(text, number);
  if (row.empty()) return false;
  // A header has no number in it; data begins with one.
  const auto fields = Fields(row, SeparatorOf(row));
  const auto letters = [](std::string_view field) {
    return std::ranges::any_of(
        field, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
  };
  return !fields.empty() && letters(fields.front()) && !Number(fields.front()) &&
         std::ranges::none_of(fields, [](std::string_view f) { return Number(f).has_value(); });
}

Result<RecordedRates> ReadRates(std::string_view text, const std::string& where,
                                const TraceColumns& columns) {
  text = WithoutMark(text);
  size_t number = 0;
  const std::string_view first = TakeRow(text, number);
  const char separator = SeparatorOf(first);
  const std::vector<std::string_view> header = Fields(first, separator);
  FOGLINE_TRY(const RateColumn rate, PickRate(header, where, columns));
  std::string_view unit;
  FOGLINE_TRY(const double factor, FactorOf(rate, where, columns, unit));
  const auto time = PickTime(header);
  if (!time) {
    return Fail(ErrorCode::kInvalid, where,
                "has no column of times (time, timestamp, seconds, ms); its columns are {}",
                Names(header));
  }
  RecordedRates read;
  read.taken = fmt::format("column '{}' as {} over '{}'", Printable(rate.name), unit,
                           Printable(header[time->index]));
  std::optional<double> start;
  while (!text.empty()) {
    const std::string_view row = TakeRow(text, number);
    if (row.empty()) break;
    const std::vector<std::string_view> fields = Fields(row, separator);
    if (fields.size() <= std::max(rate.index, time->index)) {
      return Fail(ErrorCode::kInvalid, where, "line {} has {} columns, the header {}", number,
                  fields.size(), header.size());
    }
    if (Missing(fields[rate.index])) continue;
    const auto seconds = Seconds(fields[time->index], time->millis);
    const auto value = Number(fields[rate.index]);
    if (!seconds) {
      return Fail(ErrorCode::kInvalid, where, "line {}: '{}' is no time", number,
                  Printable(fields[time->index].substr(0, 40)));
    }
    if (!value || !(*value >= 0) || *value * factor > kMostMbps) {
      return Fail(ErrorCode::kInvalid, where, "line {}: '{}' is no rate", number,
                  Printable(fields[rate.index].substr(0, 40)));
    }
    if (!start) start = seconds;
    const double at = *seconds - *start;
    if (at > kMostSeconds || (!read.points.empty() && at < read.points.back().first)) {
      return Fail(ErrorCode::kInvalid, where, "line {} goes {} in time", number,
                  at > 0 ? "too far" : "back");
    }
    read.points.emplace_back(at, *value * factor);
  }
  return read;
}

}  // namespace fogline
