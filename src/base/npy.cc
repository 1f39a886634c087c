#include "base/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"

namespace fogline {
namespace {

/// What follows "'key':" in the header, a Python dictionary.
std::string_view ValueOf(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size());
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
  return rest;
}

const std::map<std::string_view, DType>& Types() {
  static const std::map<std::string_view, DType> types{
      {"<f4", DType::kF32}, {"<f8", DType::kF64},  {"<f2", DType::kF16}, {"|u1", DType::kU8},
      {"|i1", DType::kI8},  {"|b1", DType::kBool}, {"<i2", DType::kI16}, {"<u2", DType::kU16},
      {"<i4", DType::kI32}, {"<u4", DType::kU32},  {"<i8", DType::kI64}, {"<u8", DType::kU64}};
  return types;
}

}  // namespace

Result<Tensor> ReadNpy(const std::filesystem::path& path) {
  const auto bad = [&](const char* why) {
    return Fail(ErrorCode::kInvalid, path.string(), "is no NumPy file that can be read: {}", why);
  };
  FOGLINE_TRY(const MappedFile file, MappedFile::Open(path));
  ByteReader reader(file.bytes());
  if (reader.TakeText(6) != "\x93NUMPY") return bad("it starts otherwise");
  const auto major = reader.Read<uint8_t>();
  reader.Read<uint8_t>();
  if (major < 1 || major > 3) return bad("its version is unknown");
  const size_t length = major == 1 ? reader.Read<uint16_t>() : reader.Read<uint32_t>();
  const std::string_view header = reader.TakeText(length);
  if (!reader.ok()) return bad("it is cut off");

  const std::string_view descr = ValueOf(header, "'descr'");
  if (descr.size() < 4 || !Types().contains(descr.substr(1, 3))) return bad("its elements");
  if (!ValueOf(header, "'fortran_order'").starts_with("False"))
    return bad("it is in Fortran order");
  std::string_view rest = ValueOf(header, "'shape'");
  if (!rest.starts_with("(")) return bad("it has no shape");
  std::vector<int64_t> dims;
  for (rest.remove_prefix(1); !rest.empty() && rest.front() != ')';) {
    if (rest.front() == ',' || rest.front() == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0 || dims.size() == Shape::kMaxRank)
      return bad("its shape");
    dims.push_back(value);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  }
  const Port port{"", Types().at(descr.substr(1, 3)), Shape(dims)};
  const auto bytes = port.Bytes();
  if (!bytes || static_cast<size_t>(*bytes) != reader.remaining()) {
    return bad("its size is not what its shape promises");
  }
  Tensor tensor(port.dtype, port.shape);
  const auto data = reader.Take(reader.remaining());
  if (!data.empty()) std::memcpy(tensor.bytes().data(), data.data(), data.size());
  return tensor;
}

Result<std::vector<std::byte>> ToNpy(const TensorView& tensor) {
  const auto type =
      std::ranges::find_if(Types(), [&](const auto& t) { return t.second == tensor.dtype; });
  if (type == Types().end()) {
    return Fail(ErrorCode::kUnsupported, "", "NumPy has no type for {}", DTypeName(tensor.dtype));
  }
  std::string shape;
  for (const int64_t d : tensor.shape) shape += std::to_string(d) + ",";
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type->first, shape);
  // Magic, version and length take 10 bytes; data starts at a multiple of 64 after a newline.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::vector<std::byte> file;
  ByteWriter writer(file);
  writer.Append("\x93NUMPY");
  writer.Write(uint8_t{1});
  writer.Write(uint8_t{0});
  writer.Write(static_cast<uint16_t>(header.size()));
  writer.Append(header);
  writer.Append(tensor.data);
  return file;
}

Status WriteNpy(const std::filesystem::path& path, const TensorView& tensor) {
  const auto file = ToNpy(tensor);
  if (!file) return Fail(file.error().code, path.string(), "{}", file.error().message);
  return WriteFile(path, *file);
}

std::string FileStem(std::string_view name) {
  constexpr size_t kLongest = 80;
  std::string safe;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-';
    safe += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
    if (safe.size() >= kLongest) break;
  }
  return safe.empty() ? "%" : safe;
}

}  // namespace fogline
