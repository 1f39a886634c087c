// What a network said about a picture, as a value: what edge and cloud make of its outputs, frames
// carry, stores keep and the map shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// A class by its label's text, and its probability.
struct LabelScore {
  std::string label;
  float score = 0;
  bool operator==(const LabelScore&) const = default;
};

/// One class for the whole picture.
struct ClassFindings {
  int label = -1;   // class index, by the card's threshold where it has one
  float score = 0;  // probability of the positive class where the card names one, else of `label`
  std::vector<LabelScore> top;  // the likeliest, best first, as many as the card asks for
  bool operator==(const ClassFindings&) const = default;
};

/// One object. x and y are its upper left corner; all four are parts of the picture, 0…1.
struct FoundBox {
  std::string label;
  float score = 0;
  float x = 0, y = 0, w = 0, h = 0;
  bool operator==(const FoundBox&) const = default;
};

/// Objects, the surest first.
struct BoxFindings {
  std::vector<FoundBox> boxes;
  uint32_t cut_off = 0;  // less sure ones that there was no room for
  bool operator==(const BoxFindings&) const = default;
};

/// A part of the picture, 0…1.
struct LabelShare {
  std::string label;
  float share = 0;
  bool operator==(const LabelShare&) const = default;
};

/// What lies where, row by row from the upper left corner: cells of equal size that together are
/// the whole picture.
struct SmallMask {
  static constexpr int kMostSide = 64;
  static constexpr uint8_t kUnseen = 255;  // of a cell that the network was not shown

  uint8_t width = 0, height = 0;  // cells, 1…64; 0: there is no mask
  std::vector<uint8_t> cells;     // the place of each one's class among the shares, or kUnseen
  bool operator==(const SmallMask&) const = default;
};

/// How much of the picture is what, the largest share first, and roughly where.
struct MaskFindings {
  std::vector<LabelShare> shares;
  SmallMask mask{};
  bool operator==(const MaskFindings&) const = default;
};

struct NamedNumber {
  std::string name;
  double value = 0;
  std::string unit{};  // "" for none
  bool operator==(const NamedNumber&) const = default;
};

struct NumberFindings {
  std::vector<NamedNumber> numbers;
  bool operator==(const NumberFindings&) const = default;
};

struct RawTensor {
  std::string name;
  Shape shape;
  bool operator==(const RawTensor&) const = default;
};

/// Outputs that nobody knows how to read: which there are, and nothing of what they hold.
struct RawFindings {
  std::vector<RawTensor> tensors;
  bool operator==(const RawFindings&) const = default;
};

using Findings =
    std::variant<ClassFindings, BoxFindings, MaskFindings, NumberFindings, RawFindings>;

/// Longest label or name in bytes, and the most there can be of each kind.
inline constexpr size_t kMaxFoundText = 255;
inline constexpr size_t kMaxBoxes = 300;
inline constexpr size_t kMaxFound = 255;  // classes, shares, tensors
inline constexpr size_t kMaxNumbers = 1024;
inline constexpr size_t kMaxNumberTexts = 64 << 10;  // bytes of their names and units together

/// A text as findings hold it: what is too long is cut between two characters, what is not UTF-8 or
/// cannot be printed is written out.
std::string FoundText(std::string_view text);

/// The surest kMaxBoxes of any number, in order; the others are counted.
BoxFindings SurestOf(std::vector<FoundBox> boxes);

/// False for one class alone, which a label and a score say as well.
bool SaysMore(const Findings& findings);

/// kInvalid for what nobody stores: too many, texts that are too long or not UTF-8, numbers that
/// are none, scores and parts of the picture outside 0…1.
Status CheckFindings(const Findings& findings);

}  // namespace fogline
