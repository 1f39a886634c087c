#include "edge/route_pool.h"

#include "edge/pace.h"
#include "frame/frame_route.h"

namespace fogline {

Result<size_t> RoutePool::Open(MechanismOptions options) {
  options.prefixes = &prefixes_;
  FOGLINE_TRY(auto made, Mechanism::Make(network_, options));
  // The engine has its own copy of what it needs.
  network_.model.ReleasePages();
  if (!pace_.empty()) {
    FOGLINE_TRY(made, PaceMechanism(std::move(made), network_, options, pace_));
  }
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < open_.size(); ++i) {
    if (open_[i]->IsLike(*made)) return i;
  }
  open_.push_back(std::move(made));
  return open_.size() - 1;
}

const Mechanism& RoutePool::at(size_t route) const {
  const std::lock_guard lock(mutex_);
  return *open_[route];
}

std::string RoutePool::TextOf(const Frame& frame) const {
  const auto named = RouteOf(frame);
  if (!named) return {};
  const std::lock_guard lock(mutex_);
  for (const auto& mechanism : open_) {
    Frame like;
    mechanism->Stamp(like);
    // What left at a gate says no codec.
    const bool left = frame.gate && frame.gate->left;
    like.gate = like.gate ? FrameGate{like.gate->at, like.gate->threshold, left} : like.gate;
    const bool same = HalvesOf(like) == HalvesOf(frame) && like.gate == frame.gate &&
                      (left || mechanism->route().codecs == named->codecs);
    if (same) return ToString(mechanism->route());
  }
  return ToString(*named);
}

}  // namespace fogline
