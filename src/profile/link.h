// The network between edge and cloud: rates, latency, loss, money, radio energy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "profile/trace.h"

namespace fogline {

/// Not named Link, which is link/'s MQTT session: one program holds both.
struct LinkProfile {
  std::string name, title, source;
  MegabitsPerSecond up, down;  // goodput of a long transfer without loss
  Milliseconds rtt;
  bool rtt_known = true;  // false: nobody said, it is taken for 0
  double loss = 0;        // share of packets that TCP sees lost
  EuroPerGigabyte price;
  // Radio energy on the edge: so much for every byte, and so much power while any is in the air.
  MillijoulesPerKilobyte energy_up, energy_down;
  Watts radio;
  std::optional<Trace> trace;  // of the uplink; its mean is `up`

  /// What TCP gets out of a direction: the rate, or MSS/RTT · 1.22/√loss when that is less
  /// (Mathis et al. 1997).
  MegabitsPerSecond EffectiveRate(MegabitsPerSecond rate) const;
};

/// `up=8Mbps,down=30Mbps,rtt=40ms[,loss=0.1%][,price=5]`: units kbps, Mbps, Gbps; ms, s. down
/// defaults to up, rtt to 0. kUsage for anything else, zero and negative rates among it.
Result<LinkProfile> ParseInlineLink(std::string_view text);

/// Sets what such a text names in `link` and leaves the rest: a link of the library with another
/// rate. kUsage for another uplink than a recorded trace's own.
Status ApplyLinkText(std::string_view text, LinkProfile& link);

/// Reads the TOML text of a link of the library.
Result<LinkProfile> ParseLink(std::string_view toml, const std::string& where);

/// A link of which only the uplink's trace is known: down is taken equal to up.
LinkProfile LinkOfTrace(Trace trace, std::string name);

}  // namespace fogline
