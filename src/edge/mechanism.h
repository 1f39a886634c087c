// What the device does with a picture: nothing, a prefix of the network, or all of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "codec/route.h"
#include "edge/gate.h"
#include "edge/little.h"
#include "edge/prefixes.h"
#include "frame/frame.h"
#include "vision/image.h"
#include "vision/network.h"

namespace fogline {

/// A picture worked on and ready to send. Buffers are reused from picture to picture.
struct Prepared {
  std::vector<std::byte> data;     // what the payloads view
  std::vector<std::byte> verdict;  // of a gate's head, which they view too
  std::vector<Payload> payloads;
  uint32_t resize_us = 0, prefix_us = 0, encode_us = 0;
  std::optional<bool> positive;  // where the device has the verdict: worth reporting
  bool left = false;             // at the route's gate: sure enough to go no further
  bool audited = false;          // sure there, and sent on all the same
};

struct MechanismOptions {
  std::string cut = "edge-only";  // as FindCut takes it
  /// As ParseCodecs takes it; empty: jpeg:90 for cloud-only, the bundle's choice or f16 for a
  /// split.
  std::string codec;
  std::filesystem::path
      bundle;  // calibration; empty: MODEL.bundle beside the model where it exists
  int threads = 1;
  bool json = false;  // the paper's wire: numbers as text
  /// Where sure pictures leave early, of cloud-only by a cascade's little network; none: nowhere.
  std::optional<GateRequest> gate;
  /// Where other routes of the network have the engine open, to be shared; null: nowhere.
  Prefixes* prefixes = nullptr;
};

/// One of the paper's three mechanisms, opened. Not thread-safe.
class Mechanism {
 public:
  static Result<std::unique_ptr<Mechanism>> Make(const Network& network,
                                                 const MechanismOptions& options);
  virtual ~Mechanism() = default;
  /// The same for another thread: buffers of its own, the engine shared.
  virtual Result<std::unique_ptr<Mechanism>> Another() const = 0;

  /// Resizes, runs and encodes one picture.
  virtual Status Process(const Image& picture, Prepared& out) = 0;

  const std::string& name() const { return name_; }  // "edge-only", "cloud-only" or "split"
  const Cut& cut() const { return cut_; }
  const std::string& codec() const { return codec_; }
  const Route& route() const { return route_; }
  /// Whether another one makes the very same frames.
  bool IsLike(const Mechanism& other) const;
  /// Bytes that what it sends of a picture is never less than, as far as its codecs say for
  /// certain.
  size_t least_bytes() const;
  /// Fills in what every frame of this mechanism says alike: model, cut, bundle, gate.
  void Stamp(Frame& frame) const;

 protected:
  Mechanism() = default;
  Mechanism(const Mechanism&) = default;
  Mechanism& operator=(const Mechanism&) = default;
  /// All that is sent of a picture, in one payload.
  static void SendAlone(Prepared& out, Role role, const CodecName& codec, const Port& what);
  /// Runs the engine up to the cut: `session`, or where the route has a gate what that has.
  Result<Gate::Passed> RunTo(Session* session, const TensorView& input);
  /// Adds the verdict of a gate's head to the payloads.
  void AddVerdict(const ExitVerdict& verdict, Prepared& out) const;
  /// Makes of a picture that leaves at the gate all that is sent of it; `start`: when the engine
  /// was done.
  Status Leave(const ExitVerdict& verdict, Nanos start, Prepared& out) const;

  // Set by Make before the mechanism's own Init.
  std::string name_;
  Cut cut_;
  std::string codec_;
  Route route_;
  uint64_t model_id_ = 0, bundle_id_ = 0;
  ModelCard card_;
  std::optional<Gate> gate_;
  std::optional<Little> little_;  // of cloud-only

 private:
  Status OpenGate(const Network& network, const MechanismOptions& options);
};

/// The calibration to use: the file named, or MODEL.bundle beside the model where it exists.
/// kConflict when it was made for another model.
Result<std::optional<Bundle>> FindBundle(const Network& network, std::filesystem::path file);

/// The fewest bytes with which a calibrated cut still agrees with the whole network on 95 of 100
/// pictures; null when nothing at this cut does.
const CalibratedPair* CheapestPair(const Bundle& bundle, uint64_t cut_id);

}  // namespace fogline
