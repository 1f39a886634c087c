// What is exported, and the namespace of this version of the library.
#pragma once

#define FOGLINE_API __attribute__((visibility("default")))

// To users fogline::v1::Model is fogline::Model, and a library with another v keeps its names apart
// from these. Within the library itself fogline::Model is what stands behind it.
#ifndef FOGLINE_BUILDING
namespace fogline {
namespace v1 {}
using namespace v1;
}  // namespace fogline
#endif
