// What a network's tensors hold on pictures.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "quantize/net.h"

namespace fogline::quantize {

/// Told on the calling thread, picture after picture.
using Seen = std::function<Status(size_t picture, std::span<const Tensor> tensors)>;

/// Runs every input through the network, as many at a time as there are threads, and tells what the
/// named tensors hold, in the order of `names`.
Status Watch(const Net& net, const std::vector<std::string>& names, std::span<const Tensor> inputs,
             int threads, const Seen& seen);

}  // namespace fogline::quantize
