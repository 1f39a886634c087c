// The little network of a cascade, which answers before a picture goes to the cloud.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "edge/gate.h"
#include "edge/prepare.h"
#include "engine/session.h"
#include "vision/cascade.h"
#include "vision/network.h"

namespace fogline {

/// Opened for one route. Not thread-safe; copies share the engine.
class Little {
 public:
  /// The cascade beside `big`, with the threshold that `request` asks for. kNotFound for a network
  /// without one; kUsage for a gate that names another; kConflict for a promise that it cannot
  /// give.
  static Result<Little> Open(const Network& big, const GateRequest& request, int threads);

  /// What it said of a picture where it was sure enough, and whether the picture leaves then.
  struct Passed {
    std::optional<ExitVerdict> sure;
    bool left = false;
  };
  Result<Passed> Run(const Image& picture);

  /// As frames name it, but for whether one left; and as routes do.
  const FrameGate& name() const { return name_; }
  const ExitGate& route() const { return route_; }

 private:
  Little(const Network& big, const Network& little)
      : prepare_(little.card), big_(big.card), little_(little.card) {}

  Prepare prepare_;
  ModelCard big_, little_;
  size_t judged_ = 0;  // of its outputs
  double temperature_ = 1;
  uint32_t audit_ = 0;
  FrameGate name_;
  ExitGate route_;
  std::shared_ptr<Session> session_;
};

}  // namespace fogline
