// What a plan says that a bar will take, before it is measured.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "lab/suite.h"
#include "plan/candidate.h"

namespace fogline {

/// A plan's latency terms in milliseconds, and the two that it leaves to whoever measures.
struct Forecast {
  double edge = 0, encode = 0, uplink = 0, decode = 0, cloud = 0;
  /// The answer's way back: half a round trip and the answer's bytes. A plan that delivers to the
  /// cloud ends there; a measurement ends when the device hears that its picture is stored.
  double answer = 0;
  /// What broker, frame and store add to every frame, whatever is in it. No plan knows it; the lab
  /// measures it beforehand, without a link.
  double pipeline = 0;
  double bytes = 0;  // payload
  double month_euro =
      0;  // a device and month at one picture a second, credits ignored as in the paper

  double total() const { return edge + encode + uplink + decode + cloud + answer + pipeline; }
};

/// One model between one device and one cloud over one link.
class Forecaster {
 public:
  /// Where a machine is paced, its times are the library's; otherwise `profile` must be what
  /// `fogline profile` measured here (with the machine's limit, where it has one).
  struct Side {
    const SuiteMachine* machine = nullptr;
    std::filesystem::path profile;
  };
  static Result<std::unique_ptr<Forecaster>> Make(const std::filesystem::path& model,
                                                  const Side& device, const Side& cloud,
                                                  const LinkProfile& link);
  virtual ~Forecaster() = default;

  /// The codec that a wire uses at a cut ("cloud-only", "split13", …): json; or what the edge takes
  /// by itself, the calibration's cheapest that keeps 95 of 100 verdicts. Empty at edge-only.
  virtual Result<std::string> CodecOf(WireKind wire, const std::string& cut) const = 0;
  virtual Result<Forecast> Of(WireKind wire, const std::string& cut) const = 0;
  /// The network and its cuts, for figures 4 and 5.
  virtual const Model& model() const = 0;
  virtual Result<Cut> CutOf(const std::string& cut) const = 0;
};

}  // namespace fogline
