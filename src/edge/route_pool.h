// The routes that an edge has open.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/mechanism.h"
#include "vision/network.h"

namespace fogline {

/// Opened routes of one model, by number. Every source and worker of a process works from one pool,
/// so that the engine holds the weights of each prefix once. Thread-safe.
class RoutePool {
 public:
  /// `pace`: a machine to be as slow as (edge/pace.h); empty: as fast as this one is.
  RoutePool(Network network, std::string pace)
      : network_(std::move(network)), pace_(std::move(pace)) {}

  const Network& network() const { return network_; }

  /// Opens a route; the number of the one that is open already where it is the same. Routes that
  /// differ only in how they code share the engine.
  Result<size_t> Open(MechanismOptions options);
  /// Prefixes that the engine holds.
  size_t prefixes() const { return prefixes_.count(); }

  /// An open route, as one that nobody runs: for its names and limits.
  const Mechanism& at(size_t route) const;
  /// The route of a frame as text: an open one by its names, any other by ids, as the frame has it.
  std::string TextOf(const Frame& frame) const;
  /// An open route for one thread to run.
  Result<std::unique_ptr<Mechanism>> ForAThread(size_t route) const { return at(route).Another(); }

 private:
  const Network network_;
  const std::string pace_;
  Prefixes prefixes_;
  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<const Mechanism>>
      open_;  // under mutex_; what is open stays where it is
};

}  // namespace fogline
