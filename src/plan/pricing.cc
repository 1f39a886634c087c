#include "plan/pricing.h"

#include <charconv>
#include <vector>

#include "base/text.h"

namespace fogline {

std::string_view Objective::unit() const {
  switch (kind) {
    case Kind::kLatency:
      return "ms";
    case Kind::kCost:
      return "euro a month";
    case Kind::kEnergy:
      return "mJ";
    case Kind::kThroughput:
      return "ms an image";
    case Kind::kWeighted:
      break;
  }
  return "points";
}

Result<Objective> ParseObjective(std::string_view text) {
  using Kind = Objective::Kind;
  if (text == "latency") return Objective{};
  if (text == "cost") return Objective{Kind::kCost, 0, 1, 0};
  if (text == "energy") return Objective{Kind::kEnergy, 0, 0, 1};
  if (text == "throughput") return Objective{Kind::kThroughput, 0, 0, 0};
  const std::vector<std::string> names{"latency", "cost", "energy", "throughput"};
  Objective sum{Kind::kWeighted, 0, 0, 0};
  double total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    double* weight = name == "latency"  ? &sum.per_ms
                     : name == "cost"   ? &sum.per_euro
                     : name == "energy" ? &sum.per_mj
                                        : nullptr;
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (weight == nullptr || value.empty() || error != std::errc() ||
        end != value.data() + value.size() || !(number >= 0) || number > 1e12) {
      return Fail(ErrorCode::kUsage, "--objective",
                  "'{}' is none of latency, cost, energy, throughput, nor a weighted sum like "
                  "latency=1,cost=200{}",
                  part, DidYouMean(name, names));
    }
    *weight = number;
    total += number;
  }
  if (total <= 0) return Fail(ErrorCode::kUsage, "--objective", "all weights are zero");
  return sum;
}

Pricing::Pricing(const Objective& objective, const Operation& operation, const Machine& edge,
                 const Machine& cloud, const LinkProfile& link)
    : objective_(objective), operation_(operation), edge_(edge), cloud_(cloud), link_(link) {}

Price Pricing::Weigh(Milliseconds time, Euro month, Millijoules energy) const {
  return Price(objective_.per_ms * time.value() + objective_.per_euro * month.value() +
               objective_.per_mj * energy.value());
}

Euro Pricing::ElectricityPerMonth(Millijoules per_image) const {
  return operation_.electricity * ToKilowattHours(per_image * operation_.images_per_month());
}

Euro Pricing::CloudPerMonth(Milliseconds busy) const {
  if (!cloud_.rent) return Euro(0);
  const EuroPerHour vcpu =
      PriceOfBusyVcpu(*cloud_.rent, operation_.fill, operation_.ignore_credits);
  return vcpu * (busy * cloud_.compute.threads) * operation_.images_per_month();
}

Milliseconds Pricing::Loaded(Milliseconds busy) const { return busy / (1 - operation_.cloud_load); }

Milliseconds Pricing::UpTime(Bytes bytes) const {
  return (bytes + kMessageOverhead) / link_.EffectiveRate(link_.up);
}

Milliseconds Pricing::DownTime(Bytes bytes) const {
  return (bytes + kMessageOverhead) / link_.EffectiveRate(link_.down);
}

Milliseconds Pricing::DownDelay() const {
  return operation_.deliver == Side::kEdge || operation_.two_way ? link_.rtt / 2 : Milliseconds(0);
}

Millijoules Pricing::EdgeEnergy(Milliseconds busy) const {
  return edge_.power ? edge_.power->busy * busy : Millijoules(0);
}

Millijoules Pricing::RadioEnergy(Bytes up, Bytes down) const {
  Millijoules sum;
  if (up > Bytes(0)) {
    sum += link_.energy_up * (up + kMessageOverhead) + link_.radio * UpTime(up);
  }
  if (down > Bytes(0)) {
    sum += link_.energy_down * (down + kMessageOverhead) + link_.radio * DownTime(down);
  }
  return sum;
}

Price Pricing::Edge(Milliseconds busy) const {
  // The idle draw is paid anyway: a month's bill grows by what being busy adds to it.
  const Millijoules extra =
      edge_.power ? (edge_.power->busy - edge_.power->idle) * busy : Millijoules(0);
  return Weigh(busy, ElectricityPerMonth(extra), EdgeEnergy(busy));
}

Price Pricing::Cloud(Milliseconds busy) const {
  return Weigh(Loaded(busy), CloudPerMonth(busy), Millijoules(0));
}

PriceLine Pricing::Up(Bytes sent) const {
  const Millijoules per_byte = link_.energy_up * sent;
  const Euro data = link_.price * sent * operation_.images_per_month();
  // At one Mbit/s; time and the radio's power grow with x.
  const Milliseconds slow = sent / MegabitsPerSecond(1);
  const Millijoules radio = link_.radio * slow;
  return {Weigh(Milliseconds(0), data + ElectricityPerMonth(per_byte), per_byte),
          Weigh(slow, ElectricityPerMonth(radio), radio)};
}

Price Pricing::Down(Bytes bytes) const {
  const Bytes sent = bytes + kMessageOverhead;
  const Milliseconds time = DownTime(bytes);
  const Millijoules energy = link_.energy_down * sent + link_.radio * time;
  const Euro data = link_.price * sent * operation_.images_per_month();
  return Weigh(time, data + ElectricityPerMonth(energy), energy);
}

PriceLine Pricing::Crossing() const {
  PriceLine line = Up(kMessageOverhead);
  line.fixed += Weigh(UpDelay() + DownDelay(), Euro(0), Millijoules(0));
  return line;
}

Euro Pricing::PerMonth(Milliseconds edge_busy, Milliseconds cloud_busy, Bytes up,
                       Bytes down) const {
  Euro sum = CloudPerMonth(cloud_busy);
  if (edge_.purchase) sum += *edge_.purchase / operation_.lifetime_months;
  if (edge_.power) {
    const KilowattHours idle(edge_.power->idle.value() * kHoursPerMonth / 1000);
    sum += operation_.electricity * idle;
    sum += ElectricityPerMonth((edge_.power->busy - edge_.power->idle) * edge_busy);
  }
  sum += ElectricityPerMonth(RadioEnergy(up, down));
  for (const Bytes bytes : {up, down}) {
    if (bytes > Bytes(0)) {
      sum += link_.price * (bytes + kMessageOverhead) * operation_.images_per_month();
    }
  }
  return sum;
}

double Pricing::EuroPerX(Bytes up) const {
  if (up <= Bytes(0)) return 0;
  const Milliseconds slow = (up + kMessageOverhead) / MegabitsPerSecond(1);
  return ElectricityPerMonth(link_.radio * slow).value();
}

}  // namespace fogline
