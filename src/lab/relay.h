// A link in user space: a TCP relay that lets bytes through no faster and no sooner than a network
// would.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "profile/trace.h"

namespace fogline {

/// How a link treats bytes. Rates are goodput: headers of TCP and IP are not charged.
struct LinkShape {
  double up_mbps = 0, down_mbps = 0;  // 0: as fast as it goes
  double delay_ms = 0;                // each way
  double jitter_ms = 0;               // up to so much more, each way; order is kept
  double loss = 0;  // share of 1,448-byte segments lost; each stalls what follows, as TCP does
  std::optional<Trace> up_trace;  // instead of up_mbps
  uint64_t seed = 1;              // of jitter and loss

  bool shapes_rate() const { return up_mbps > 0 || down_mbps > 0 || up_trace.has_value(); }
};

/// How long a lost segment holds up what follows: a round trip where more segments are under way
/// (fast retransmit), at least 200 ms where none is (TCP's least time-out).
double StallMs(const LinkShape& shape, bool more_follows);

/// Listens on `address`; each connection goes on to `to_port` on loopback. All connections share
/// the link. What is under way waits in a buffer of 4 MiB, behind which the sender is held back.
///
/// Knows nothing of congestion windows: a transfer runs at the link's rate from its first byte.
class Relay {
 public:
  /// kUnavailable when it cannot listen there.
  static Result<std::unique_ptr<Relay>> Start(const std::string& address, int to_port,
                                              const LinkShape& shape);
  virtual ~Relay() = default;

  virtual int port() const = 0;
  /// Bytes let through so far.
  virtual uint64_t up_bytes() const = 0;
  virtual uint64_t down_bytes() const = 0;
};

}  // namespace fogline
