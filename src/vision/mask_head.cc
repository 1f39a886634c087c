#include "vision/mask_head.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vision/floats.h"

namespace fogline {
namespace {

constexpr int64_t kMostGuessed = 256;  // classes of a network without a card

/// The dimensions of one picture's part: height and width, or these with channels.
std::vector<int64_t> OnePicture(const Shape& shape, int64_t batch) {
  std::vector<int64_t> dims(shape.begin(), shape.end());
  if (dims.size() >= 3 && (dims[0] == 1 || dims[0] == batch)) dims.erase(dims.begin());
  return dims;
}

/// Whether height and width have the picture's proportions, but for rounding.
bool HasProportions(int64_t height, int64_t width, const ModelCard& card) {
  const double wanted = static_cast<double>(height) * card.width / std::max(card.height, 1);
  return std::abs(wanted - static_cast<double>(width)) <= 1 + 0.02 * wanted;
}

}  // namespace

std::optional<MaskHead> FindMaskHead(const Port& output, const ModelCard& card) {
  const auto elements = output.shape.Elements();
  if (!elements || *elements < 1) return {};
  const std::vector<int64_t> dims = OnePicture(output.shape, card.batch);
  MaskHead head;
  if (dims.size() == 2) {
    head.height = dims[0];
    head.width = dims[1];
  } else if (dims.size() == 3) {
    const auto labels = static_cast<int64_t>(card.labels.size());
    const auto fits = [&](int64_t channels, int64_t height, int64_t width) {
      return HasProportions(height, width, card) &&
             (labels == 0 || channels == labels || channels == 1);
    };
    const bool first = fits(dims[0], dims[1], dims[2]), last = fits(dims[2], dims[0], dims[1]);
    head.channels_last =
        card.mask.channels_last.value_or(first != last ? last : card.channels_last);
    head.channels = head.channels_last ? dims[2] : dims[0];
    head.height = head.channels_last ? dims[0] : dims[1];
    head.width = head.channels_last ? dims[1] : dims[2];
  } else {
    return {};
  }
  if (head.channels == 1) {
    head.numbers = !IsFloating(output.dtype) || card.labels.size() > 2;
    head.classes = head.numbers ? card.labels.size() : 2;
  } else {
    const bool readable = IsFloating(output.dtype) || ElementBytes(output.dtype) <= 2;
    if (!readable || head.channels > kMostClasses) return {};
    head.classes = static_cast<size_t>(head.channels);
  }
  return head;
}

std::string ShapesOfMasks() {
  return "1xCxHxW or 1xHxWxC scores of C classes, or 1xHxW or 1x1xHxW with one score or the number "
         "of a class a pixel";
}

bool LooksLikeMask(const Port& output, const ModelCard& card) {
  const auto head = FindMaskHead(output, card);
  if (!head || head->height != card.height || head->width != card.width) return false;
  if (head->numbers) return output.dtype == DType::kI32 || output.dtype == DType::kI64;
  const bool of_a_picture = head->channels == 1 || head->channels == 3 || head->channels == 4 ||
                            head->channels == card.channels;
  return IsFloating(output.dtype) && !of_a_picture && head->channels <= kMostGuessed;
}

}  // namespace fogline
