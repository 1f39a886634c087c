#include "profile/link.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "base/toml_reader.h"

namespace fogline {
namespace {

constexpr std::string_view kFlag = "--link";

struct Unit {
  std::string_view name;
  double factor;
};

/// "8Mbps" with one of the units given; a bare number is in the first.
Result<double> Amount(std::string_view text, std::string_view key, std::span<const Unit> units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || !std::isfinite(value)) {
    return Fail(ErrorCode::kUsage, std::string(kFlag), "'{}={}' is not a number", key,
                Printable(text));
  }
  if (unit.empty()) return value * units.front().factor;
  for (const Unit& known : units) {
    if (unit == known.name) return value * known.factor;
  }
  std::vector<std::string> names;
  for (const Unit& known : units) names.emplace_back(known.name);
  return Fail(ErrorCode::kUsage, std::string(kFlag), "unknown unit '{}' in '{}={}'{}",
              Printable(unit), key, Printable(text), DidYouMean(unit, names));
}

constexpr Unit kRates[] = {{"Mbps", 1},      {"mbps", 1},   {"Mbit/s", 1},  {"kbps", 1e-3},
                           {"kbit/s", 1e-3}, {"Gbps", 1e3}, {"Gbit/s", 1e3}};
constexpr Unit kTimes[] = {{"ms", 1}, {"s", 1e3}};
constexpr Unit kShares[] = {{"", 1}, {"%", 0.01}};
constexpr Unit kPrices[] = {{"", 1}, {"EUR/GB", 1}};

}  // namespace

MegabitsPerSecond LinkProfile::EffectiveRate(MegabitsPerSecond rate) const {
  if (loss <= 0 || rtt <= Milliseconds(0)) return rate;
  constexpr double kSegmentBits = 1448 * 8;
  const double bound = kSegmentBits / (rtt.value() * 1000) * 1.22 / std::sqrt(loss);
  return std::min(rate, MegabitsPerSecond(bound));
}

Status ApplyLinkText(std::string_view text, LinkProfile& link) {
  const std::vector<std::string> keys{"up", "down", "rtt", "loss", "price"};
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    if (equals == std::string_view::npos || std::ranges::find(keys, key) == keys.end()) {
      return Fail(ErrorCode::kUsage, std::string(kFlag),
                  "'{}' is none of up=, down=, rtt=, loss=, price={}", Printable(part),
                  DidYouMean(key, keys));
    }
    const std::string_view value = part.substr(equals + 1);
    const std::span<const Unit> units = key == "rtt"     ? std::span<const Unit>(kTimes)
                                        : key == "loss"  ? std::span<const Unit>(kShares)
                                        : key == "price" ? std::span<const Unit>(kPrices)
                                                         : std::span<const Unit>(kRates);
    FOGLINE_TRY(const double amount, Amount(value, key, units));
    const bool rate = key == "up" || key == "down";
    if (amount < 0 || (rate && amount == 0) || (key == "loss" && amount >= 1)) {
      return Fail(ErrorCode::kUsage, std::string(kFlag), "'{}' must be {}", Printable(part),
                  rate            ? "a rate above zero"
                  : key == "loss" ? "a share from 0 to below 100 %"
                                  : "zero or more");
    }
    if (key == "up" && link.trace) {
      return Fail(ErrorCode::kUsage, std::string(kFlag),
                  "'{}' contradicts the recording, which is the uplink", Printable(part));
    }
    if (key == "up") link.up = MegabitsPerSecond(amount);
    if (key == "down") link.down = MegabitsPerSecond(amount);
    if (key == "rtt") {
      link.rtt = Milliseconds(amount);
      link.rtt_known = true;
    }
    if (key == "loss") link.loss = amount;
    if (key == "price") link.price = EuroPerGigabyte(amount);
  }
  return {};
}

Result<LinkProfile> ParseInlineLink(std::string_view text) {
  LinkProfile link;
  link.name = std::string(text);
  link.title = "link given on the command line";
  link.source = "given on the command line";
  link.rtt_known = false;
  FOGLINE_CHECK(ApplyLinkText(text, link));
  if (link.up <= MegabitsPerSecond(0)) {
    return Fail(ErrorCode::kUsage, std::string(kFlag),
                "an inline link needs up=RATE, e.g. up=8Mbps");
  }
  if (link.down <= MegabitsPerSecond(0)) link.down = link.up;
  return link;
}

Result<LinkProfile> ParseLink(std::string_view toml, const std::string& where) {
  FOGLINE_TRY(const Toml table, Toml::Parse(toml, where));
  const TomlReader reader(table, where);
  LinkProfile link;
  FOGLINE_TRY(link.name, reader.Text("name"));
  FOGLINE_TRY(link.title, reader.Text("title"));
  FOGLINE_TRY(link.source, reader.Text("source"));
  constexpr double kLeastRate = 1e-6;
  FOGLINE_TRY(const double up, reader.Number("up_mbps", kLeastRate));
  FOGLINE_TRY(const double down, reader.NumberOr("down_mbps", kLeastRate, up));
  FOGLINE_TRY(const double rtt, reader.Number("rtt_ms", 0));
  FOGLINE_TRY(link.loss, reader.NumberOr("loss", 0, 0));
  FOGLINE_TRY(const double price, reader.NumberOr("euro_per_gb", 0, 0));
  FOGLINE_TRY(const double energy_up, reader.NumberOr("mj_per_kb_up", 0, 0));
  FOGLINE_TRY(const double energy_down, reader.NumberOr("mj_per_kb_down", 0, 0));
  FOGLINE_TRY(const double radio, reader.NumberOr("radio_w", 0, 0));
  if (link.loss >= 1) return Fail(ErrorCode::kInvalid, where, "'loss' is a share, below 1");
  link.up = MegabitsPerSecond(up);
  link.down = MegabitsPerSecond(down);
  link.rtt = Milliseconds(rtt);
  link.price = EuroPerGigabyte(price);
  link.energy_up = MillijoulesPerKilobyte(energy_up);
  link.energy_down = MillijoulesPerKilobyte(energy_down);
  link.radio = Watts(radio);
  return link;
}

LinkProfile LinkOfTrace(Trace trace, std::string name) {
  LinkProfile link;
  link.name = std::move(name);
  link.title = "recorded uplink";
  link.source = link.name;
  if (!trace.taken().empty()) link.source += ", " + trace.taken();
  link.rtt_known = false;
  link.up = link.down = trace.MeanRate();
  link.trace = std::move(trace);
  return link;
}

}  // namespace fogline
