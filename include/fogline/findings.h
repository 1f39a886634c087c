// What a network said about a picture, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fogline/export.h"

namespace fogline::v1 {

/// A class and how sure: a probability, or for masks its share of the picture. 0…1.
struct Score {
  std::string label;
  float score = 0;
};

/// One object. x and y are its upper left corner; all four are parts of the picture, 0…1.
struct Box {
  std::string label;
  float score = 0;
  float x = 0, y = 0, width = 0, height = 0;
};

struct NamedNumber {
  std::string name;
  double value = 0;
  std::string unit;  // "" for none
};

/// What the outputs mean by the model's card: `kind` says which of the lists is filled.
struct Findings {
  std::string kind;            // "classes", "boxes", "mask", "numbers" or "raw"
  std::vector<Score> classes;  // the likeliest, best first
  std::vector<Box> boxes;      // the surest first
  std::vector<Score> shares;   // of a mask, the largest first
  std::vector<NamedNumber> numbers;

  // The verdict.
  std::string label;  // of the class, the surest box or the largest share
  float score = 0;
  bool positive = true;  // worth reporting, as the card has it
};

}  // namespace fogline::v1
