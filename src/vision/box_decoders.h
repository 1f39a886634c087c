// Decoders, one a layout: from numbers to candidates in parts of the network's input. A head that
// FindBoxHead made says which outputs there are and how large they are; nothing else is read.
#pragma once

#include <span>
#include <vector>

#include "vision/box_candidates.h"
#include "vision/box_head.h"

namespace fogline {

/// A picture's numbers, output by output.
struct BoxNumbers {
  std::vector<std::span<const float>> outputs;
  std::vector<std::vector<float>> room;  // where outputs were of another type
  float width = 1, height = 1;           // of the network's input, pixels
  bool logits = false;                   // scores have yet to become probabilities
};

using BoxDecoder = void (*)(const BoxHead& head, const BoxRules& rules, const BoxNumbers& numbers,
                            BoxCandidates& found);

// Rows of one tensor.
void DecodeYolov5(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeYolov8(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeYolox(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
// Cells, level by level.
void DecodeNanodet(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeFastestdet(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeYunet(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
// Anchors.
void DecodeAnchors(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeUltraface(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
void DecodeBlazeface(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);
// What the network has suppressed itself.
void DecodeNms(const BoxHead&, const BoxRules&, const BoxNumbers&, BoxCandidates&);

/// The largest of some numbers and where it is, the first of equals; NaN is never it.
struct Largest {
  float value;
  size_t at;
};
Largest LargestOf(const float* values, size_t count);

/// The largest of each of `count` columns of a matrix of `rows` rows, `stride` numbers apart.
void LargestOfColumns(const float* values, size_t rows, size_t stride, size_t count,
                      float* largest);
/// The first row of a column that holds the value; the last where none does.
int RowWith(float value, const float* column, size_t rows, size_t stride);

float Sigmoid(float x);

}  // namespace fogline
