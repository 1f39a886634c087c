#include "profile/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fogline {
namespace {

constexpr double kPacketBytes = 1500;

std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  return line;
}

/// Reads a number off the front of `line`, and what separates it from the next.
bool TakeNumber(std::string_view& line, double& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return false;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  while (!line.empty() && (line.front() == '\t' || line.front() == ' ' || line.front() == ',')) {
    line.remove_prefix(1);
  }
  return true;
}

}  // namespace

Result<Trace> Trace::Parse(std::string_view text, const std::string& where) {
  Trace trace;
  std::vector<std::pair<double, double>> points;
  size_t columns = 0;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    if (line.empty() || line.front() == '#') continue;
    double time = 0, rate = 0;
    bool good = TakeNumber(line, time) && time >= 0;
    const size_t found = line.empty() ? 1 : 2;
    if (found == 2) good = good && TakeNumber(line, rate) && rate >= 0 && line.empty();
    if (!good) {
      return Fail(ErrorCode::kInvalid, where,
                  "line {} is neither a millisecond nor 'seconds Mbit/s'", number);
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
  if (columns == 1) {
    for (const auto& [ms, unused] : points) {
      // All packets of a millisecond leave within it.
      const double end = ms + 1;
      if (trace.time_ms_.back() < ms) {
        trace.time_ms_.push_back(ms);
        trace.sent_.push_back(trace.sent_.back());
      }
      if (trace.time_ms_.back() == end) {
        trace.sent_.back() += kPacketBytes;
      } else {
        trace.time_ms_.push_back(end);
        trace.sent_.push_back(trace.sent_.back() + kPacketBytes);
      }
    }
  } else if (points.size() >= 2) {
    for (size_t i = 1; i < points.size(); ++i) {
      const double ms = (points[i].first - points[i - 1].first) * 1000;
      if (ms <= 0) continue;
      trace.time_ms_.push_back(trace.time_ms_.back() + ms);
      trace.sent_.push_back(trace.sent_.back() + points[i - 1].second * 1000 / 8 * ms);
    }
  }
  if (trace.sent_.back() <= 0)
    return Fail(ErrorCode::kInvalid, where, "is a trace that never sends");
  return trace;
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

Summary Trace::TransferTimes(Bytes bytes, size_t starts) const {
  std::vector<double> times(starts);
  for (size_t i = 0; i < starts; ++i) {
    const Milliseconds start = duration() * (static_cast<double>(i) / static_cast<double>(starts));
    times[i] = TransferTime(bytes, start).value();
  }
  return Summarize(times);
}

MegabitsPerSecond Trace::MeanRate() const {
  return MegabitsPerSecond(sent_.back() * 8 / 1000 / time_ms_.back());
}

}  // namespace fogline
