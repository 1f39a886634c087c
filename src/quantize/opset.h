// QuantizeLinear a channel came with ONNX's operator set 13: older networks are raised to it.
#pragma once

#include "base/result.h"
#include "quantize/net.h"

namespace fogline::quantize {

/// Rewrites what has changed from operator set 7 to 13 and says 13. kUnsupported names a layer that
/// cannot be raised. A network of 13 or later stays as it is.
Status RaiseOpset(Net& net);

}  // namespace fogline::quantize
