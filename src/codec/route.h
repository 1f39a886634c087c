// All that says how one picture passes, as a value and as a line of text.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/codec.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// A model or a cut by what people call it, by what a frame calls it, or by both.
struct RouteName {
  std::string name;  // a model file's stem; a cut as FindCut takes it; empty: not known
  uint64_t id = 0;   // ShortId of Model::hash(); Cut::id; 0: not known

  friend bool operator==(const RouteName&, const RouteName&) = default;
};

/// Where a picture may be done with early: at the cut `at`, when the score there is past
/// `threshold`, from 0 to 1.
struct ExitGate {
  RouteName at;
  double threshold = 1;

  friend bool operator==(const ExitGate&, const ExitGate&) = default;
};

/// Edge-only and cloud-only are routes like any other. As text, with no character that a shell
/// takes for its own:
///
///     MODEL[@SIZE]:[exit=CUT@THRESHOLD:]CUT/CODEC[+CODEC…]
///
///     litter@160:split10/q4              litter at 160 x 160, split at split10, its tensor as q4
///     litter@224x160:input/jpeg:90       cloud-only, 224 wide and 160 high
///     litter:edge-only/result            the device runs it all, at the size of the card
///     twin@96:a,b/q4+f16                 two tensors cross, each with a codec of its own
///     twin@96:a,b/f16                    both as f16
///     litter:exit=split5@0.9:split10/q4  what is sure at split5 goes no further
///     +00000000000000ab:+000000000000001f/f16
///                                        as a frame names its model and cut: by +ID, which may
///                                        also follow a name
///
/// In names, a byte that is no letter, digit, '.', '_' or '-' is written %XX; in a cut ',', '/' and
/// ':' may stand as they are (in a gate's, ':' may not).
struct Route {
  static constexpr int kMostSide = 8192;
  static constexpr size_t kMostTensors = 64;

  RouteName model;
  int width = 0, height = 0;  // of the network's input, in pixels; 0 and 0: as the card says
  std::optional<ExitGate> gate;
  RouteName cut;
  std::vector<CodecName> codecs;  // one a tensor that crosses, or one for all; none: the result

  friend bool operator==(const Route&, const Route&) = default;
};

/// Reads the text; kUsage, naming it and what is wrong with it.
Result<Route> ParseRoute(std::string_view text);
/// The text that ParseRoute reads as the same route again. The route must be one: model and cut are
/// known, sizes are both 0 or from 1 to kMostSide, a threshold is from 0 to 1.
std::string ToString(const Route& route);

/// A route of this model at this cut, as people would write it; the size is left to the card.
Route RouteAt(const Model& model, const Cut& cut, std::vector<CodecName> codecs);

/// One codec for each tensor that crosses at the cut, from one for all or one for each; kUsage,
/// naming `flag`, when they are as many as neither.
Result<std::vector<CodecName>> OneForEach(const Cut& cut, std::vector<CodecName> codecs,
                                          const std::string& flag);

/// Which two halves of a network run, by content.
struct HalvesKey {
  uint64_t model = 0, cut = 0;

  friend auto operator<=>(const HalvesKey&, const HalvesKey&) = default;
};

/// And as what one tensor crosses: what coders are made for, at either side.
struct RouteKey {
  HalvesKey halves;
  uint32_t tensor = 0;  // as a frame names it
  /// ShortId of the calibration that a quantised tensor is coded by: devices change to another one
  /// by one. 0 for all others, which need none.
  uint64_t bundle = 0;
  uint8_t codec = 0, parameter = 0;  // as on the wire

  friend auto operator<=>(const RouteKey&, const RouteKey&) = default;
};
RouteKey KeyOf(const HalvesKey& halves, uint64_t bundle, uint32_t tensor, const CodecName& codec);

}  // namespace fogline
