// What the outputs of each layout look like.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "vision/box_head.h"

namespace fogline {

using Outputs = std::span<const Port>;

std::optional<BoxHead> FindYolov5(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindYolov8(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindYolox(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindNanodet(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindFastestdet(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindYunet(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindAnchors(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindUltraface(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindBlazeface(Outputs, const PictureInput&, const BoxRules&);
std::optional<BoxHead> FindNms(Outputs, const PictureInput&, const BoxRules&);

/// The grids of these strides over a picture: its size divided, rounded up.
std::vector<BoxLevel> LevelsOf(std::span<const int> strides, const PictureInput& picture);
size_t CellsOf(std::span<const BoxLevel> levels);

}  // namespace fogline
