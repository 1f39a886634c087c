// Little-endian reading and writing of foreign bytes: the one place where lengths from a network
// are believed or not.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fogline {

static_assert(std::endian::native == std::endian::little,
              "tensors travel as this machine's memory; a big-endian port must swap here");

/// Whether `text` stands in `bytes` from `at` on: how files say what they are.
inline bool StartsWith(std::span<const std::byte> bytes, std::string_view text, size_t at = 0) {
  return bytes.size() >= at && bytes.size() - at >= text.size() &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

/// Reads forward and never past the end. After the first short read ok() is false and every value
/// is 0 or empty, so that a parser checks once at the end.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> data) : data_(data) {}

  template <typename T>
  requires std::is_arithmetic_v<T> T Read() {
    T value{};
    if (const auto bytes = Take(sizeof(T)); bytes.size() == sizeof(T)) {
      std::memcpy(&value, bytes.data(), sizeof(T));
    }
    return value;
  }

  /// The next `count` bytes, viewed; empty and not ok() when there are fewer.
  std::span<const std::byte> Take(size_t count) {
    if (!ok_ || count > data_.size() - at_) {
      ok_ = false;
      return {};
    }
    const auto taken = data_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  std::string_view TakeText(size_t count) {
    const auto bytes = Take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  bool ok() const { return ok_; }
  size_t position() const { return at_; }
  size_t remaining() const { return ok_ ? data_.size() - at_ : 0; }

 private:
  std::span<const std::byte> data_;
  size_t at_ = 0;
  bool ok_ = true;
};

/// Appends to a buffer that the caller keeps and reuses, so that a steady state allocates nothing.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}

  template <typename T>
  requires std::is_arithmetic_v<T>
  void Write(T value) { Append({reinterpret_cast<const std::byte*>(&value), sizeof(T)}); }
  void Append(std::span<const std::byte> data) {
    const size_t at = out_.size();
    out_.resize(at + data.size());
    if (!data.empty()) std::memcpy(out_.data() + at, data.data(), data.size());
  }
  void Append(std::string_view text) { Append(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Overwrites a value written earlier (a length or checksum known only later).
  template <typename T>
  requires std::is_arithmetic_v<T>
  void Patch(size_t at, T value) { std::memcpy(out_.data() + at, &value, sizeof(T)); }
  size_t size() const { return out_.size(); }

 private:
  std::vector<std::byte>& out_;
};

}  // namespace fogline
