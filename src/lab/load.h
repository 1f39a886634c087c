// Many devices at once: frames made beforehand, sent for as many devices as wanted at one picture a
// second each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stats.h"
#include "frame/frame.h"

namespace fogline {

/// What one device sends: a frame of which device, run and sequence are yet to be filled in.
struct LoadFrame {
  Frame frame;
  std::vector<std::byte> data;  // what its payload views
  bool json = false;
};

/// One step of a rising load.
struct LoadStep {
  double devices = 0;          // pictures a second offered
  double sent_per_second = 0;  // what the generator managed
  double stored_per_second = 0;
  size_t backlog = 0;                                // frames unanswered at the end
  Summary latency_ms;                                // from sending to the stored answer
  Summary queue_ms, decode_ms, suffix_ms, store_ms;  // as the answers say
  // Shares of a core, 0 … 1 and more.
  double cloud_cpu = 0, broker_cpu = 0, generator_cpu = 0;
};

/// Sends over a few connections for all devices: what is tested is the cloud, and a broker with
/// twenty thousand sockets is another test.
class LoadGenerator {
 public:
  static Result<std::unique_ptr<LoadGenerator>> Start(const std::string& broker,
                                                      std::vector<LoadFrame> frames);
  virtual ~LoadGenerator() = default;

  /// Offers one picture a second for so many devices, and measures the last `seconds` after a first
  /// one to settle. Then waits until everything is answered, a few seconds at most. `mark` is
  /// called as what counts begins and again as it ends.
  virtual Result<LoadStep> Step(double devices, double seconds,
                                const std::function<void()>& mark) = 0;
};

}  // namespace fogline
