// A line by arithmetic: pictures, a device, an uplink and a cloud whose times are known, so that
// thousands of hours of steering pass in seconds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/stats.h"
#include "edge/route_chooser.h"
#include "profile/trace.h"

namespace fogline {

/// How the line is from a moment on, but for its uplink's rate.
struct AdaptRegime {
  double from_ms = 0;
  double round_trip_ms = 40;
  double stretch = 1;  // how much longer than alone the cloud takes
};

struct AdaptWorld {
  std::string name;
  Trace uplink;
  std::vector<AdaptRegime> regimes;  // one at least, by time
  double jitter_ms = 0;              // up to so much more, each way
  double period_ms = 500;            // between two pictures
  int pictures = 1000;
  uint64_t seed = 1;  // of jitter, and of which pictures leave at a gate
};

/// A route as it really is: what PricedRoute says on average, picture by picture.
struct AdaptRoute {
  std::string name;
  double edge_ms = 0, bytes = 0, cloud_ms = 0;  // of a picture that goes on
  double sure_share = 0, sure_edge_ms = 0, sure_bytes = 0;

  PricedRoute Priced() const;
};

/// Who chooses: told the time and which picture it is, and answers.
class AdaptPilot {
 public:
  virtual ~AdaptPilot() = default;
  virtual size_t Next(double now_ms, int picture) = 0;
  /// The last picture's frame went out.
  virtual void Sent(double /*now_ms*/, bool /*left*/) {}
  /// In the order in which frames were sent.
  virtual void Heard(const RouteChooser::Answer& /*answer*/) {}
};

struct AdaptRun {
  std::vector<double> latency_ms;  // from the camera to the stored answer, by picture
  std::vector<size_t> routes;
  int switches = 0;
  uint64_t probes = 0;

  Summary summary() const { return Summarize(latency_ms); }
};

/// Pictures come every period and are worked on one after the other; frames go over the uplink one
/// after the other, as many as `kAdaptWindow` without an answer.
inline constexpr size_t kAdaptWindow = 8;
AdaptRun RunAdapt(const AdaptWorld& world, const std::vector<AdaptRoute>& routes,
                  AdaptPilot& pilot);

/// Always the same route; steering; and one that knows the line to come, picture by picture.
AdaptRun RunFixed(const AdaptWorld& world, const std::vector<AdaptRoute>& routes, size_t route);
AdaptRun RunSteered(const AdaptWorld& world, const std::vector<AdaptRoute>& routes);
AdaptRun RunClairvoyant(const AdaptWorld& world, const std::vector<AdaptRoute>& routes);

}  // namespace fogline
