// A link made by the kernel: a network namespace of its own, joined to ours by a pair of interfaces
// that are shaped in both directions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/relay.h"

namespace fogline {

class KernelLink {
 public:
  /// The kernel holds the rates (tbf). It also holds delay, jitter and loss where it has netem;
  /// has_netem() says so. kUnavailable where namespaces or shaping are not allowed, and for a
  /// recorded trace, which the kernel cannot replay.
  static Result<std::unique_ptr<KernelLink>> Make(const LinkShape& shape);
  virtual ~KernelLink() = default;

  /// To be put before a command so that it runs behind the link.
  virtual const std::vector<std::string>& enter() const = 0;
  /// Our address as seen from there.
  virtual const std::string& address() const = 0;
  virtual bool has_netem() const = 0;
};

}  // namespace fogline
