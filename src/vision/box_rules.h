// What a card says of boxes: how the network writes them, and which of them are told.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fogline {

/// How a network writes its boxes into its outputs; docs/vision.md has the table.
enum class BoxLayout : uint8_t {
  kYolov5,
  kYolov8,
  kYolox,
  kNanodet,
  kPicodet,
  kFastestdet,
  kSsd,
  kRetina,
  kUltraface,
  kYunet,
  kBlazeface,
  kNms,
};

/// The card's word for it: "yolov5" …
std::string_view NameOf(BoxLayout layout);
std::optional<BoxLayout> BoxLayoutOf(std::string_view word);

struct BoxRules {
  std::optional<BoxLayout> layout;  // none: nobody knows
  bool guessed = false;             // from the shapes, not said by the card
  /// Whether scores have yet to go through a sigmoid (or, beside a background, a softmax); none:
  /// what the layout usually gives.
  std::optional<bool> logits;
  double least_score = 0.25;  // what is less sure is not told
  double overlap = 0.45;      // of two boxes of a class that share more (IoU), the surer one stays
  int most = 100;             // so many of the surest are told, 1…300
  /// Anchors of the layouts "ssd" and "retina", level by level: pixels between two cells, and the
  /// sides of a cell's square anchors in pixels. Each also comes in these ratios of width to
  /// height.
  std::vector<int> strides;
  std::vector<std::vector<double>> sizes;
  std::vector<double> ratios{1};

  bool operator==(const BoxRules&) const = default;
};

}  // namespace fogline
