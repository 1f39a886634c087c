// What one device costs a month, item by item.
#pragma once

#include "cost/fleet.h"

namespace fogline {

/// Euro a device and month. `low` and `high` are a 90 % band: the option's spreads, taken as
/// independent, through the items they bear on, added in quadrature.
struct Bill {
  double hardware = 0;  // purchase / life
  double energy = 0;    // idle + what computing and the radio add
  double data = 0;      // bytes sent · € per GB
  double cloud = 0;     // the device's share of the pool
  double broker = 0;    // messages
  double storage = 0;   // stock of the records kept
  double low = 0, high = 0;

  double total() const { return hardware + energy + data + cloud + broker + storage; }
};

/// The bill without the cloud's share.
Bill PrivateBill(const Fleet& fleet, const FleetGroup& group, const FleetOption& option);

/// Sets the cloud's share and the band.
void AddCloud(const FleetOption& option, double cloud_euro, Bill& bill);

/// Latency without waiting in the cloud: edge + transmission + half a round trip + cloud.
double ServiceLatencyMs(const FleetGroup& group, const FleetOption& option);

/// Images a second that the device and its uplink sustain.
double SustainedRate(const FleetGroup& group, const FleetOption& option);

/// Cores that one device keeps busy in the cloud.
double CoresOf(const FleetGroup& group, const FleetOption& option);

}  // namespace fogline
