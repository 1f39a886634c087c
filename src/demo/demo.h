// The whole line on one machine: broker, cloud, map, and an edge a mechanism.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

inline constexpr const char* kOwnPostgres = "postgresql";

struct DemoOptions {
  std::filesystem::path model;   // empty: the litter model that comes with Fogline
  std::filesystem::path images;  // empty: its 40 pictures
  bool recursive = false;        // with sub-folders
  std::string broker;            // empty: a mosquitto of our own for the time of the demo
  std::string cut;               // where the split runs; empty: the best so far
  std::string store;             // empty: a database in a temporary folder; kOwnPostgres: a
                                 // PostgreSQL of our own for the time of the demo
  int devices = 0;               // edges, mechanism after mechanism; 0: one of each
  int clouds = 1;                // that divide the frames: ours, and processes beside it
  std::string address = "127.0.0.1";
  uint16_t port = 8080;  // of the map; a free one when it is taken
  double rate = 5;       // pictures a second and edge
  bool once = false;     // end when the pictures are through
  int thumbnail = 0;     // longest side of the pictures shown on the map; 0: none leaves the edge
  std::string basemap, basemap_attribution;  // see ChooseBasemap
};

/// What one edge's program reported, and what the store holds of it.
struct DemoMechanism {
  std::string name, cut, codec, device;
  uint64_t images = 0, sent = 0, stored = 0, skipped = 0;
  uint64_t early = 0;  // pictures that left at an exit
  double bytes_mean = 0;
  double p50_ms = 0, p95_ms = 0, hypothetical_p50_ms = 0, overhead_p50_ms = 0;
  std::vector<std::pair<std::string, double>> stages_p50_ms;
  uint64_t resident_bytes = 0;  // of the edge's process, at most
};

struct DemoHooks {
  std::function<void(const std::string& url)> map_is_up;
  std::function<void(const std::vector<DemoMechanism>&)> pictures_are_through;
};

/// Runs the demo, with a fourth edge whose sure pictures leave early where the model has exits that
/// can promise something; keeps serving the map until a stop is asked for unless `once`.
Status RunDemo(const DemoOptions& options, const DemoHooks& hooks);

}  // namespace fogline
