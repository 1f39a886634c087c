#include "store/postgres_rows.h"

#include <bit>
#include <cmath>
#include <type_traits>

#include "base/format.h"

namespace fogline {
namespace {

constexpr std::string_view kEscape = "\xee\x80\x80";  // U+E000

template <typename Integer>
void AppendBigEndian(Integer value, std::string& out) {
  const auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  for (int shift = static_cast<int>(sizeof(bits)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((bits >> shift) & 0xff));
  }
}

uint64_t ReadBigEndian(std::span<const std::byte> bytes) {
  uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | static_cast<uint64_t>(byte);
  return value;
}

}  // namespace

std::string ToPostgresText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\0') {
      out.append(kEscape).push_back('0');
      ++i;
    } else if (text.substr(i).starts_with(kEscape)) {
      out.append(kEscape).push_back('1');
      i += kEscape.size();
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

std::string FromPostgresText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with(kEscape) && i + kEscape.size() < text.size()) {
      i += kEscape.size();
      if (text[i++] == '0') {
        out.push_back('\0');
      } else {
        out.append(kEscape);
      }
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

PostgresParameters& PostgresParameters::Add(int64_t value) {
  texts_.push_back(std::to_string(value));
  return *this;
}

PostgresParameters& PostgresParameters::Add(double value) {
  texts_.push_back(std::isfinite(value) ? fmt::format("{:.17g}", value)
                   : std::isnan(value)  ? "NaN"
                   : value > 0          ? "Infinity"
                                        : "-Infinity");
  return *this;
}

PostgresParameters& PostgresParameters::Add(std::string_view text) {
  texts_.push_back(ToPostgresText(text));
  return *this;
}

PostgresParameters& PostgresParameters::AddArray(std::span<const int64_t> values) {
  texts_.push_back(fmt::format("{{{}}}", fmt::join(values, ",")));
  return *this;
}

PostgresParameters& PostgresParameters::AddArray(std::span<const float> values) {
  std::string text = "{";
  for (const float value : values) {
    if (text.size() > 1) text.push_back(',');
    text += std::isfinite(value) ? fmt::format("{:.9g}", value) : "NULL";
  }
  texts_.push_back(text + "}");
  return *this;
}

std::vector<const char*> PostgresParameters::values() const {
  std::vector<const char*> values;
  for (const std::string& text : texts_) values.push_back(text.c_str());
  return values;
}

bool PostgresRows::IsNull(size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::span<const std::byte> PostgresRows::Bytes(size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {reinterpret_cast<const std::byte*>(PQgetvalue(result_.get(), at, column)),
          static_cast<size_t>(PQgetlength(result_.get(), at, column))};
}

int64_t PostgresRows::Integer(size_t row, int column) const {
  const auto bytes = Bytes(row, column);
  const uint64_t bits = ReadBigEndian(bytes);
  switch (bytes.size()) {
    case 2:
      return static_cast<int16_t>(bits);
    case 4:
      return static_cast<int32_t>(bits);
    default:
      return static_cast<int64_t>(bits);
  }
}

double PostgresRows::Real(size_t row, int column) const {
  const auto bytes = Bytes(row, column);
  const uint64_t bits = ReadBigEndian(bytes);
  if (bytes.size() == 4) return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

std::string PostgresRows::Text(size_t row, int column) const {
  const auto bytes = Bytes(row, column);
  return FromPostgresText({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

PostgresCopy::PostgresCopy() {
  using std::string_view_literals::operator""sv;
  bytes_ = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;  // signature, flags, length of the extension
}

template <typename Integer>
void PostgresCopy::Number(Integer value) {
  AppendBigEndian(static_cast<int32_t>(sizeof(value)), bytes_);
  AppendBigEndian(value, bytes_);
}

void PostgresCopy::Row(int values) {
  ++rows_;
  AppendBigEndian(static_cast<int16_t>(values), bytes_);
}

void PostgresCopy::Null() { AppendBigEndian(int32_t{-1}, bytes_); }

void PostgresCopy::Small(int16_t value) { Number(value); }
void PostgresCopy::Int(int64_t value) { Number(static_cast<int32_t>(value)); }
void PostgresCopy::Big(int64_t value) { Number(value); }
void PostgresCopy::Bool(bool value) { Number(static_cast<int8_t>(value)); }

void PostgresCopy::Float(float value) { Number(std::bit_cast<int32_t>(value)); }

void PostgresCopy::Known(float value) {
  if (std::isnan(value)) {
    Null();
  } else {
    Float(value);
  }
}

void PostgresCopy::Double(double value) { Number(std::bit_cast<int64_t>(value)); }

void PostgresCopy::Text(std::string_view text) {
  const std::string escaped = ToPostgresText(text);
  Bytes(std::as_bytes(std::span(escaped)));
}

void PostgresCopy::Bytes(std::span<const std::byte> bytes) {
  AppendBigEndian(static_cast<int32_t>(bytes.size()), bytes_);
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string_view PostgresCopy::Finish() {
  AppendBigEndian(int16_t{-1}, bytes_);
  return bytes_;
}

}  // namespace fogline
