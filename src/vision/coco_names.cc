#include "vision/coco_names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fogline {
namespace {

constexpr std::array<std::string_view, 80> kNames{
    "person",        "bicycle",      "car",
    "motorcycle",    "airplane",     "bus",
    "train",         "truck",        "boat",
    "traffic light", "fire hydrant", "stop sign",
    "parking meter", "bench",        "bird",
    "cat",           "dog",          "horse",
    "sheep",         "cow",          "elephant",
    "bear",          "zebra",        "giraffe",
    "backpack",      "umbrella",     "handbag",
    "tie",           "suitcase",     "frisbee",
    "skis",          "snowboard",    "sports ball",
    "kite",          "baseball bat", "baseball glove",
    "skateboard",    "surfboard",    "tennis racket",
    "bottle",        "wine glass",   "cup",
    "fork",          "knife",        "spoon",
    "bowl",          "banana",       "apple",
    "sandwich",      "orange",       "broccoli",
    "carrot",        "hot dog",      "pizza",
    "donut",         "cake",         "chair",
    "couch",         "potted plant", "bed",
    "dining table",  "toilet",       "tv",
    "laptop",        "mouse",        "remote",
    "keyboard",      "cell phone",   "microwave",
    "oven",          "toaster",      "sink",
    "refrigerator",  "book",         "clock",
    "vase",          "scissors",     "teddy bear",
    "hair drier",    "toothbrush",
};
/// Ids from 1 that COCO has given to nothing in its pictures.
constexpr std::array kUnused{12, 26, 29, 30, 45, 66, 68, 69, 71, 83};

}  // namespace

std::vector<std::string> CocoNames(BoxLayout layout, size_t classes) {
  if (classes == kNames.size()) return {kNames.begin(), kNames.end()};
  constexpr size_t kIds = kNames.size() + kUnused.size();
  if (layout != BoxLayout::kSsd || classes != kIds) return {};
  std::vector<std::string> names;
  auto name = kNames.begin();
  for (size_t id = 1; id <= kIds; ++id) {
    const bool unused = std::ranges::find(kUnused, static_cast<int>(id)) != kUnused.end();
    names.emplace_back(unused ? "class " + std::to_string(id - 1) : std::string(*name++));
  }
  return names;
}

}  // namespace fogline
