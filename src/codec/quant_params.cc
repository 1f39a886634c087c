#include "codec/quant_params.h"

#include <cmath>

#include "base/bytes.h"
#include "base/half.h"

namespace fogline {
namespace {

bool AllWithin(std::span<const float> values, float low, float high) {
  for (const float v : values) {
    if (!(v >= low && v <= high)) return false;
  }
  return true;
}

void WriteTable(const QuantTable& table, ByteWriter& writer) {
  writer.Write(static_cast<int8_t>(table.low));
  writer.Write(static_cast<uint16_t>(table.frequencies.size()));
  for (const uint16_t f : table.frequencies) writer.Write(f);
  writer.Write(table.threshold);
  writer.Write(table.rounding);
  for (const int8_t s : table.shift) writer.Write(s);
}

QuantTable ReadTable(ByteReader& reader) {
  QuantTable table;
  table.low = reader.Read<int8_t>();
  const auto symbols = reader.Read<uint16_t>();
  if (symbols > 256) return table;  // Check() refuses a table without frequencies
  for (int s = 0; s < symbols && reader.ok(); ++s) {
    table.frequencies.push_back(reader.Read<uint16_t>());
  }
  table.threshold = reader.Read<float>();
  table.rounding = reader.Read<float>();
  for (int8_t& s : table.shift) s = reader.Read<int8_t>();
  return table;
}

}  // namespace

bool CanBeQuantised(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kU8 || dtype == DType::kI8;
}

Status Check(const QuantParams& params) {
  const auto fail = [&](const char* what) -> Status {
    return Fail(ErrorCode::kInvalid, params.tensor.name, "has {} in its bundle", what);
  };
  const auto channels = static_cast<size_t>(params.layout.channels);
  const auto bands = static_cast<size_t>(params.layout.bands);
  constexpr float kHuge = 1e30F, kTiny = 1e-30F;
  if (params.means < 0 || params.means > params.layout.tile_size() ||
      params.mean.size() != channels * static_cast<size_t>(params.means) ||
      params.channel_weight.size() != channels || params.band_weight.size() != bands) {
    return fail("parameters for another shape");
  }
  if (!AllWithin(params.mean, -kHuge, kHuge) || !AllWithin(params.channel_weight, 1e-3F, 1e3F) ||
      !AllWithin(params.band_weight, 1e-3F, 1e3F)) {
    return fail("numbers out of range");
  }
  for (const auto& [number, level] : params.levels) {
    if (number < 2 || number > 8 || !(level.step >= kTiny && level.step <= kHuge) ||
        level.table_of.size() != channels * bands || level.tables.empty()) {
      return fail("a broken level");
    }
    for (const uint8_t index : level.table_of) {
      if (index >= level.tables.size()) return fail("an index past its tables");
    }
    for (const QuantTable& table : level.tables) {
      if (!Check(table)) return fail("a broken probability table");
    }
  }
  return {};
}

void Write(const QuantParams& params, std::vector<std::byte>& out) {
  ByteWriter writer(out);
  writer.Write(params.cut_id);
  writer.Write(static_cast<uint16_t>(params.tensor.name.size()));
  writer.Append(params.tensor.name);
  writer.Write(static_cast<uint8_t>(params.tensor.dtype));
  writer.Write(static_cast<uint8_t>(params.tensor.shape.rank()));
  for (const int64_t d : params.tensor.shape) writer.Write(d);
  writer.Write(static_cast<uint8_t>(params.layout.channels_last));
  writer.Write(static_cast<uint8_t>(params.layout.tile_height));
  writer.Write(static_cast<uint8_t>(params.layout.tile_width));
  writer.Write(static_cast<uint16_t>(params.means));
  for (const float mean : params.mean) writer.Write(ToHalf(mean));
  for (const float weight : params.channel_weight) writer.Write(weight);
  for (const float weight : params.band_weight) writer.Write(weight);
  writer.Write(static_cast<uint8_t>(params.levels.size()));
  for (const auto& [number, level] : params.levels) {
    writer.Write(static_cast<uint8_t>(number));
    writer.Write(level.step);
    writer.Write(static_cast<uint16_t>(level.tables.size()));
    for (const QuantTable& table : level.tables) WriteTable(table, writer);
    for (const uint8_t index : level.table_of) writer.Write(index);
  }
}

Result<QuantParams> ReadQuantParams(std::span<const std::byte> bytes) {
  const auto fail = [] {
    return Fail(ErrorCode::kInvalid, "bundle", "has a broken tensor section");
  };
  ByteReader reader(bytes);
  QuantParams params;
  params.cut_id = reader.Read<uint64_t>();
  params.tensor.name = std::string(reader.TakeText(reader.Read<uint16_t>()));
  params.tensor.dtype = static_cast<DType>(reader.Read<uint8_t>());
  const auto rank = reader.Read<uint8_t>();
  if (!reader.ok() || rank > Shape::kMaxRank || !CanBeQuantised(params.tensor.dtype)) return fail();
  int64_t dims[Shape::kMaxRank] = {};
  for (int d = 0; d < rank; ++d) dims[d] = reader.Read<int64_t>();
  params.tensor.shape = Shape(std::span<const int64_t>(dims, rank));
  const bool channels_last = reader.Read<uint8_t>() != 0;
  const int tile_height = reader.Read<uint8_t>(), tile_width = reader.Read<uint8_t>();
  if (!reader.ok() || tile_height == 0 || tile_width == 0) return fail();
  FOGLINE_TRY(params.layout,
              MakeLayout(params.tensor.shape, channels_last, tile_height, tile_width));
  const auto channels = static_cast<size_t>(params.layout.channels);
  params.means = reader.Read<uint16_t>();
  // Lengths are believed only as far as there are bytes for them.
  const size_t means = channels * static_cast<size_t>(params.means);
  const size_t bands = static_cast<size_t>(params.layout.bands);
  if (2 * means + 4 * (channels + bands) > reader.remaining()) return fail();
  params.mean.resize(means);
  for (float& mean : params.mean) mean = FromHalf(reader.Read<uint16_t>());
  params.channel_weight.resize(channels);
  for (float& weight : params.channel_weight) weight = reader.Read<float>();
  params.band_weight.resize(bands);
  for (float& weight : params.band_weight) weight = reader.Read<float>();
  const auto levels = reader.Read<uint8_t>();
  for (int i = 0; i < levels && reader.ok(); ++i) {
    const int number = reader.Read<uint8_t>();
    QuantLevel& level = params.levels[number];
    level = {};
    level.step = reader.Read<float>();
    const auto tables = reader.Read<uint16_t>();
    if (tables > 256) return fail();
    for (int t = 0; t < tables && reader.ok(); ++t) level.tables.push_back(ReadTable(reader));
    const auto indices = reader.Take(channels * bands);
    for (const std::byte index : indices) level.table_of.push_back(static_cast<uint8_t>(index));
  }
  if (!reader.ok() || reader.remaining() != 0) return fail();
  FOGLINE_CHECK(Check(params));
  return params;
}

}  // namespace fogline
