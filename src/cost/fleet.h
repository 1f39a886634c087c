// A fleet: groups of devices on links, what each may run, the prices, and the pool they share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/link.h"
#include "profile/machine.h"

namespace fogline {

/// One way to run the network on one kind of device: a cut with its codec.
struct FleetOption {
  std::string name;
  std::string kind;         // "cloud-only", "split", "edge-only"; empty: of a kind by itself
  Machine edge;             // its price and power
  double edge_ms = 0;       // an image, coding included
  double cloud_ms = 0;      // an image, on one core, decoding included
  double bytes = 0;         // of a message, headers included
  double sent_share = 1;    // of the images that send a message
  double stored_bytes = 0;  // kept per message
  double time_spread = 0;   // half a 90 % interval of both times, relative
  double bytes_spread = 0;  // the same of the bytes
};

struct FleetGroup {
  std::string name;
  double devices = 0;
  double images_per_second = 0;  // a device, round the clock
  double target_ms = 0;          // at the 95th percentile of waiting; 0: none
  LinkProfile link;
  std::vector<FleetOption> options;
};

struct FleetPool {
  std::string name;
  Rent rent;
  double cap = 0.95;  // share of an instance that may be busy
  bool ignore_credits = false;
};

struct Fleet {
  std::string title, where;
  double euro_per_kwh = 0;
  double hardware_months = 12;
  double broker_euro_per_million = 0;  // messages
  double storage_euro_per_gb_month = 0;
  double storage_months = 0;  // that a record is kept: the stock is this many months' worth
  FleetPool pool;
  std::vector<FleetGroup> groups;
};

/// Reads a scenario: [prices], [pool], [network] or [[option]] or both, [[group]]
/// (docs/economics.md). A network's path is taken from the scenario's folder. Machines and
/// links are names of the library. kInvalid names the key that is missing, wrong or unknown, and
/// the file — the machine's own where it has no price.
Result<Fleet> ParseFleet(std::string_view toml, const std::string& where);

}  // namespace fogline
