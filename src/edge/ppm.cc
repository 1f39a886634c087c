#include "edge/ppm.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace fogline {

std::span<std::byte> PpmReader::Room() {
  // The header byte by byte: where it ends nobody knows before.
  if (header_ == 0) return std::as_writable_bytes(std::span(text_)).subspan(filled_, 1);
  return std::as_writable_bytes(std::span(picture_.rgb)).subspan(filled_ - header_);
}

Result<bool> PpmReader::Filled(size_t n) {
  filled_ += n;
  if (header_ == 0) {
    const std::string_view text(text_.data(), filled_);
    if (std::ranges::count(text, '\n') == 3) {
      FOGLINE_CHECK(ReadHeader());
    } else if (filled_ == text_.size()) {
      return Fail(ErrorCode::kInvalid, "", "no picture begins where one should");
    }
    return false;
  }
  if (filled_ < header_ + picture_.rgb.size()) return false;
  filled_ = header_ = 0;
  return true;
}

void PpmReader::Take(Image& out) { std::swap(out, picture_); }

Status PpmReader::ReadHeader() {
  const char* at = text_.data();
  const char* const end = at + filled_;
  int width = 0, height = 0;
  const auto number = [&](int& value) {
    const auto [stop, error] = std::from_chars(at, end, value);
    at = stop;
    return error == std::errc() && value > 0;
  };
  const auto word = [&](std::string_view text) {
    if (!std::string_view(at, end).starts_with(text)) return false;
    at += text.size();
    return true;
  };
  if (!word("P6\n") || !number(width) || !word(" ") || !number(height) || !word("\n255\n")) {
    return Fail(ErrorCode::kInvalid, "", "no picture begins where one should");
  }
  const int64_t pixels = int64_t{width} * height;
  if (pixels > kMaxPixels) {
    return Fail(ErrorCode::kExhausted, "", "{} × {} pixels are more than {} M", width, height,
                kMaxPixels / 1'000'000);
  }
  picture_.width = width;
  picture_.height = height;
  picture_.rgb.resize(static_cast<size_t>(pixels) * 3);
  header_ = filled_;
  return {};
}

}  // namespace fogline
