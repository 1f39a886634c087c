#include "codec/codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/half.h"

namespace fogline {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string Text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unique_ptr<TensorCodec> Make(std::string_view name, const Port& port) {
  auto codec = MakeCodec(ParseCodec(name).value(), port, nullptr, 0);
  EXPECT_TRUE(codec) << codec.error().ToString();
  return std::move(*codec);
}

template <typename T>
Tensor Of(DType dtype, const Shape& shape, std::initializer_list<T> values) {
  Tensor tensor(dtype, shape);
  std::ranges::copy(values, tensor.as<T>().begin());
  return tensor;
}

TEST(CodecName, ReadsWhatItPrints) {
  for (const char* text : {"json", "f32", "f16", "q2", "q8", "jpeg:1", "jpeg:100", "webp:75"}) {
    const auto name = ParseCodec(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(ToString(*name), text);
    EXPECT_EQ(CodecFromWire(static_cast<uint8_t>(name->kind), name->parameter).value(), *name);
  }
  for (const char* text : {"", "q", "q1", "q9", "q04x", "q-4", "jpeg", "jpeg:", "jpeg:0",
                           "jpeg:101", "webp:x", "f64", "Q4"}) {
    const auto name = ParseCodec(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, ErrorCode::kUsage);
  }
  EXPECT_NE(ParseCodec("jsn").error().message.find("'json'"), std::string::npos);
  EXPECT_FALSE(CodecFromWire(6, 0));
  EXPECT_FALSE(CodecFromWire(3, 9));
  EXPECT_FALSE(CodecFromWire(1, 1));
}

TEST(MakeCodec, RefusesWhatItCannotCode) {
  EXPECT_FALSE(MakeCodec({CodecKind::kF32}, {"x", DType::kF32, {-1, 3}}, nullptr, 0));
  EXPECT_FALSE(MakeCodec({CodecKind::kF32}, {"x", DType::kString, {1, 3}}, nullptr, 0));
  EXPECT_FALSE(MakeCodec({CodecKind::kJpeg, 90}, {"x", DType::kF32, {1, 3}}, nullptr, 0));
  EXPECT_FALSE(MakeCodec({CodecKind::kQuant, 4}, {"x", DType::kF32, {1, 3}}, nullptr, 0));
}

TEST(RawCodec, KeepsEveryDtypeBitForBit) {
  std::mt19937 random(1);
  for (const DType dtype :
       {DType::kF32, DType::kU8, DType::kI8, DType::kI32, DType::kI64, DType::kBool, DType::kF16}) {
    Tensor tensor(dtype, {1, 5, 3});
    for (std::byte& b : tensor.bytes()) b = static_cast<std::byte>(random());
    const auto codec = Make("f32", {"x", dtype, {1, 5, 3}});
    std::vector<std::byte> code;
    ASSERT_TRUE(codec->Encode(tensor.view(), code));
    Tensor back;
    ASSERT_TRUE(codec->Decode(code, back));
    EXPECT_TRUE(std::ranges::equal(back.bytes(), tensor.bytes()));
    code.pop_back();
    EXPECT_FALSE(codec->Decode(code, back));
    EXPECT_FALSE(codec->Encode(Tensor(dtype, {15}).view(), code));
  }
}

TEST(RawCodec, WhatIsNotFloat32TravelsRawUnderTheOthers) {
  const Tensor tensor = Of<int64_t>(DType::kI64, {2}, {-1, int64_t{1} << 40});
  for (const char* name : {"f16", "q4"}) {
    std::vector<std::byte> code;
    ASSERT_TRUE(Make(name, {"x", DType::kI64, {2}})->Encode(tensor.view(), code));
    EXPECT_TRUE(std::ranges::equal(code, tensor.bytes()));
  }
}

TEST(Half, EveryHalfReadsBackAndRoundsToItself) {
  for (uint32_t h = 0; h <= 0xFFFF; ++h) {
    const auto half = static_cast<uint16_t>(h);
    const float value = FromHalf(half);
    const int exponent = (half >> 10) & 31, fraction = half & 1023;
    const double sign = (half & 0x8000) != 0 ? -1 : 1;
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), fraction != 0);
      if (fraction == 0) {
        EXPECT_EQ(value, sign * std::numeric_limits<double>::infinity());
      }
    } else {
      const double wanted =
          exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      ASSERT_EQ(value, sign * wanted) << h;
    }
    if (!std::isnan(value)) {
      ASSERT_EQ(ToHalf(value), half);
      EXPECT_EQ(std::signbit(value), (half & 0x8000) != 0);
    }
  }
}

TEST(Half, RoundsToNearestTiesToEven) {
  // Between two neighbouring halves: the middle goes to the even one, a hair beside it to its side.
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const float low = FromHalf(half), high = FromHalf(half + 1);
    const float middle = low + (high - low) / 2;
    ASSERT_EQ(ToHalf(middle), half % 2 == 0 ? half : half + 1) << half;
    ASSERT_EQ(ToHalf(std::nextafterf(middle, 0)), half);
    ASSERT_EQ(ToHalf(-std::nextafterf(middle, 1e9F)), 0x8000 | (half + 1));
  }
  EXPECT_EQ(ToHalf(1e9F), 0x7BFF);
  EXPECT_EQ(ToHalf(-65520.0F), 0xFBFF);
  EXPECT_EQ(ToHalf(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(ToHalf(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_TRUE(std::isnan(FromHalf(ToHalf(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(HalfCodec, TwoBytesAnElement) {
  Tensor tensor(DType::kF32, {1, 3001});
  for (size_t i = 0; i < 3001; ++i) tensor.as<float>()[i] = std::sin(static_cast<float>(i));
  const auto codec = Make("f16", {"x", DType::kF32, {1, 3001}});
  std::vector<std::byte> code(1);  // an odd start
  ASSERT_TRUE(codec->Encode(tensor.view(), code));
  ASSERT_EQ(code.size(), 6003U);
  Tensor back;
  ASSERT_TRUE(codec->Decode(std::span(code).subspan(1), back));
  for (size_t i = 0; i < 3001; ++i) {
    EXPECT_NEAR(back.as<float>()[i], tensor.as<float>()[i], 0x1p-12);
  }
  EXPECT_FALSE(codec->Decode(code, back));
}

TEST(JsonCodec, WritesWhatPythonWrites) {
  const float inf = std::numeric_limits<float>::infinity();
  // Checked against json.dumps(numpy.array(…, dtype="float32").tolist()).
  const Tensor tensor = Of<float>(
      DType::kF32, {2, 5}, {0.1F, 1, -0.0F, 1e-5F, 1e16F, 3.4028234e38F, 65504, 0.0001F, inf, NAN});
  const auto codec = Make("json", {"x", DType::kF32, {2, 5}});
  std::vector<std::byte> code;
  ASSERT_TRUE(codec->Encode(tensor.view(), code));
  EXPECT_EQ(Text(code),
            "[[0.10000000149011612, 1.0, -0.0, 9.999999747378752e-06, 1.0000000272564224e+16], "
            "[3.4028234663852886e+38, 65504.0, 9.999999747378752e-05, Infinity, NaN]]");
  Tensor back;
  ASSERT_TRUE(codec->Decode(code, back));
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(std::bit_cast<uint32_t>(back.as<float>()[i]),
              std::bit_cast<uint32_t>(tensor.as<float>()[i]));
  }
  EXPECT_TRUE(std::isnan(back.as<float>()[9]));
}

TEST(JsonCodec, WritesOtherDtypes) {
  const auto written = [](const Tensor& tensor) {
    std::vector<std::byte> code;
    const auto codec = Make("json", {"x", tensor.dtype(), tensor.shape()});
    EXPECT_TRUE(codec->Encode(tensor.view(), code));
    Tensor back;
    EXPECT_TRUE(codec->Decode(code, back));
    EXPECT_TRUE(std::ranges::equal(back.bytes(), tensor.bytes()));
    return Text(code);
  };
  EXPECT_EQ(written(Of<uint8_t>(DType::kU8, {2}, {0, 255})), "[0, 255]");
  EXPECT_EQ(written(Of<int8_t>(DType::kI8, {2, 1}, {-128, 127})), "[[-128], [127]]");
  EXPECT_EQ(written(Of<int64_t>(DType::kI64, {}, {INT64_MIN})), "-9223372036854775808");
  EXPECT_EQ(written(Of<uint8_t>(DType::kBool, {2}, {0, 1})), "[false, true]");
  EXPECT_EQ(written(Of<uint16_t>(DType::kF16, {1}, {0x3C00})), "[1.0]");
  EXPECT_EQ(written(Of<double>(DType::kF64, {1}, {0.1})), "[0.1]");
  EXPECT_EQ(written(Tensor(DType::kF32, {2, 0})), "[[], []]");
}

TEST(JsonCodec, RefusesEverythingElse) {
  const auto codec = Make("json", {"x", DType::kF32, {1, 2}});
  Tensor back;
  EXPECT_TRUE(codec->Decode(Bytes(" [ [ 1 ,\n2e0 ] ] "), back));
  EXPECT_EQ(back.as<float>()[1], 2);
  for (const char* text :
       {"", "[", "[[1, 2]", "[[1, 2]]]", "[[1]]", "[[1, 2, 3]]", "[1, 2]", "[[1, 2], [3, 4]]",
        "[[1, nan]]", "[[1, inf]]", "[[1, +2]]", "[[1, 1e39]]", "[[1, 1e999]]", "[[1, \"2\"]]",
        "[[1, .5]]", "[[1, -]]", "[[1 2]]", "{}", "[[[[[[[[[[[["}) {
    EXPECT_FALSE(codec->Decode(Bytes(text), back)) << text;
  }
  const auto small = Make("json", {"x", DType::kU8, {1}});
  for (const char* text : {"[256]", "[-1]", "[1.0]", "[true]"}) {
    EXPECT_FALSE(small->Decode(Bytes(text), back)) << text;
  }
}

TEST(Bundle, RefusesWhatIsNone) {
  EXPECT_FALSE(Bundle::Load("no/such.bundle"));
  EXPECT_FALSE(Bundle::Parse(Bytes(""), "x"));
  EXPECT_FALSE(Bundle::Parse(Bytes(std::string(100, 'x')), "x"));
}

}  // namespace
}  // namespace fogline
