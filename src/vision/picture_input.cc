#include "vision/picture_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace fogline {
namespace {

/// What is smaller is a list or a matrix of something else, unless it has three channels.
constexpr int64_t kLeastSide = 8;

bool IsSide(int64_t size) { return size < 0 || (size >= 1 && size <= kMaxPictureSide); }

/// The three dimensions from `first` on as a picture of so many channels, if they can be one.
std::optional<PictureInput> AsPicture(const Port& port, size_t first, int channels, bool last) {
  const Shape& s = port.shape;
  const int64_t height = s[first + (last ? 0 : 1)], width = s[first + (last ? 1 : 2)];
  if (s[first + (last ? 2 : 0)] != channels || !IsSide(height) || !IsSide(width)) return {};
  const auto is_small = [](int64_t side) { return side >= 0 && side < kLeastSide; };
  if (channels != 3 && (is_small(height) || is_small(width))) return {};
  PictureInput picture;
  picture.tensor = port.name;
  picture.dtype = port.dtype;
  picture.channels = channels;
  picture.channels_last = last;
  picture.height = static_cast<int>(std::max<int64_t>(0, height));
  picture.width = static_cast<int>(std::max<int64_t>(0, width));
  picture.batched = first == 1;
  picture.batch = picture.batched ? std::max<int64_t>(1, s[0]) : 1;
  return picture;
}

std::optional<PictureInput> AsPicture(const Port& port, const PictureHint& hint) {
  const bool number =
      port.dtype == DType::kF32 || port.dtype == DType::kF16 || port.dtype == DType::kU8;
  const size_t rank = port.shape.rank();
  if (!number || (rank != 3 && rank != 4) || port.shape[0] == 0) return {};
  for (const int channels : {3, 1, 4}) {
    // A sequence is also one by so many by so many: of one channel only the card can tell.
    if (rank == 3 && channels == 1 && !hint.grey && hint.tensor != port.name) continue;
    for (const bool last : {false, true}) {
      if (auto picture = AsPicture(port, rank - 3, channels, last)) return picture;
    }
  }
  return {};
}

std::string Describe(const std::vector<Port>& inputs) {
  std::string all;
  for (const Port& p : inputs) {
    all += fmt::format("{}'{}' {} {}", all.empty() ? "" : ", ", p.name, DTypeName(p.dtype),
                       p.shape.ToString());
  }
  return all.empty() ? "no input" : all;
}

/// What its owner could do about a network whose inputs are none of the kinds there are.
const char* Help(const std::vector<Port>& inputs) {
  const bool matrix = std::ranges::any_of(inputs, [](const Port& p) {
    return p.shape.rank() == 3 && (p.shape[0] == 1 || p.shape[2] == 1) &&
           ElementBytes(p.dtype) <= 4;
  });
  if (matrix) {
    return "; if it takes pictures of one channel without a batch, say color = \"grey\" under "
           "[input] of its card";
  }
  const bool unknown =
      std::ranges::any_of(inputs, [](const Port& p) { return p.shape.rank() == 0; });
  return unknown ? "; export it with the shapes of its inputs" : "";
}

}  // namespace

Shape PictureInput::shape() const {
  const int64_t c = channels, h = height, w = width;
  const std::array<int64_t, 4> dims =
      channels_last ? std::array<int64_t, 4>{batch, h, w, c} : std::array{batch, c, h, w};
  return Shape(std::span(dims).subspan(batched ? 0 : 1));
}

Result<PictureInput> FindPicture(const std::vector<Port>& inputs, const PictureHint& hint) {
  std::vector<PictureInput> found;
  for (const Port& port : inputs) {
    if (auto picture = AsPicture(port, hint)) found.push_back(*std::move(picture));
  }
  if (!hint.tensor.empty()) {
    const auto named = std::ranges::find(found, hint.tensor, &PictureInput::tensor);
    if (named != found.end()) return *named;
    return Fail(ErrorCode::kUnsupported, "",
                "takes {}, and '{}', which its card names, is no picture among them (1, 3 or 4 "
                "channels in float32, float16 or uint8)",
                Describe(inputs), hint.tensor);
  }
  if (found.empty()) {
    return Fail(ErrorCode::kUnsupported, "",
                "takes {}, not a picture (1, 3 or 4 channels in float32, float16 or uint8){}",
                Describe(inputs), Help(inputs));
  }
  const auto colored = [](const PictureInput& p) { return p.channels == 3; };
  if (found.size() > 1) {
    // A mask or a depth beside the picture has one channel.
    if (std::ranges::count_if(found, colored) == 1) return *std::ranges::find_if(found, colored);
    return Fail(ErrorCode::kUnsupported, "",
                "takes {}: several could be the picture; name one with tensor = \"{}\" under "
                "[input] of its card",
                Describe(inputs), found.front().tensor);
  }
  return found.front();
}

}  // namespace fogline
