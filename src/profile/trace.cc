#include "profile/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace fogline {
namespace {

constexpr double kPacketBytes = 1500;
constexpr double kMost = 1e10;  // of seconds, milliseconds and Mbit/s: more is no recording
constexpr MegabitsPerSecond kLeastRate(1e-6);  // a bit a second; less is no link
constexpr size_t kStarts = 2000;               // moments that a recording is sampled at
constexpr size_t kKept = 1900;                 // of them, for p95

/// Reads a number off the front of `line`, and what separates it from the next.
bool TakeNumber(std::string_view& line, double& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return false;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  while (!line.empty() && (line.front() == '\t' || line.front() == ' ' || line.front() == ',' ||
                           line.front() == ';')) {
    line.remove_prefix(1);
  }
  return true;
}

}  // namespace

namespace {

/// One or two numbers a line: `columns` of them.
Result<std::vector<std::pair<double, double>>> ReadNumbers(std::string_view text,
                                                           const std::string& where,
                                                           size_t& columns) {
  std::vector<std::pair<double, double>> points;
  columns = 0;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    if (line.empty() || line.front() == '#') continue;
    double time = 0, rate = 0;
    bool good = TakeNumber(line, time) && time >= 0 && time <= kMost;
    const size_t found = line.empty() ? 1 : 2;
    if (found == 2) {
      good = good && TakeNumber(line, rate) && rate >= 0 && rate <= kMost && line.empty();
    }
    if (!good) {
      return Fail(ErrorCode::kInvalid, where,
                  "line {} is neither a millisecond nor 'seconds Mbit/s'; more columns need a "
                  "header row that names them",
                  number);
    }
    if (columns == 0) columns = found;
    if (found != columns) {
      return Fail(ErrorCode::kInvalid, where, "line {} has {} columns, the others have {}", number,
                  found, columns);
    }
    if (!points.empty() && time < points.back().first) {
      return Fail(ErrorCode::kInvalid, where, "line {} goes back in time", number);
    }
    points.emplace_back(time, rate);
  }
  return points;
}

}  // namespace

Result<Trace> Trace::Parse(std::string_view text, const std::string& where,
                           const TraceColumns& columns) {
  Trace trace;
  if (HasHeader(text)) {
    FOGLINE_TRY(RecordedRates read, ReadRates(text, where, columns));
    trace.AddRates(read.points);
    trace.taken_ = std::move(read.taken);
  } else {
    if (!columns.rate.empty() || !columns.unit.empty()) {
      return Fail(ErrorCode::kUsage, where, "has no header row that column= or unit= could name");
    }
    size_t found = 0;
    FOGLINE_TRY(const auto points, ReadNumbers(text, where, found));
    if (found == 1) trace.AddPackets(points);
    if (found == 2) trace.AddRates(points);
  }
  if (!(trace.sent_.back() > 0) || trace.MeanRate() < kLeastRate) {
    return Fail(ErrorCode::kInvalid, where, "is a trace that never sends");
  }
  return trace;
}

void Trace::AddPackets(const std::vector<std::pair<double, double>>& packets) {
  for (const auto& [ms, unused] : packets) {
    // All packets of a millisecond leave within it.
    const double end = ms + 1;
    if (time_ms_.back() < ms) {
      time_ms_.push_back(ms);
      sent_.push_back(sent_.back());
    }
    if (time_ms_.back() == end) {
      sent_.back() += kPacketBytes;
    } else {
      time_ms_.push_back(end);
      sent_.push_back(sent_.back() + kPacketBytes);
    }
  }
}

void Trace::AddRates(const std::vector<std::pair<double, double>>& rates) {
  for (size_t i = 1; i < rates.size(); ++i) {
    const double ms = (rates[i].first - rates[i - 1].first) * 1000;
    if (ms <= 0) continue;
    time_ms_.push_back(time_ms_.back() + ms);
    sent_.push_back(sent_.back() + rates[i - 1].second * 1000 / 8 * ms);
  }
}

double Trace::SentBy(double ms) const {
  const double loops = std::floor(ms / time_ms_.back());
  const double within = ms - loops * time_ms_.back();
  const auto after = std::upper_bound(time_ms_.begin(), time_ms_.end(), within);
  double sent = sent_.back();
  if (after != time_ms_.end()) {
    const auto i = static_cast<size_t>(after - time_ms_.begin());
    const double share = (within - time_ms_[i - 1]) / (time_ms_[i] - time_ms_[i - 1]);
    sent = sent_[i - 1] + share * (sent_[i] - sent_[i - 1]);
  }
  return loops * sent_.back() + sent;
}

Milliseconds Trace::TransferTime(Bytes bytes, Milliseconds start) const {
  const double target = SentBy(start.value()) + bytes.value();
  const double loops = std::floor(target / sent_.back());
  const double within = target - loops * sent_.back();
  // The first moment at which that much has left.
  const auto at = std::lower_bound(sent_.begin(), sent_.end(), within);
  const auto i = static_cast<size_t>(at - sent_.begin());
  double ms = time_ms_[i];
  if (i > 0 && sent_[i] > sent_[i - 1]) {
    const double share = (within - sent_[i - 1]) / (sent_[i] - sent_[i - 1]);
    ms = time_ms_[i - 1] + share * (time_ms_[i] - time_ms_[i - 1]);
  }
  return std::max(Milliseconds(0), Milliseconds(loops * time_ms_.back() + ms) - start);
}

Milliseconds Trace::StartOf(size_t i) const {
  return duration() * (static_cast<double>(i) / static_cast<double>(kStarts));
}

Summary Trace::TransferTimes(Bytes bytes) const {
  std::vector<double> times(kStarts);
  for (size_t i = 0; i < kStarts; ++i) times[i] = TransferTime(bytes, StartOf(i)).value();
  std::sort(times.begin(), times.end());
  Summary summary = Summarize(times);
  summary.p95 = times[kKept - 1];
  return summary;
}

Bytes Trace::MostWithin(Milliseconds limit) const {
  if (limit <= Milliseconds(0)) return Bytes(0);
  std::vector<double> left(kStarts);
  for (size_t i = 0; i < kStarts; ++i) {
    const double start = StartOf(i).value();
    left[i] = SentBy(start + limit.value()) - SentBy(start);
  }
  // `kKept` of the starts must manage as much.
  const auto at = left.begin() + static_cast<std::ptrdiff_t>(kStarts - kKept);
  std::nth_element(left.begin(), at, left.end());
  return Bytes(*at);
}

MegabitsPerSecond Trace::MeanRate() const {
  return MegabitsPerSecond(sent_.back() * 8 / 1000 / time_ms_.back());
}

}  // namespace fogline
