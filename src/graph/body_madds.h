// Multiply-accumulates inside the graphs of If, Loop and Scan.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/model.h"

namespace fogline {

struct ModelData;

struct Madds {
  int64_t count = 0;
  bool at_least = false;  // some run an unknown number of times or could not be looked at
};

/// Of everything inside data.nodes[index]: of an If the larger branch; of a Loop whose number of
/// runs is a constant, and of a Scan, the body that many times; of any other the body once, and
/// `at_least` then. Shapes inside are asked of `types`, with the body as a model of its own.
/// A call of a local function that was not inlined is 0 and `at_least`.
Madds CountBodies(const ModelData& data, size_t index, const ShapeSource& types);

}  // namespace fogline
