#include "codec/quant_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "codec/bundle_writer.h"
#include "codec/codec.h"
#include "codec/fit.h"
#include "codec/kernels.h"
#include "vision/floats.h"

namespace fogline {
namespace {

constexpr uint64_t kTag = 0x0123456789ABCDEF;

/// Laplacian noise whose scale differs by channel, on top of a channel mean.
Tensor Noise(const Shape& shape, uint32_t seed) {
  std::mt19937 random(seed);
  Tensor tensor(DType::kF32, shape);
  const auto values = tensor.as<float>();
  const int64_t channels = shape.rank() > 1 ? shape[1] : shape[0];
  const size_t each = values.size() / static_cast<size_t>(channels);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto channel = static_cast<float>(i / each % static_cast<size_t>(channels));
    const float u = (static_cast<float>(random() % 65536) + 0.5F) / 65536.0F;
    const float sign = random() % 2 == 0 ? 1.0F : -1.0F;
    values[i] = channel - sign * std::log(u) * (0.1F + 0.05F * channel);
  }
  return tensor;
}

CoefficientSample SampleOf(const Shape& shape, int tensors, bool channels_last = false) {
  CoefficientSample sample(MakeLayout(shape, channels_last).value());
  for (int i = 0; i < tensors; ++i) {
    EXPECT_TRUE(sample.Add(Noise(shape, 100 + i).as<float>().data()));
  }
  return sample;
}

QuantParams Fitted(const Shape& shape, int tensors, float step, bool channels_last = false) {
  const CoefficientSample sample = SampleOf(shape, tensors, channels_last);
  QuantParams params = FitMeans(9, {"x", DType::kF32, shape}, sample);
  params.levels[4] = FitLevel(params, sample, step);
  EXPECT_TRUE(Check(params));
  return params;
}

double RmsError(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    sum += std::pow(a.as<float>()[i] - b.as<float>()[i], 2);
  }
  return std::sqrt(sum / static_cast<double>(a.as<float>().size()));
}

TEST(Layout, TilesCoverEveryElementOnce) {
  for (const bool last : {false, true}) {
    for (const Shape& shape : {Shape{7}, Shape{1, 10}, Shape{1, 160, 5, 5}, Shape{2, 3, 40, 23},
                               Shape{1, 9, 21}, Shape{1, 2, 3, 4, 5}, Shape{1, 24, 80, 80}}) {
      const Layout layout = MakeLayout(shape, last).value();
      std::vector<int> seen(static_cast<size_t>(*shape.Elements()), 0);
      for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
        for (int c = 0; c < layout.channels; ++c) {
          for (int y = 0; y < layout.tile_height; ++y) {
            for (int x = 0; x < layout.tile_width; ++x) {
              const int64_t at = layout.TileOffset(tile) + c * layout.channel_stride +
                                 y * layout.row_stride + x * layout.column_stride;
              ++seen.at(static_cast<size_t>(at));
            }
          }
        }
      }
      EXPECT_TRUE(std::ranges::all_of(seen, [](int n) { return n == 1; })) << shape.ToString();
      EXPECT_TRUE(std::ranges::is_sorted(layout.band));
      EXPECT_LE(layout.bands, kMaxBands);
    }
  }
  EXPECT_FALSE(MakeLayout({1, 0, 3, 3}, false));
  EXPECT_FALSE(MakeLayout({1, 1 << 30}, false));
  EXPECT_FALSE(MakeLayout({1, 3, 10, 10}, false, 3, 5));
}

TEST(TileTransform, InverseGivesTheTensorBack) {
  for (const Shape& shape : {Shape{1, 11, 5, 7}, Shape{1, 8, 20, 20}, Shape{3, 5}}) {
    const Layout layout = MakeLayout(shape, false).value();
    TileTransform transform(layout);
    const Tensor tensor = Noise(shape, 5);
    Tensor back(DType::kF32, shape);
    std::vector<float> coefficients(static_cast<size_t>(layout.tile_size()) * kLanes);
    for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
      for (int group = 0; group < layout.groups(); ++group) {
        ASSERT_TRUE(transform.Forward(tensor.as<float>().data(), tile, group, coefficients.data()));
        transform.Inverse(coefficients.data(), tile, group, back.as<float>().data());
      }
    }
    EXPECT_LT(RmsError(tensor, back), 1e-5);
  }
}

TEST(QuantCodec, EightBitNumbersAreCodedLikeFractionsAndComeBackAsThemselves) {
  const Shape shape{1, 16, 10, 10};
  for (const DType dtype : {DType::kU8, DType::kI8}) {
    const auto bytes = [&](uint32_t seed) {
      const Tensor noise = Noise(shape, seed);
      std::vector<float> values(noise.as<float>().begin(), noise.as<float>().end());
      for (float& value : values) value = 4 * value + (dtype == DType::kU8 ? 90.0F : -20.0F);
      Tensor tensor(dtype, shape);
      RoundTo(values, tensor);
      return tensor;
    };
    CoefficientSample sample(MakeLayout(shape, false).value());
    std::vector<float> room;
    for (uint32_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(sample.Add(AsFloats(bytes(100 + i).view(), room).data()));
    }
    QuantParams params = FitMeans(9, {"x", dtype, shape}, sample);
    params.levels[4] = FitLevel(params, sample, 6.0F);
    params.levels[8] = FitLevel(params, sample, 0.2F);
    std::vector<std::byte> section;
    Write(params, section);
    const auto read = ReadQuantParams(section);
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_EQ(read->tensor.dtype, dtype);
    const Tensor tensor = bytes(1);
    size_t sizes[2];
    for (const int level : {4, 8}) {
      const auto codec = MakeQuantCodec(*read, level, kTag).value();
      std::vector<std::byte> code;
      ASSERT_TRUE(codec->Encode(tensor.view(), code));
      Tensor back;
      ASSERT_TRUE(codec->Decode(code, back));
      ASSERT_EQ(back.dtype(), dtype);
      std::vector<float> was, is;
      const auto before = AsFloats(tensor.view(), was), after = AsFloats(back.view(), is);
      for (size_t i = 0; i < before.size(); ++i) {
        ASSERT_LE(std::abs(before[i] - after[i]), level == 8 ? 0.0F : 24.0F) << i;
      }
      sizes[level / 8] = code.size();
    }
    EXPECT_LT(sizes[0], sizes[1]);
    EXPECT_LT(sizes[1], tensor.bytes().size()) << "even without loss";
    const auto codec = MakeQuantCodec(*read, 4, kTag).value();
    std::vector<std::byte> code;
    EXPECT_FALSE(codec->Encode(Noise(shape, 1).view(), code)) << "float32 is another type";
  }
}

TEST(QuantCodec, ErrorFallsAndSizeRisesWithTheStep) {
  const Shape shape{1, 32, 10, 10};
  const Tensor tensor = Noise(shape, 1);
  double last_error = 1e9;
  size_t last_size = 0;
  for (const float step : {2.0F, 0.5F, 0.125F, 0.01F, 1e-3F}) {
    const QuantParams params = Fitted(shape, 20, step);
    const auto codec = MakeQuantCodec(params, 4, kTag).value();
    std::vector<std::byte> code;
    ASSERT_TRUE(codec->Encode(tensor.view(), code));
    Tensor back;
    ASSERT_TRUE(codec->Decode(code, back));
    const double error = RmsError(tensor, back);
    EXPECT_LT(error, step * 0.6 + 1e-4);
    EXPECT_LT(error, last_error);
    EXPECT_GT(code.size(), last_size);
    last_error = error;
    last_size = code.size();
  }
}

TEST(QuantCodec, EveryShapeGoesRound) {
  for (const bool last : {false, true}) {
    for (const Shape& shape : {Shape{5}, Shape{1, 1}, Shape{1, 1280}, Shape{1, 3, 7, 7},
                               Shape{2, 12, 8, 6}, Shape{1, 9, 23}, Shape{1, 4, 2, 3, 5}}) {
      const QuantParams params = Fitted(shape, 4, 0.05F, last);
      const auto codec = MakeQuantCodec(params, 4, kTag).value();
      const Tensor tensor = Noise(shape, 77);
      std::vector<std::byte> code(3);  // appended to what is there
      ASSERT_TRUE(codec->Encode(tensor.view(), code));
      Tensor back;
      ASSERT_TRUE(codec->Decode(std::span(code).subspan(3), back)) << shape.ToString();
      EXPECT_LT(RmsError(tensor, back), 0.05) << shape.ToString();
    }
  }
}

TEST(QuantCodec, CodesWhatCalibrationNeverSaw) {
  const Shape shape{1, 16, 5, 5};
  // From no sample at all, and from tensors that are all alike.
  for (const int kind : {0, 1}) {
    CoefficientSample sample(MakeLayout(shape, false).value());
    Tensor same(DType::kF32, shape);
    std::ranges::fill(same.as<float>(), 3.0F);
    for (int i = 0; i < kind * 3; ++i) sample.Add(same.as<float>().data());
    QuantParams params = FitMeans(0, {"x", DType::kF32, shape}, sample);
    params.levels[4] = FitLevel(params, sample, 0.1F);
    ASSERT_TRUE(Check(params));
    const auto codec = MakeQuantCodec(params, 4, kTag).value();
    const Tensor tensor = Noise(shape, 3);
    std::vector<std::byte> code;
    ASSERT_TRUE(codec->Encode(tensor.view(), code));
    Tensor back;
    ASSERT_TRUE(codec->Decode(code, back));
    EXPECT_LT(RmsError(tensor, back), 0.1);
    // Beyond ±32767 steps values are held at that.
    std::ranges::fill(same.as<float>(), 1e30F);
    code.clear();
    ASSERT_TRUE(codec->Encode(same.view(), code));
    ASSERT_TRUE(codec->Decode(code, back));
    for (const float v : back.as<float>()) EXPECT_TRUE(std::isfinite(v));
  }
}

TEST(QuantCodec, RefusesWhatIsNotFinite) {
  const Shape shape{1, 16, 5, 5};
  const QuantParams params = Fitted(shape, 4, 0.1F);
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {size_t{0}, size_t{399}}) {
      Tensor tensor = Noise(shape, 3);
      tensor.as<float>()[at] = bad;
      std::vector<std::byte> code;
      const Status status = codec->Encode(tensor.view(), code);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().where, "x");
      EXPECT_TRUE(code.empty());
    }
  }
}

TEST(QuantCodec, NoticesAnotherBundleAndWhatIsCutOff) {
  const Shape shape{1, 40, 8, 8};
  const QuantParams params = Fitted(shape, 8, 0.2F);
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  std::vector<std::byte> code;
  ASSERT_TRUE(codec->Encode(Noise(shape, 9).view(), code));
  Tensor back;
  ASSERT_TRUE(codec->Decode(code, back));
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_FALSE(MakeQuantCodec(params, 4, kTag ^ uint64_t{1} << bit).value()->Decode(code, back));
  }
  for (size_t length = 0; length < code.size(); ++length) {
    EXPECT_FALSE(codec->Decode(std::span(code).first(length), back)) << length;
  }
  // A flipped bit may pass as another tensor (the frame's checksum is there for that), but never
  // as anything else.
  for (size_t bit = 0; bit < 8 * code.size(); bit += 3) {
    code[bit / 8] ^= std::byte{1} << (bit % 8);
    if (codec->Decode(code, back)) {
      EXPECT_EQ(back.shape(), shape);
      for (const float v : back.as<float>()) ASSERT_TRUE(std::isfinite(v));
    }
    code[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  code.push_back(std::byte{0});
  code.push_back(std::byte{0});
  EXPECT_FALSE(codec->Decode(code, back));
}

TEST(QuantCodec, RandomBytesEndInAnError) {
  const Shape shape{1, 16, 5, 5};
  const QuantParams params = Fitted(shape, 8, 0.2F);
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  std::mt19937 random(4);
  Tensor back;
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> code(random() % 400);
    for (std::byte& b : code) b = static_cast<std::byte>(random());
    EXPECT_FALSE(codec->Decode(code, back));
  }
}

TEST(QuantCodec, SteadyStateReusesItsMemory) {
  const Shape shape{1, 16, 5, 5};
  const QuantParams params = Fitted(shape, 8, 0.2F);
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  const Tensor tensor = Noise(shape, 2);
  std::vector<std::byte> code;
  ASSERT_TRUE(codec->Encode(tensor.view(), code));
  Tensor back;
  ASSERT_TRUE(codec->Decode(code, back));
  const auto* code_at = code.data();
  const auto* back_at = back.bytes().data();
  code.clear();
  ASSERT_TRUE(codec->Encode(tensor.view(), code));
  ASSERT_TRUE(codec->Decode(code, back));
  EXPECT_EQ(code.data(), code_at);
  EXPECT_EQ(back.bytes().data(), back_at);
}

/// All values of a small alphabet in all orders of a few coefficients, escapes included.
TEST(QuantCodec, ExhaustiveOnTinyTensors) {
  const Shape shape{1, 4};
  CoefficientSample sample(MakeLayout(shape, false).value());
  QuantParams params = FitMeans(0, {"x", DType::kF32, shape}, sample);
  params.levels[4] = FitLevel(params, sample, 1.0F);
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  const std::array<float, 7> alphabet{-40000, -300, -1, 0, 1, 2, 32767};
  Tensor tensor(DType::kF32, shape), back;
  std::vector<std::byte> code;
  for (int n = 0; n < 7 * 7 * 7 * 7; ++n) {
    for (int i = 0, rest = n; i < 4; ++i, rest /= 7) tensor.as<float>()[i] = alphabet[rest % 7];
    code.clear();
    ASSERT_TRUE(codec->Encode(tensor.view(), code));
    ASSERT_TRUE(codec->Decode(code, back));
    for (int i = 0; i < 4; ++i) {
      ASSERT_EQ(back.as<float>()[i], std::max(-32767.0F, tensor.as<float>()[i]));
    }
  }
}

// The same bytes on every machine: what x86-64 with AVX2 wrote when this was added.
TEST(QuantCodec, TheStreamIsTheSameEverywhere) {
  const Shape shape{1, 24, 6, 6};
  Tensor tensor(DType::kF32, shape);
  uint32_t state = 1;
  const auto next = [&] {  // exact arithmetic only: no library's random numbers
    state = state * 1664525U + 1013904223U;
    return static_cast<float>(static_cast<int>(state >> 20) - 2048) / 1024.0F;
  };
  CoefficientSample sample(MakeLayout(shape, false).value());
  for (int i = 0; i < 5; ++i) {
    for (float& v : tensor.as<float>()) v = next() * next();
    sample.Add(tensor.as<float>().data());
  }
  QuantParams params = FitMeans(0, {"x", DType::kF32, shape}, sample);
  QuantLevel& level = params.levels[4];
  level.step = 0.25F;
  level.table_of.assign(24 * static_cast<size_t>(params.layout.bands), 0);
  level.tables.push_back({-2, {256, 768, 2048, 768, 192, 64}, 0.625F, 0.4375F, {4, 2, 1, 4, 2, 1}});
  ASSERT_TRUE(Check(params));
  const auto codec = MakeQuantCodec(params, 4, kTag).value();
  std::vector<std::byte> code;
  ASSERT_TRUE(codec->Encode(tensor.view(), code));
  Tensor back;
  ASSERT_TRUE(codec->Decode(code, back));
  EXPECT_EQ(ToHex(HashSha256(code)).substr(0, 16), "a5fecd15061c876e");
  EXPECT_EQ(ToHex(HashSha256(back.bytes())).substr(0, 16), "3bfd1303a5c51e26");
}

TEST(QuantParams, GoRoundAndRefuseDamage) {
  const QuantParams params = Fitted({1, 20, 6, 6}, 5, 0.2F);
  std::vector<std::byte> bytes;
  Write(params, bytes);
  const auto read = ReadQuantParams(bytes);
  ASSERT_TRUE(read) << read.error().ToString();
  std::vector<std::byte> again;
  Write(*read, again);
  EXPECT_EQ(again, bytes);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ReadQuantParams(std::span(bytes).first(length))) << length;
  }
  // Any single changed byte is refused or gives parameters that keep their promises.
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int value : {0, 0x7F, 0xFF}) {
      auto damaged = bytes;
      damaged[i] = static_cast<std::byte>(value);
      const auto other = ReadQuantParams(damaged);
      EXPECT_TRUE(!other || Check(*other));
    }
  }
}

TEST(Bundle, GoesRoundAndFindsItsTensors) {
  BundleContents contents;
  contents.model_hash = HashSha256({});
  contents.model = "m.onnx";
  contents.images = 300;
  contents.pairs.push_back({.cut = 3,
                            .cut_id = 9,
                            .cut_name = "x",
                            .codec = "q4",
                            .bytes_mean = 12.5,
                            .bytes_p95 = 20,
                            .agreement = 0.97,
                            .top1_agreement = 0.95,
                            .top1_accuracy = {},
                            .relative_error = 0.1,
                            .user_metric = {}});
  contents.tensors.push_back(Fitted({1, 20, 6, 6}, 5, 0.2F));
  const auto bytes = WriteBundle(contents);
  EXPECT_EQ(bytes, WriteBundle(contents));
  const auto bundle = Bundle::Parse(bytes, "b");
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  EXPECT_EQ(bundle->model_hash(), contents.model_hash);
  EXPECT_EQ(bundle->images(), 300);
  ASSERT_EQ(bundle->pairs().size(), 1U);
  EXPECT_EQ(bundle->pairs()[0].cut_id, 9U);
  EXPECT_EQ(bundle->pairs()[0].agreement, 0.97);
  EXPECT_EQ(bundle->pairs()[0].top1_agreement, 0.95);
  EXPECT_FALSE(bundle->pairs()[0].top1_accuracy);
  EXPECT_EQ(bundle->Find(9, "y"), nullptr);
  EXPECT_EQ(bundle->Find(8, "x"), nullptr);
  ASSERT_NE(bundle->Find(9, "x"), nullptr);

  const Port port{"x", DType::kF32, {1, 20, 6, 6}};
  const auto codec = MakeCodec({CodecKind::kQuant, 4}, port, &*bundle, 9);
  ASSERT_TRUE(codec) << codec.error().ToString();
  std::vector<std::byte> code;
  ASSERT_TRUE((*codec)->Encode(Noise(port.shape, 1).view(), code));
  EXPECT_FALSE(MakeCodec({CodecKind::kQuant, 5}, port, &*bundle, 9));
  EXPECT_FALSE(MakeCodec({CodecKind::kQuant, 4}, port, &*bundle, 8));
  EXPECT_FALSE(MakeCodec({CodecKind::kQuant, 4}, {"x", DType::kF32, {1, 20, 6, 7}}, &*bundle, 9));

  // A code made under another bundle is refused, though that bundle codes alike.
  contents.images = 301;
  const auto other = Bundle::Parse(WriteBundle(contents), "c");
  Tensor back;
  EXPECT_FALSE(MakeCodec({CodecKind::kQuant, 4}, port, &*other, 9).value()->Decode(code, back));

  for (size_t i = 0; i < bytes.size(); i += 7) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    EXPECT_FALSE(Bundle::Parse(damaged, "b"));
    EXPECT_FALSE(Bundle::Parse(std::span(bytes).first(i), "b"));
  }
}

}  // namespace
}  // namespace fogline
