// From any picture to the network's input, as the card says.
#pragma once

#include "base/tensor.h"
#include "vision/card.h"
#include "vision/image.h"

namespace fogline {

/// The part of a width × height picture that the network sees: all of it but for a centre crop.
Rectangle SeenPart(int width, int height, const ModelCard& card);

/// Crops, squashes or letterboxes to the network's size; still 8-bit RGB, which is what cloud-only
/// sends. `out` keeps its memory.
void FitToInput(const Image& image, const ModelCard& card, Image& out);

/// Normalises a picture of exactly the network's size into its input tensor, which must have the
/// card's dtype and shape: (value − mean) / std for float32 and float16, the bare values for uint8.
/// Every row of a batch gets the same picture.
void Normalise(const Image& fitted, const ModelCard& card, Tensor& out);

/// The short side below which decoding need not shrink: a photograph is decoded at least this
/// large.
int DecodeAtLeast(const ModelCard& card);

}  // namespace fogline
