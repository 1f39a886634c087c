// The early exit of a route: up to where every picture goes, and how those go on that are not sure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/route.h"
#include "engine/session.h"
#include "frame/frame.h"
#include "graph/cut.h"
#include "vision/exits.h"
#include "vision/network.h"

namespace fogline {

/// What is asked of a gate.
struct GateRequest {
  /// By hand, as a route has it …
  std::optional<ExitGate> gate;
  /// … or the share of pictures whose class may differ from the whole network's: then the exit that
  /// saves most of the edge's work. One of the two.
  std::optional<double> most_disagreement;
  /// One in so many sure pictures, drawn by chance, goes on all the same; 0: none does.
  uint32_t audit = 0;
  std::string flag;  // by which it was asked for, for errors
};

/// An exit of a network that stands before a cut, and the threshold there.
struct ChosenGate {
  EarlyExit exit;
  Cut cut;  // where its tensor crosses
  GatePromise promise;
};

/// Whether a picture that was sure goes on all the same: one in so many, drawn by chance; 0: none.
bool DrawnForAudit(uint32_t one_in);

/// Finds it among the card's exits. kNotFound for a network without exits; kUsage for a gate that
/// is none of them or lies behind `cut`; kConflict for a promise that none can give.
Result<ChosenGate> ChooseGate(const Network& network, const Cut& cut, const GateRequest& request);

/// Opened for one route. Not thread-safe; copies share the engine.
class Gate {
 public:
  /// With so many threads of the engine.
  static Result<Gate> Open(const Network& network, const Cut& cut, const ChosenGate& chosen,
                           uint32_t audit, int threads);

  /// What became of a picture.
  struct Passed {
    std::optional<ExitVerdict> sure;  // what the head said where it was sure enough
    bool left = false;                // it was, and nothing follows: no outputs
    std::vector<Tensor> outputs;      // of the cut's tensors, in their order
  };
  /// Runs the layers up to the exit and its head; then, unless the picture leaves there, those
  /// between the exit and the cut, from the exit's tensor: nothing runs twice.
  Result<Passed> Run(const TensorView& input);

  /// As frames name it, but for whether one left.
  const FrameGate& name() const { return name_; }

 private:
  Gate() = default;

  FrameGate name_;
  ModelCard card_;
  uint32_t audit_ = 0;
  std::shared_ptr<Session> before_;  // gives the exit's tensor and the head's logits
  std::shared_ptr<Session> after_;   // from there to the cut; null: the cut is there
  /// For each tensor of the cut its place among after_'s outputs; -1: the exit's tensor itself.
  std::vector<int> places_;
};

}  // namespace fogline
