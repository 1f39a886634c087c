// Where a network's boxes lie in its outputs, found by their shapes alone.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/tensor.h"
#include "vision/box_rules.h"
#include "vision/picture_input.h"

namespace fogline {

/// Cells of one size: so many pixels of the network's input from one to the next.
struct BoxLevel {
  int stride = 0;
  size_t columns = 0, rows = 0;
  size_t scores = 0, boxes = 0, objects = 0;  // places among the outputs
  size_t cells() const { return columns * rows; }
};

/// What a decoder needs to know. Which of the members mean something depends on the layout.
struct BoxHead {
  BoxLayout layout = BoxLayout::kNms;
  size_t classes = 0;       // told apart; 0: the network says a class by its number
  size_t rows = 0;          // candidates
  size_t width = 0;         // numbers a candidate, where one tensor holds all of them
  size_t bins = 0;          // of the distribution that says a distance
  bool transposed = false;  // rows where the layout has columns
  bool joined = false;      // scores and boxes lie in one tensor
  size_t scores = 0, boxes = 0, labels = 0;  // places among the outputs
  std::vector<BoxLevel> levels;
};

/// A tensor's shape without its batch and without other dimensions of 1 in front: 1×3549×85 and
/// 3549×85 are the same rows.
Shape RowsOf(const Port& port, int64_t batch);

/// Whether outputs of these shapes can be of the layout, and how they lie then. The picture's size
/// must be known.
std::optional<BoxHead> FindBoxHead(BoxLayout layout, std::span<const Port> outputs,
                                   const PictureInput& picture, const BoxRules& rules);

/// The one layout that the shapes fit and nothing else that is common does; none where several
/// could be meant, or none is.
std::optional<BoxLayout> GuessBoxLayout(std::span<const Port> outputs, const PictureInput& picture);

/// In words, which shapes of a layout's outputs would fit a picture of this size.
std::string ShapesOf(BoxLayout layout, const PictureInput& picture, const BoxRules& rules);

}  // namespace fogline
