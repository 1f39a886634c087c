// Networks of every kind of input and output that Fogline feeds, through both halves of the line:
// whatever the cut, the same picture gives the same answer, which is that of the bare engine.
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/half.h"
#include "cloud/test_halves.h"
#include "engine/session.h"
#include "graph/test_model.h"
#include "vision/floats.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

using fogline::test::Drawn;
using fogline::test::Halves;
using fogline::test::SetInt;
using fogline::test::SetInts;
using fogline::test::TestModel;

constexpr int kFloat = onnx::TensorProto::FLOAT;
constexpr int kHalf = onnx::TensorProto::FLOAT16;
constexpr int kByte = onnx::TensorProto::UINT8;
constexpr int64_t kSide = 16;

struct Kind {
  const char* name;
  int channels = 3;
  bool last = false, batched = true;
  int64_t batch = 1;
  int dtype = kFloat;
  bool map = false;        // scores as 1xCx1x1
  bool half_out = false;   // scores in float16
  bool constants = false;  // a gain that the card gives, a threshold by name, one that is unread
};

/// As gtest names it.
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

/// x → as N×C×H×W floats → Conv → relu → scores of 4 classes.
TestModel ModelOf(const Kind& kind) {
  const std::string c = std::to_string(kind.channels), side = std::to_string(kSide);
  std::vector<std::string> dims =
      kind.last ? std::vector{side, side, c} : std::vector{c, side, side};
  if (kind.batched) dims.insert(dims.begin(), std::to_string(kind.batch));
  TestModel m;
  m.Input("x", dims, kind.dtype);
  std::string at = "x";
  const auto then = [&](const char* op, const char* to) -> onnx::NodeProto& {
    auto& node = m.Node(op, {at}, {to});
    at = to;
    return node;
  };
  if (kind.dtype != kFloat) SetInt(then("Cast", "floats"), "to", kFloat);
  if (!kind.batched) {
    m.Ints("front", {0});
    m.Node("Unsqueeze", {at, "front"}, {"rows"});
    at = "rows";
  }
  if (kind.last) SetInts(then("Transpose", "planes"), "perm", {0, 3, 1, 2});
  m.Conv(at, "conv", kind.channels, 4, 3, 1, 2);
  m.Node("Relu", {"conv"}, {"relu"});
  m.Node("GlobalAveragePool", {"relu"}, {"pooled"});
  at = "pooled";
  if (!kind.map) then("Flatten", "flat");
  if (kind.constants) {
    m.Input("gain", {}).Input("iou_threshold", {"1"}).Input("unread", {"1", "5"});
    m.Node("Mul", {at, "gain"}, {"gained"});
    m.Node("Add", {"gained", "iou_threshold"}, {"added"});
    at = "added";
  }
  if (kind.half_out) SetInt(then("Cast", "halves"), "to", kHalf);
  m.Output(at, kind.half_out ? kHalf : kFloat);
  return m;
}

class Kinds : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    path_ = dir_.path() / "m.onnx";
    const Kind& kind = GetParam();
    ASSERT_TRUE(WriteFile(path_, ModelOf(kind).Bytes()));
    std::string card = "[input]\nmean = 100\nstd = 50\n";
    if (kind.constants) card += "[constants]\ngain = 2.5\n";
    ASSERT_TRUE(WriteFile(dir_.path() / "m.toml", card));
    const Status opened = halves_.Open(path_);
    ASSERT_TRUE(opened) << opened.error().ToString();
  }

  /// The value that channel c of a fitted picture's pixel has, before it is normalised.
  static float Bare(const Image& fitted, const Kind& kind, size_t pixel, int c) {
    const uint8_t* rgb = fitted.rgb.data() + 3 * pixel;
    if (kind.channels == 1) {
      return static_cast<float>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 32768U) >>
                                16U);
    }
    return c == 3 ? 255.0F : static_cast<float>(rgb[c]);
  }

  /// What the engine alone makes of the picture: label and the softmax of its first row.
  std::pair<int, double> ByTheEngine() {
    const Kind& kind = GetParam();
    Image fitted;
    FitToInput(Drawn(40, 30), halves_.network().card, fitted);
    constexpr size_t kPixels = kSide * kSide;
    const auto channels = static_cast<size_t>(kind.channels);
    std::vector<float> row(kPixels * channels);
    for (size_t p = 0; p < kPixels; ++p) {
      for (size_t c = 0; c < channels; ++c) {
        const float bare = Bare(fitted, kind, p, static_cast<int>(c));
        row[kind.last ? p * channels + c : c * kPixels + p] =
            kind.dtype == kByte ? bare : (bare - 100) / 50;
      }
    }
    const auto session = OpenSession(path_);
    EXPECT_TRUE(session) << session.error().ToString();
    std::vector<Tensor> inputs;
    std::vector<TensorView> views;
    for (const Port& port : (*session)->inputs()) {
      Tensor& tensor = inputs.emplace_back(port.dtype, port.shape);
      std::ranges::fill(tensor.bytes(), std::byte{0});
      if (port.name == "gain") tensor.as<float>()[0] = 2.5F;
      if (port.name == "iou_threshold") tensor.as<float>()[0] = 0.45F;
      if (port.name == "x") {
        for (size_t i = 0; i < row.size(); ++i) {
          if (kind.dtype == kFloat) tensor.as<float>()[i] = row[i];
          if (kind.dtype == kHalf) tensor.as<uint16_t>()[i] = ToHalf(row[i]);
          if (kind.dtype == kByte) tensor.as<uint8_t>()[i] = static_cast<uint8_t>(row[i]);
        }
      }
      views.push_back(tensor.view());
    }
    const auto outputs = (*session)->Run(views);
    EXPECT_TRUE(outputs) << outputs.error().ToString();
    std::vector<float> room;
    const auto scores = AsFloats(outputs->front().view(), room).first(4);
    const auto best = std::ranges::max_element(scores);
    double sum = 0;
    for (const float s : scores) sum += std::exp(static_cast<double>(s) - *best);
    return {static_cast<int>(best - scores.begin()), 1 / sum};
  }

  TempDir dir_;
  std::filesystem::path path_;
  Halves halves_;
};

TEST_P(Kinds, GiveTheSameAnswerWhereverTheyAreCut) {
  EXPECT_EQ(halves_.network().contract.classes(), 4U) << halves_.network().contract.ToString();
  const auto [label, score] = ByTheEngine();
  // What is normalised by one multiplication and one addition is a rounding off.
  const double within = GetParam().dtype == kHalf || GetParam().half_out ? 2e-3 : 1e-5;
  for (const auto& [cut, codec] :
       {std::pair("edge-only", ""), {"tensor:relu", "f32"}, {"cloud-only", "json"}}) {
    const auto worked = halves_.ByTheLine(Drawn(40, 30), cut, codec);
    ASSERT_TRUE(worked) << cut << ": " << worked.error().ToString();
    EXPECT_EQ(worked->label, label) << cut;
    EXPECT_NEAR(worked->score, score, within) << cut;
  }
  const auto jpeg = halves_.ByTheLine(Drawn(40, 30), "cloud-only", "jpeg:95");
  ASSERT_TRUE(jpeg) << jpeg.error().ToString();
  EXPECT_EQ(jpeg->detection->mechanism, "cloud-only");
}

/// At cut 0 a frame may hold the network's own input instead of a picture. What one of them is
/// decoded by does not become the other's: they differ in type and size.
TEST_P(Kinds, APictureAndTheNetworksOwnInputAreToldApart) {
  const Cut cut = FindCut(halves_.network().model, "cloud-only").value();
  Image fitted;
  FitToInput(Drawn(40, 30), halves_.network().card, fitted);
  const Port &own = cut.tensors[0], pixels = halves_.network().contract.pixels();
  const std::vector<std::byte> zeros(static_cast<size_t>(*own.Bytes()));
  Frame frame;
  frame.device = "cam";
  frame.model = ShortId(halves_.network().model.hash());
  frame.cut = cut.id;
  const auto work = [&](const Port& port, std::span<const std::byte> data) {
    frame.payloads = {{Role::kActivation, static_cast<uint8_t>(CodecKind::kF32), 0, port.dtype,
                       port.shape, data}};
    std::vector<std::byte> bytes;
    EXPECT_TRUE(WriteFrame(frame, bytes));
    return halves_.worker().Work(bytes, "cam");
  };
  const auto [label, score] = ByTheEngine();
  for (int round = 0; round < 2; ++round) {
    const auto of_own = work(own, zeros);
    ASSERT_TRUE(of_own) << of_own.error().ToString();
    const auto of_pixels = work(pixels, std::as_bytes(std::span(fitted.rgb)));
    ASSERT_TRUE(of_pixels) << of_pixels.error().ToString();
    EXPECT_EQ(of_pixels->label, label);
    EXPECT_NEAR(of_pixels->score, score, 2e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, Kinds,
    ::testing::Values(
        Kind{.name = "planes"}, Kind{.name = "pixels", .last = true},
        Kind{.name = "bytes", .dtype = kByte}, Kind{.name = "halves", .dtype = kHalf},
        Kind{.name = "grey", .channels = 1},
        Kind{.name = "grey_pixels", .channels = 1, .last = true, .dtype = kByte},
        Kind{.name = "alpha", .channels = 4, .last = true},
        Kind{.name = "one_picture", .batched = false},
        Kind{.name = "one_picture_of_bytes", .last = true, .batched = false, .dtype = kByte},
        Kind{.name = "five_at_once", .batch = 5}),
    [](const auto& kind) { return std::string(kind.param.name); });
INSTANTIATE_TEST_SUITE_P(Others, Kinds,
                         ::testing::Values(Kind{.name = "constants", .constants = true},
                                           Kind{.name = "constants_and_bytes",
                                                .last = true,
                                                .dtype = kByte,
                                                .constants = true},
                                           Kind{.name = "scores_as_a_map", .map = true},
                                           Kind{.name = "scores_in_halves", .half_out = true}),
                         [](const auto& kind) { return std::string(kind.param.name); });

/// A network that takes none is named where the cloud starts, and costs its frames nothing.
TEST(KindsOfNone, AreRefusedWithWhatWouldHelp) {
  TempDir dir;
  const auto path = dir.path() / "two.onnx";
  TestModel m;
  m.Input("x", {"1", "3", "16", "16"}).Input("prior", {"1", "4"}).Conv("x", "conv", 3, 4);
  m.Node("GlobalAveragePool", {"conv"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"flat"});
  m.Node("Add", {"flat", "prior"}, {"y"});
  m.Output("y");
  ASSERT_TRUE(WriteFile(path, m.Bytes()));
  const auto network = LoadNetwork(path);
  ASSERT_FALSE(network);
  const std::string line = network.error().ToString();
  EXPECT_NE(line.find("two.onnx: takes 'prior' float32 1x4 beside the picture 'x'"), line.npos)
      << line;
  EXPECT_NE(line.find("give it under [constants] of the card, as in prior = 0.5"), line.npos);
}

}  // namespace
}  // namespace fogline
