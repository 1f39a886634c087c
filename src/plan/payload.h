// What may cross at a cut: the same tensors as different codecs would send them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "codec/bundle.h"
#include "codec/codec.h"
#include "graph/cut.h"
#include "vision/contract.h"

namespace fogline {

/// One way of sending a cut's tensors. (Payload is frame/'s: the bytes themselves.)
struct PayloadOption {
  std::string codec;  // as ParseCodec reads it; "verdict" and "none" at the edge-only cut
  Bytes bytes;        // mean of one picture, without headers
  Bytes headers;      // what a frame says of each of its tensors before those
  std::optional<double> agreement;  // with the unsplit model; none: nobody measured it
  std::optional<double> accuracy;   // top-1, where calibration had labels
  std::optional<double> metric;     // the user's own, where calibration had one
  bool exact = false;               // changes nothing at all
  Milliseconds encode, decode;      // on the thread that codecs were timed on
  bool estimate = false;            // bytes come from a rule, not from calibration or the format

  /// What of it makes a message longer.
  Bytes sent() const { return bytes + headers; }
};

/// Bytes of one message beside what its payloads are and say of themselves (PayloadOption::sent):
/// the rest of Fogline's frame, MQTT, TLS, TCP/IP of a packet. With one tensor of four dimensions
/// that makes 160.
constexpr Bytes kMessageOverhead{131};
/// What an edge that ran the whole network sends: label, score, position, time; and more of each
/// thing that is no class, of which there are so many on a picture.
constexpr Bytes kVerdict{64};
constexpr Bytes kMoreOfBoxes{24 * 10}, kMoreOfMask{600}, kMoreOfOutput{24}, kMoreOfNumber{16};

/// What coding a tensor takes on the thread that codecs were timed on.
struct CodingTime {
  Milliseconds encode, decode;
};
CodingTime TimeOf(const CodecName& codec, const Port& tensor);

/// Looks codecs up in what calibration measured, and adds those whose size is known without it.
class PayloadBook {
 public:
  /// `bundle` may be null. `only`, when not empty, lists the codecs allowed. Refers to all but
  /// `only`.
  PayloadBook(const Model& model, const ModelContract& contract, const Bundle* bundle,
              std::vector<std::string> only);

  /// Every allowed way of sending the cut, cheapest format first; empty when none is allowed.
  std::vector<PayloadOption> At(const Cut& cut) const;
  /// The same for one activation by itself (what a min-cut over layers needs).
  std::vector<PayloadOption> Of(int activation) const;
  /// What is sent when nothing is left to compute: what the outputs say of the picture, or the
  /// outputs themselves of a model that takes no pictures.
  std::vector<PayloadOption> Results() const;
  /// The same where results are wanted on the edge.
  PayloadOption Nothing() const;

 private:
  std::vector<PayloadOption> Options(uint64_t id, const std::vector<Port>& tensors,
                                     bool input) const;

  /// The user's own metric where nothing is changed.
  std::optional<double> MetricUnchanged() const;

  const Model& model_;
  const ModelContract& contract_;
  const Bundle* bundle_;
  std::vector<std::string> only_;
};

}  // namespace fogline
