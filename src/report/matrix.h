// A confusion matrix as a picture: what things are, and what they were taken for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fogline {

struct MatrixChart {
  std::string label;  // for those who cannot see it
  std::string row_title = "is", column_title = "taken for";
  std::vector<std::string> names;           // of rows and columns alike
  std::vector<std::vector<size_t>> counts;  // [row][column]

  /// One <svg>: cells shaded by their share of the row, the diagonal in one tone, all else in
  /// another.
  std::string Render() const;
};

}  // namespace fogline
