#include "vision/mask_pixels.h"

#include <algorithm>
#include <cmath>

#include "base/probability.h"
#include "vision/floats.h"

namespace fogline {

MaskPixels::MaskPixels(const TensorView& tensor, const MaskHead& head, const ModelCard& card)
    : tensor_(tensor), head_(head), card_(card), least_(static_cast<float>(card.mask.least_score)) {
  const double p = card.mask.least_score;
  if (card.mask.logits.value_or(false)) least_ = static_cast<float>(std::log(p / (1 - p)));
}

Result<std::span<const uint16_t>> MaskPixels::Read(int64_t y, int64_t x, int64_t count) {
  const auto from = static_cast<size_t>(y * head_.width + x), n = static_cast<size_t>(count);
  classes_.assign(n, 0);
  if (head_.channels > 1) {
    FOGLINE_CHECK(head_.channels_last ? ByPixels(from, n) : ByPlanes(from, n));
  } else {
    FOGLINE_CHECK(head_.numbers ? ByNumber(from, n) : ByScore(from, n));
  }
  return std::span<const uint16_t>(classes_);
}

Result<std::span<const float>> MaskPixels::Floats(size_t from, size_t count) {
  const size_t size = ElementBytes(tensor_.dtype);
  const TensorView part{tensor_.dtype, Shape{static_cast<int64_t>(count)},
                        tensor_.data.subspan(from * size, count * size)};
  const auto values = AsFloats(part, room_);
  if (values.size() == count) return values;
  return Fail(ErrorCode::kConflict, card_.output, "gives its mask as {}, which nobody reads",
              DTypeName(tensor_.dtype));
}

tl::unexpected<Error> MaskPixels::HasNaN() const {
  return Fail(ErrorCode::kConflict, card_.output, "holds NaN: the model is at fault");
}

Status MaskPixels::ByNumber(size_t from, size_t count) {
  const auto take = [&](auto values) -> Status {
    for (size_t i = 0; i < count; ++i) {
      const auto value = values[i];
      const auto number = static_cast<double>(value);
      // Written so that NaN is none.
      if (!(number >= 0 && number < kMostClasses && number == std::floor(number))) {
        return Fail(ErrorCode::kConflict, card_.output,
                    "gives {} as the class of a pixel: say scores and labels under [output] of the "
                    "card if it is a score, kind = \"raw\" if it is no mask",
                    value);
      }
      classes_[i] = static_cast<uint16_t>(number);
    }
    return {};
  };
  switch (tensor_.dtype) {
    case DType::kI32:
      return take(tensor_.as<int32_t>().subspan(from, count));
    case DType::kU32:
      return take(tensor_.as<uint32_t>().subspan(from, count));
    case DType::kI64:
      return take(tensor_.as<int64_t>().subspan(from, count));
    case DType::kU64:
      return take(tensor_.as<uint64_t>().subspan(from, count));
    case DType::kBool:
      return take(tensor_.as<uint8_t>().subspan(from, count));
    default: {
      FOGLINE_TRY(const auto values, Floats(from, count));
      return take(values);
    }
  }
}

Status MaskPixels::ByScore(size_t from, size_t count) {
  FOGLINE_TRY(const auto values, Floats(from, count));
  float low = 0, high = 0;
  int nan = 0;
  for (size_t i = 0; i < count; ++i) {
    const float v = values[i];
    nan |= static_cast<int>(v != v);
    low = std::min(low, v);
    high = std::max(high, v);
    classes_[i] = static_cast<uint16_t>(v >= least_);
  }
  if (nan != 0) return HasNaN();
  if (card_.mask.logits.value_or(false)) return {};
  if (ToProbability(low) && ToProbability(high)) return {};
  return Fail(ErrorCode::kConflict, card_.output,
              "gives a score of {} where 0 to 1 is due: say scores = \"logits\" under [output] of "
              "the card",
              ToProbability(low) ? high : low);
}

Status MaskPixels::ByPlanes(size_t from, size_t count) {
  const auto plane = static_cast<size_t>(head_.height * head_.width);
  int nan = 0;
  for (size_t c = 0; c < static_cast<size_t>(head_.channels); ++c) {
    FOGLINE_TRY(const auto values, Floats(c * plane + from, count));
    if (c == 0) best_.assign(values.begin(), values.end());
    for (size_t i = 0; i < count; ++i) {
      const float v = values[i];
      nan |= static_cast<int>(v != v);
      const bool better = v > best_[i];
      best_[i] = better ? v : best_[i];
      classes_[i] = better ? static_cast<uint16_t>(c) : classes_[i];
    }
  }
  return nan != 0 ? Status(HasNaN()) : Status();
}

Status MaskPixels::ByPixels(size_t from, size_t count) {
  const auto channels = static_cast<size_t>(head_.channels);
  int nan = 0;
  for (size_t i = 0; i < count; ++i) {
    FOGLINE_TRY(const auto values, Floats((from + i) * channels, channels));
    size_t best = 0;
    for (size_t c = 0; c < channels; ++c) {
      nan |= static_cast<int>(values[c] != values[c]);
      if (values[c] > values[best]) best = c;
    }
    classes_[i] = static_cast<uint16_t>(best);
  }
  return nan != 0 ? Status(HasNaN()) : Status();
}

}  // namespace fogline
