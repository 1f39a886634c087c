// The paper's publisher: pictures in, frames out.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/trace.h"
#include "edge/answers.h"
#include "edge/device.h"
#include "edge/locator.h"
#include "edge/report.h"
#include "edge/route_pool.h"
#include "edge/route_request.h"

namespace fogline {

/// Where pictures come from, and the device that they are to the cloud.
struct EdgeSource {
  std::string device;  // its frames' name
  std::string source;  // as SourceOptions::name
  bool named = false;  // by itself, so that its spool has a folder of its own below the others'
};

/// Reads what `--source` says: SOURCE, or NAME=SOURCE when what stands before the first '=' may
/// name a device and nothing lies where the whole text points to. Of several each must be named,
/// and no name may come twice; one that is not is `device`. kUsage for anything else.
Result<std::vector<EdgeSource>> ParseSources(const std::vector<std::string>& texts,
                                             const std::string& device);

struct EdgeOptions {
  RouteRequest request;
  /// Steering chooses among the routes of `policy` (empty: of the .policy beside the model), in
  /// place of one that `request` names.
  bool automatic = false;
  std::filesystem::path policy;
  std::string pace;  // a machine to be as slow as (edge/pace.h); empty: as fast as this one is
  std::vector<EdgeSource> sources;  // one at least
  /// Of each source; its name, route and spool are filled in.
  DeviceOptions device;
  std::string at, gpx, gpsd;  // at most one: positions for pictures without their own
  /// Once the cloud was silent for so long, run the whole network here and keep the results, which
  /// are small, in the spool. 0: never.
  Nanos fallback{0};
  /// Always the newest picture: what the camera gave while the line was busy is passed over, and
  /// what is not stored within device.sender.deadline is given up. Otherwise the camera waits.
  bool latest = false;
  std::filesystem::path trace;  // a time line of every frame; empty: none
  std::string answers;  // where Answers go, for other programs on the device; empty: nowhere
  /// Told how things stand every few seconds, on a thread of its own.
  std::function<void(std::span<const EdgeReport>)> watch;
};

/// A model's routes, open once, and the devices that send pictures along them.
class Edge {
 public:
  /// Opens the routes. An error is what makes no source worth opening: options that contradict each
  /// other, no model, no such cut.
  static Result<std::unique_ptr<Edge>> Open(const EdgeOptions& options);

  /// Runs every source until it ends or a stop is asked for, and waits for the answers; a report
  /// for each, in their order. A source that cannot be opened or sent from is an error when it is
  /// the only one; of several its report says so, and the others go on.
  Result<std::vector<EdgeReport>> Run();

 private:
  explicit Edge(const EdgeOptions& options) : options_(options) {}
  Status OpenDevices();

  const EdgeOptions options_;
  std::unique_ptr<RoutePool> pool_;
  std::unique_ptr<Locator> locator_;
  std::unique_ptr<TraceFile> trace_;
  std::unique_ptr<Answers> answers_;
  std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace fogline
