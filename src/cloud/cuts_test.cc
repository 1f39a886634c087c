// Every cut of a network, however many tensors cross there: what the halves make of a frame between
// them is what the whole network makes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/file.h"
#include "cloud/crossing.h"
#include "cloud/worker.h"
#include "edge/mechanism.h"
#include "engine/session.h"
#include "frame/json_frame.h"
#include "graph/slice.h"
#include "graph/test_model.h"
#include "plan/payload.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

using fogline::test::SetInt;
using fogline::test::TestModel;

const SessionOptions kAsWritten{.threads = 1, .optimize = false, .free_dimensions = {}};

Image Scene() {
  Image image{40, 30, {}};
  for (int i = 0; i < 40 * 30 * 3; ++i) image.rgb.push_back(static_cast<uint8_t>(i * i / 7));
  return image;
}

/// A small network of convolutions and sums in which later layers look back at earlier ones; at
/// times with a second output half-way.
TestModel RandomModel(std::mt19937& random) {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"});
  m.Conv("x", "t0", 3, 4);
  std::vector<std::string> made{"t0"};
  const auto any = [&] {
    return made[made.size() - 1 - random() % std::min<size_t>(3, made.size())];
  };
  const size_t layers = 4 + random() % 5;
  for (size_t i = 1; i <= layers; ++i) {
    const std::string name = "t" + std::to_string(i), a = made.back(), b = any();
    switch (random() % 4) {
      case 0:
        m.Conv(a, name, 4, 4);
        break;
      case 1:
        m.Node("Relu", {b}, {name});
        break;
      case 2:
        m.Node("Add", {a, b}, {name});
        break;
      default:
        SetInt(m.Node("Concat", {a, b}, {name + "c"}), "axis", 1);
        m.Conv(name + "c", name, 8, 4, 1);
        break;
    }
    made.push_back(name);
  }
  m.Node("Add", {made.back(), any()}, {"last"});
  m.Node("GlobalAveragePool", {"last"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"y"});
  m.Output("y");
  if (random() % 2 == 0) m.Output(made[1 + random() % (made.size() - 1)]);
  return m;
}

/// The halves of one network at any of its cuts, as the graph has them, with a frame between.
class CutHalves {
 public:
  explicit CutHalves(const Network& network) : network_(network) {
    Image fitted;
    FitToInput(Scene(), network.card, fitted);
    input_ = Tensor(network.card.dtype, network.card.input_shape());
    Normalise(fitted, network.card, input_);
    const TensorView view = input_.view();
    auto whole = SliceWhole(network.model);
    auto session = OpenSession(std::as_bytes(std::span(*whole)), "whole", kAsWritten);
    EXPECT_TRUE(session) << session.error().ToString();
    auto outputs = (*session)->Run({&view, 1});
    EXPECT_TRUE(outputs) << outputs.error().ToString();
    expected_ = *std::move(outputs);
  }

  Status ExpectTheWhole(const Cut& cut) {
    const auto half = [&](Result<std::string> slice) -> Result<std::unique_ptr<Session>> {
      FOGLINE_TRY(const std::string bytes, std::move(slice));
      return OpenSession(std::as_bytes(std::span(bytes)), cut.name, kAsWritten);
    };
    FOGLINE_TRY(const auto prefix, half(SlicePrefix(network_.model, cut)));
    FOGLINE_TRY(const auto suffix, half(SliceSuffix(network_.model, cut)));
    const TensorView view = input_.view();
    FOGLINE_TRY(const auto crossing, prefix->Run({&view, 1}));
    std::vector<std::byte> frame;
    FOGLINE_CHECK(Encode(cut, crossing, frame));
    FOGLINE_TRY(const auto decoded, Decode(cut, frame));
    std::vector<TensorView> views;
    for (const Tensor& tensor : decoded) views.push_back(tensor.view());
    FOGLINE_TRY(const auto outputs, suffix->Run(views));
    for (size_t i = 0; i < expected_.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(outputs.at(i).bytes(), expected_[i].bytes()))
          << network_.path.filename() << " at " << cut.name << ", output " << i;
    }
    return {};
  }

 private:
  /// In any order: tensors are found by their names.
  static Status Encode(const Cut& cut, const std::vector<Tensor>& tensors,
                       std::vector<std::byte>& out) {
    Frame frame;
    frame.device = "cam";
    frame.cut = cut.id;
    std::vector<std::vector<std::byte>> data(tensors.size());
    for (size_t i = tensors.size(); i-- > 0;) {
      const Port& port = cut.tensors[i];
      FOGLINE_TRY(const auto codec, MakeCodec({CodecKind::kF32, 0}, port, nullptr, cut.id));
      FOGLINE_CHECK(codec->Encode(tensors[i].view(), data[i]));
      frame.payloads.push_back({Role::kActivation, static_cast<uint8_t>(CodecKind::kF32), 0,
                                port.dtype, port.shape, data[i], TensorId(port.name)});
    }
    return WriteFrame(frame, out);
  }

  static Result<std::vector<Tensor>> Decode(const Cut& cut, std::span<const std::byte> bytes) {
    Frame frame;
    FOGLINE_CHECK(ParseFrame(bytes, frame));
    OpenCut open;
    open.cut = cut;
    for (const Port& port : cut.tensors) open.tensors.push_back(TensorId(port.name));
    std::vector<const Payload*> carriers;
    FOGLINE_CHECK(MatchTensors(frame, open, carriers));
    std::vector<Tensor> decoded(carriers.size());
    for (size_t i = 0; i < carriers.size(); ++i) {
      FOGLINE_TRY(const auto codec, MakeCodec({CodecKind::kF32, 0}, cut.tensors[i], nullptr, 0));
      FOGLINE_CHECK(codec->Decode(carriers[i]->bytes, decoded[i]));
    }
    return decoded;
  }

  const Network& network_;
  Tensor input_;
  std::vector<Tensor> expected_;
};

class EveryCut : public ::testing::Test {
 protected:
  void Open(const TestModel& model) {
    const auto path = dir_.path() / "m.onnx";
    ASSERT_TRUE(WriteFile(path, model.Bytes()));
    auto network = LoadNetwork(path);
    ASSERT_TRUE(network) << network.error().ToString();
    network_.emplace(*std::move(network));
    worker_.reset();
    registry_.reset();
    auto registry = Registry::Open({.folder = dir_.path(), .patience = std::chrono::minutes(5)});
    ASSERT_TRUE(registry) << registry.error().ToString();
    registry_ = *std::move(registry);
    worker_ = std::make_unique<Worker>(*registry_);
  }

  Result<Frame> FrameOf(const std::string& cut, const std::string& codec, bool json = false) {
    MechanismOptions options;
    options.cut = cut;
    options.codec = codec;
    options.json = json;
    FOGLINE_TRY(const auto mechanism, Mechanism::Make(*network_, options));
    FOGLINE_CHECK(mechanism->Process(Scene(), prepared_));
    EXPECT_GE(prepared_.data.size(), mechanism->least_bytes());
    Frame frame;
    frame.device = "cam";
    mechanism->Stamp(frame);
    frame.payloads = prepared_.payloads;
    return frame;
  }

  Result<Worked> Work(const Frame& frame, bool json = false) {
    std::vector<std::byte> bytes;
    FOGLINE_CHECK(json ? WriteJsonFrame(frame, bytes) : WriteFrame(frame, bytes));
    return worker_->Work(bytes, "cam");
  }

  TempDir dir_;
  std::optional<Network> network_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Worker> worker_;
  Prepared prepared_;
};

TEST_F(EveryCut, OfRandomNetworksIsTheWholeBitForBit) {
  size_t several = 0;
  for (uint32_t seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    Open(RandomModel(random));
    CutHalves halves(*network_);
    CutOptions all;
    all.all = true;
    const auto cuts = ListCuts(network_->model, all).value();
    for (const Cut& cut : cuts) {
      if (!cut.is_split()) continue;
      several += cut.tensors.size() > 1 ? 1 : 0;
      const Status status = halves.ExpectTheWhole(cut);
      ASSERT_TRUE(status) << "seed " << seed << " at " << cut.name << ": "
                          << status.error().ToString();
    }
  }
  EXPECT_GT(several, 50U);
}

/// Through the daemons' own code, which lets the engine fuse layers: on both wires, listed or not.
TEST_F(EveryCut, GivesTheSameAnswerThroughTheLine) {
  for (uint32_t seed = 20; seed < 23; ++seed) {
    std::mt19937 random(seed);
    Open(RandomModel(random));
    const auto frame = FrameOf("edge-only", "");
    ASSERT_TRUE(frame) << frame.error().ToString();
    const auto expected = Work(*frame);
    ASSERT_TRUE(expected) << expected.error().ToString();
    CutOptions all;
    all.all = true;
    const auto cuts = ListCuts(network_->model, all).value();
    for (const Cut& cut : cuts) {
      if (!cut.is_split()) continue;
      const bool json = cut.edge_nodes % 2 == 0;
      const auto sent = FrameOf(cut.name, json ? "json" : "f32", json);
      ASSERT_TRUE(sent) << cut.name << ": " << sent.error().ToString();
      const auto worked = Work(*sent, json);
      ASSERT_TRUE(worked) << cut.name << ": " << worked.error().ToString();
      EXPECT_EQ(worked->label, expected->label) << cut.name;
      EXPECT_NEAR(worked->score, expected->score, 1e-5) << cut.name;
      EXPECT_EQ(worked->detection->cut, cut.name);
      EXPECT_EQ(worked->detection->codec, json ? "json" : "f32");
    }
  }
}

/// However many tensors cross, and where the picture does: what a message is longer by than an
/// empty one.
TEST_F(EveryCut, IsPricedAtWhatItsFrameTakes) {
  const auto length = [](Frame frame) {
    std::vector<std::byte> bytes;
    EXPECT_TRUE(WriteFrame(frame, bytes));
    return bytes.size();
  };
  for (uint32_t seed = 30; seed < 34; ++seed) {
    std::mt19937 random(seed);
    Open(RandomModel(random));
    const PayloadBook book(network_->model, network_->contract, nullptr, {});
    CutOptions all;
    all.all = true;
    const auto cuts = ListCuts(network_->model, all).value();
    for (const Cut& cut : cuts) {
      if (cut.is_edge_only()) continue;
      const bool picture = cut.is_cloud_only();
      for (PayloadOption& option : book.At(cut)) {
        if (picture != (option.codec == "jpeg:95")) continue;
        const auto frame = FrameOf(cut.name, option.codec);
        ASSERT_TRUE(frame) << cut.name << ": " << frame.error().ToString();
        if (picture) option.bytes = Bytes(static_cast<double>(frame->payloads[0].bytes.size()));
        Frame empty = *frame;
        empty.payloads.clear();
        EXPECT_EQ(option.sent().value(), static_cast<double>(length(*frame) - length(empty)))
            << cut.name << " as " << option.codec;
      }
    }
  }
}

/// Two branches of which both cross.
TestModel Twin() {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"});
  m.Conv("x", "a", 3, 4).Conv("x", "b", 3, 4, 1);
  m.Node("Relu", {"a"}, {"ar"});
  m.Node("Mul", {"ar", "b"}, {"c"});
  m.Node("GlobalAveragePool", {"c"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"y"});
  m.Output("y");
  return m;
}

TEST_F(EveryCut, EachTensorHasACodecOfItsOwn) {
  Open(Twin());
  const auto frame = FrameOf("b,ar", "f16+f32");
  ASSERT_TRUE(frame) << frame.error().ToString();
  ASSERT_EQ(frame->payloads.size(), 2U);
  EXPECT_EQ(2 * frame->payloads[0].bytes.size(), frame->payloads[1].bytes.size());
  const auto worked = Work(*frame);
  ASSERT_TRUE(worked) << worked.error().ToString();
  EXPECT_EQ(worked->detection->codec, "f16+f32");
  EXPECT_TRUE(FrameOf("ar,b", "f16"));
  // In another order it could be meant either way.
  for (const auto& [cut, codec] :
       {std::pair("b,ar", "f16+f32+f32"), {"b,ar", "f32+jpeg:90"}, {"ar,b", "f16+f32"}}) {
    const auto refused = FrameOf(cut, codec);
    ASSERT_FALSE(refused) << codec;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << refused.error().ToString();
  }
}

TEST_F(EveryCut, ATensorThatIsNotAsItShouldBeIsNamed) {
  Open(Twin());
  const auto good = FrameOf("b,ar", "f32");
  ASSERT_TRUE(good) << good.error().ToString();
  ASSERT_TRUE(Work(*good));
  const auto refused = [&](const Frame& frame) {
    const auto worked = Work(frame);
    EXPECT_FALSE(worked);
    if (worked) return std::string();
    EXPECT_EQ(worked.error().code, ErrorCode::kInvalid) << worked.error().ToString();
    return worked.error().ToString();
  };
  Frame frame = *good;
  frame.payloads.pop_back();
  EXPECT_EQ(refused(frame), "frame: lacks tensor 'ar', which crosses at 'b,ar'");
  frame.payloads = {good->payloads[0], good->payloads[1], good->payloads[0]};
  EXPECT_EQ(refused(frame), "frame: holds tensor 'b' twice");
  frame.payloads = good->payloads;
  frame.payloads[1].shape = Shape{1, 4, 64};
  EXPECT_EQ(refused(frame), "frame: holds 'ar' as float32 1x4x64 where float32 1x4x8x8 is due");
  frame.payloads = good->payloads;
  frame.payloads[1].dtype = DType::kI32;
  EXPECT_EQ(refused(frame), "frame: holds 'ar' as int32 1x4x8x8 where float32 1x4x8x8 is due");
  frame.payloads = good->payloads;
  frame.payloads[1].tensor = 7;
  EXPECT_EQ(refused(frame), "frame: holds a tensor 00000007, which does not cross at 'b,ar'");
  frame.payloads[1].tensor = 0;  // nobody can say which one it is
  EXPECT_EQ(refused(frame), "frame: holds a tensor 00000000, which does not cross at 'b,ar'");
  // The codes of two tensors exchanged are of the same length: nothing is wrong with that frame.
  frame.payloads = {good->payloads[1], good->payloads[0]};
  const auto either = Work(frame);
  ASSERT_TRUE(either);
  EXPECT_EQ(either->label, Work(*good)->label);
  frame.payloads = good->payloads;
  frame.payloads[1].bytes = frame.payloads[1].bytes.first(3);
  EXPECT_NE(refused(frame).find("ar"), std::string::npos);
  frame.cut ^= 1;
  EXPECT_NE(refused(frame).find("has no cut"), std::string::npos);
}

/// A cut that lists leave out is found by the tensors of its frames.
TEST_F(EveryCut, TensorsThatAreNoCutAreNotOpened) {
  Open(Twin());
  auto frame = FrameOf("a,b", "f32");
  ASSERT_TRUE(frame) << frame.error().ToString();
  EXPECT_TRUE(Work(*frame));
  // These two never cross together: 'ar' is made of 'a' alone.
  frame->payloads[1].tensor = TensorId("ar");
  frame->payloads[1].shape = frame->payloads[0].shape;
  const std::string names[] = {"a", "ar"};
  frame->cut = IdOfCut(names);
  const auto worked = Work(*frame);
  ASSERT_FALSE(worked);
  EXPECT_EQ(worked.error().code, ErrorCode::kInvalid) << worked.error().ToString();
}

/// Networks of strangers: of each, cuts from one end to the other.
class WildCuts : public ::testing::TestWithParam<const char*> {};

TEST_P(WildCuts, AreTheWholeBitForBit) {
  const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models/wild" / GetParam();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  const auto network = LoadNetwork(path);
  ASSERT_TRUE(network) << network.error().ToString();
  CutHalves halves(*network);
  std::vector<Cut> cuts;
  const auto listed = ListCuts(network->model).value();
  for (const Cut& cut : listed) {
    if (cut.is_split() && cut.tensors.size() > 1 && !cut.data_dependent) cuts.push_back(cut);
  }
  constexpr size_t kMost = 5;
  const size_t step = std::max<size_t>(1, cuts.size() / kMost);
  for (size_t i = step / 2; i < cuts.size(); i += step) {
    EXPECT_LE(cuts[i].tensors.size(), Route::kMostTensors);
    const Status status = halves.ExpectTheWhole(cuts[i]);
    EXPECT_TRUE(status) << cuts[i].name << ": " << status.error().ToString();
  }
}

INSTANTIATE_TEST_SUITE_P(Wild, WildCuts,
                         ::testing::Values("yolox_nano_kazu.onnx", "nanodet_hpc.onnx",
                                           "picodet_s_320.onnx", "ultraface_slim.onnx",
                                           "yunet_2026may.onnx", "fastestdet.onnx",
                                           "blazeface.onnx", "yolov8n_int8.onnx", "dbnet.onnx"),
                         [](const auto& name) {
                           std::string text = name.param;
                           return text.substr(0, text.find('.'));
                         });

}  // namespace
}  // namespace fogline
