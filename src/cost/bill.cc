#include "cost/bill.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fogline {
namespace {

double UpSeconds(const FleetGroup& group, const FleetOption& option) {
  return (Bytes(option.bytes) / group.link.EffectiveRate(group.link.up)).value() / 1000;
}

double MessagesPerMonth(const FleetGroup& group, const FleetOption& option) {
  return group.images_per_second * option.sent_share * 3600 * kHoursPerMonth;
}

}  // namespace

Bill PrivateBill(const Fleet& fleet, const FleetGroup& group, const FleetOption& option) {
  Bill bill;
  const double messages = MessagesPerMonth(group, option);
  bill.hardware = option.edge.purchase->value() / fleet.hardware_months;
  const Power& power = *option.edge.power;
  const double busy = std::min(1.0, group.images_per_second * option.edge_ms / 1000);
  double watts = power.idle.value() + (power.busy - power.idle).value() * busy;
  // The radio draws its power while a message is in the air, and so much for every byte.
  const double sending = group.images_per_second * option.sent_share;
  watts += group.link.radio.value() * std::min(1.0, sending * UpSeconds(group, option));
  watts += (group.link.energy_up * Bytes(option.bytes)).value() / 1000 * sending;
  bill.energy = watts / 1000 * kHoursPerMonth * fleet.euro_per_kwh;
  bill.data = (group.link.price * Bytes(option.bytes * messages)).value();
  bill.broker = messages / 1e6 * fleet.broker_euro_per_million;
  bill.storage =
      option.stored_bytes * messages / 1e9 * fleet.storage_months * fleet.storage_euro_per_gb_month;
  return bill;
}

void AddCloud(const FleetOption& option, double cloud_euro, Bill& bill) {
  bill.cloud = cloud_euro;
  const double times = (bill.energy + bill.cloud) * option.time_spread;
  const double bytes = bill.data * option.bytes_spread;
  const double half = std::hypot(times, bytes);
  bill.low = std::max(0.0, bill.total() - half);
  bill.high = bill.total() + half;
}

double ServiceLatencyMs(const FleetGroup& group, const FleetOption& option) {
  return option.edge_ms + UpSeconds(group, option) * 1000 + group.link.rtt.value() / 2 +
         option.cloud_ms;
}

double SustainedRate(const FleetGroup& group, const FleetOption& option) {
  double rate = std::numeric_limits<double>::infinity();
  if (option.edge_ms > 0) rate = 1000 / option.edge_ms;
  const double up = UpSeconds(group, option) * option.sent_share;
  return up > 0 ? std::min(rate, 1 / up) : rate;
}

double CoresOf(const FleetGroup& group, const FleetOption& option) {
  return group.images_per_second * option.sent_share * option.cloud_ms / 1000;
}

}  // namespace fogline
