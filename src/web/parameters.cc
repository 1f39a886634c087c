#include "web/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "web/ogc_time.h"

namespace fogline {
namespace {

constexpr size_t kMostParameters = 64;
constexpr size_t kMostValues = 32;
constexpr size_t kLongestValue = 1024;
constexpr int64_t kLatestMs = 253'402'300'800'000;  // the year 10,000

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      unsigned value = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const char* start = text.data() + i + 1;
      const auto [end, error] = std::from_chars(start, start + 2, value, 16);
      if (error != std::errc() || end != start + 2) return std::nullopt;
      plain += static_cast<char>(value);
      i += 2;
    } else if (text[i] == '+' && plus_is_space) {
      plain += ' ';
    } else {
      plain += text[i];
    }
  }
  return plain;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

tl::unexpected<Error> Bad(std::string_view name, std::string_view what) {
  return Fail(ErrorCode::kUsage, std::string(name), "{}", what);
}

}  // namespace

Result<Parameters> Parameters::Parse(std::string_view target) {
  Parameters parsed;
  const size_t mark = target.find('?');
  const auto path = PercentDecode(target.substr(0, mark), false);
  if (!path || !IsUtf8(*path) || path->empty() || path->front() != '/') {
    return Bad("path", "is not a well-formed path");
  }
  parsed.path_ = *path;
  std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t next = rest.find('&');
    const std::string_view pair = rest.substr(0, next);
    rest = next == rest.npos ? "" : rest.substr(next + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const auto name = PercentDecode(pair.substr(0, equals), true);
    const auto value =
        PercentDecode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value || !IsUtf8(*name) || !IsUtf8(*value)) {
      return Bad("query", "is not well-formed percent-encoded UTF-8");
    }
    if (name->size() > 64 || value->size() > kLongestValue) return Bad("query", "is too long");
    parsed.entries_.push_back({*name, *value});
    if (parsed.entries_.size() > kMostParameters) return Bad("query", "has too many parameters");
  }
  return parsed;
}

Result<const std::string*> Parameters::Single(std::string_view name) {
  known_.emplace_back(name);
  const std::string* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.name != name) continue;
    if (found != nullptr) return Bad(name, "is given twice");
    found = &entry.value;
  }
  return found;
}

Result<int64_t> Parameters::Integer(std::string_view name, int64_t low, int64_t high,
                                    int64_t fallback) {
  FOGLINE_TRY(const std::string* text, Single(name));
  if (text == nullptr) return fallback;
  const auto value = ParseNumber<int64_t>(*text);
  if (!value || *value < low || *value > high) {
    return Bad(name, fmt::format("must be a whole number from {} to {}", low, high));
  }
  return *value;
}

Result<int64_t> Parameters::Time(std::string_view name, int64_t fallback) {
  FOGLINE_TRY(const std::string* text, Single(name));
  if (text == nullptr) return fallback;
  const auto ms = ParseNumber<int64_t>(*text);
  if (ms && std::abs(*ms) <= kLatestMs) return *ms * 1000;
  constexpr size_t kDate = 10;  // "2026-03-01": its first moment
  const auto instant = ParseInstant(text->size() == kDate ? *text + "T00:00:00Z" : *text);
  if (!instant || ms) {
    return Bad(name,
               "must be milliseconds since 1970, a date as 2026-03-01 or a time as "
               "2026-03-01T12:34:56Z");
  }
  return *instant;
}

Result<double> Parameters::Number(std::string_view name, double low, double high, double fallback) {
  FOGLINE_TRY(const std::string* text, Single(name));
  if (text == nullptr) return fallback;
  const auto value = ParseNumber<double>(*text);
  if (!value || !(*value >= low && *value <= high)) {
    return Bad(name, fmt::format("must be a number from {} to {}", low, high));
  }
  return *value;
}

Result<bool> Parameters::Flag(std::string_view name) {
  FOGLINE_TRY(const std::string* text, Single(name));
  if (text == nullptr || *text == "0" || *text == "false") return false;
  if (*text == "1" || *text == "true") return true;
  return Bad(name, "must be 1 or 0");
}

Result<std::string> Parameters::Choice(std::string_view name,
                                       const std::vector<std::string>& choices) {
  FOGLINE_TRY(const std::string* text, Single(name));
  if (text == nullptr) return choices.front();
  if (std::find(choices.begin(), choices.end(), *text) == choices.end()) {
    return Bad(name, fmt::format("must be one of {}", fmt::join(choices, ", ")));
  }
  return *text;
}

Result<std::string> Parameters::Text(std::string_view name) {
  FOGLINE_TRY(const std::string* text, Single(name));
  return text == nullptr ? std::string() : *text;
}

Result<std::vector<std::string>> Parameters::List(std::string_view name) {
  known_.emplace_back(name);
  std::vector<std::string> values;
  for (const Entry& entry : entries_) {
    if (entry.name == name) values.push_back(entry.value);
  }
  if (values.size() > kMostValues) {
    return Bad(name, fmt::format("is given more than {} times", kMostValues));
  }
  return values;
}

bool Parameters::Has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.name == name; });
}

Result<Filter> Parameters::ReadFilter() {
  Filter filter;
  FOGLINE_TRY(const std::string box, Text("box"));
  if (!box.empty()) {
    std::vector<double> edges;
    for (std::string_view rest = box; edges.size() < 5;) {
      const size_t comma = rest.find(',');
      const auto edge = ParseNumber<double>(rest.substr(0, comma));
      if (!edge || !std::isfinite(*edge)) return Bad("box", "must be west,south,east,north");
      edges.push_back(*edge);
      if (comma == rest.npos) break;
      rest = rest.substr(comma + 1);
    }
    if (edges.size() != 4) return Bad("box", "must be west,south,east,north");
    if (std::abs(edges[0]) > 180 || std::abs(edges[2]) > 180 || std::abs(edges[1]) > 90 ||
        std::abs(edges[3]) > 90 || edges[1] > edges[3]) {
      return Bad("box", "must lie within -180,-90,180,90 with south below north");
    }
    filter.box = Box{edges[0], edges[1], edges[2], edges[3]};
  }
  FOGLINE_TRY(filter.from_us, Time("from", filter.from_us));
  FOGLINE_TRY(filter.to_us, Time("to", filter.to_us));
  FOGLINE_TRY(const double min_score, Number("min_score", 0, 1, 0));
  FOGLINE_TRY(const double max_score, Number("max_score", 0, 1, 1));
  filter.min_score = static_cast<float>(min_score);
  filter.max_score = static_cast<float>(max_score);
  FOGLINE_TRY(filter.positive_only, Flag("positive"));
  FOGLINE_TRY(filter.labels, List("label"));
  FOGLINE_TRY(filter.devices, List("device"));
  FOGLINE_TRY(filter.mechanisms, List("mechanism"));
  FOGLINE_TRY(filter.found.labels, List("found"));
  const bool asks = !filter.found.labels.empty() || Has("found_score");
  FOGLINE_TRY(const int64_t least,
              Integer("found_least", 1, static_cast<int64_t>(kMaxBoxes), asks ? 1 : 0));
  FOGLINE_TRY(const double sure, Number("found_score", 0, 1, 0));
  filter.found.least = static_cast<size_t>(least);
  filter.found.least_score = static_cast<float>(sure);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  FOGLINE_TRY(const int64_t after, Integer("after", 0, kMost, 0));
  FOGLINE_TRY(const int64_t before, Integer("before", 0, kMost, kMost));
  filter.after_id = static_cast<uint64_t>(after);
  filter.before_id = static_cast<uint64_t>(before);
  return filter;
}

Status Parameters::Finish() const {
  for (const Entry& entry : entries_) {
    if (std::find(known_.begin(), known_.end(), entry.name) == known_.end()) {
      return Fail(ErrorCode::kUsage, entry.name, "is no parameter here{}",
                  DidYouMean(entry.name, known_));
    }
  }
  return {};
}

}  // namespace fogline
