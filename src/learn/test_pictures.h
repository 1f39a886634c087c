// Folders of drawn photographs and a small backbone, for the tests of this room.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vision/image.h"

namespace fogline::test {

/// A grey scene with texture; with `spot` a saturated red patch somewhere in its middle. The same
/// number gives the same picture.
Image DrawScene(uint64_t number, bool spot, int width = 96, int height = 72);

/// Writes `spots` pictures with and `plain` ones without a patch, in two sub-folders.
void DrawFolders(const std::filesystem::path& folder, const std::string& with, size_t spots,
                 const std::string& without, size_t plain);

/// The smallest network that can tell them apart: 3x3 convolution of stride 2 to 12 channels, ReLU,
/// 3x3 to 16, ReLU, then (when `pooled`) GlobalAveragePool, Flatten and a classifier of 5. Takes
/// [batch, 3, size, size].
void WriteBackbone(const std::filesystem::path& file, bool pooled = true,
                   const std::string& size = "32");

}  // namespace fogline::test
