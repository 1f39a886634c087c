// The calibrated codec: spatial transform, dead-zone quantiser, rANS with static tables.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "codec/quant_params.h"

namespace fogline {

class TensorCodec;

/// The codec of one level. `tag` is carried in the code's final states and checked when decoding:
/// sender and receiver that differ in bundle, tensor or level do not understand each other by
/// accident. kNotFound when `params` has no such level.
Result<std::unique_ptr<TensorCodec>> MakeQuantCodec(const QuantParams& params, int level,
                                                    uint64_t tag);

}  // namespace fogline
