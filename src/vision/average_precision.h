// How well boxes agree with true ones: mean average precision as COCO defines it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "vision/findings.h"

namespace fogline {

/// An object that is there. x and y are its upper left corner; all four are parts of the picture.
struct TrueBox {
  std::string label;
  float x = 0, y = 0, w = 0, h = 0;
  bool crowd = false;  // many of them in one box: whatever is found in it counts neither way
};

struct JudgedPicture {
  std::vector<TrueBox> truth;
  std::vector<FoundBox> found;
};

/// What intersection over union, or for a crowd intersection over the found box, says of a pair.
double OverlapOf(const TrueBox& truth, const FoundBox& found);

struct ClassPrecision {
  std::string label;
  size_t truth = 0;  // objects that are there, crowds apart
  double ap50 = 0, ap50_95 = 0;
};

struct MeanPrecision {
  std::vector<ClassPrecision> classes;  // those of which there is something, by label
  double map50 = 0, map50_95 = 0;       // means over these classes; 0 without one
};

/// COCOeval's figures for all areas and at most 100 boxes a class and picture: the mean over 101
/// recalls of the best precision at that recall or beyond, at an overlap of 0.5, and the mean of
/// those at 0.5, 0.55 … 0.95. Classes without an object in any picture count nowhere.
MeanPrecision PrecisionOf(std::span<const JudgedPicture> pictures);

/// Which boxes hit an object at an overlap of `least`, the surest first: found[i] hits truth
/// matched[i], -1: a false alarm, -2: neither, since it lies in a crowd.
std::vector<int> MatchBoxes(const JudgedPicture& picture, double least);

}  // namespace fogline
