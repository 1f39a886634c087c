// Halves against the whole: every listed cut of small models made for it, and of the shared real
// ones, run in the engine.
#include "graph/slice.h"

#include <gtest/gtest.h>
#include <onnx/checker.h>

#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "engine/session.h"
#include "engine/shapes.h"
#include "engine/verify.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInt;
using test::SetInts;
using test::TestModel;

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Result<Feeds> Run(std::span<const std::byte> model, const std::string& where, const Feeds& given,
                  bool optimize = false) {
  SessionOptions options;
  options.optimize = optimize;
  FOGLINE_TRY(auto session, OpenSession(model, where, options));
  std::vector<TensorView> views;
  for (const Port& port : session->inputs()) {
    const auto tensor = given.find(port.name);
    if (tensor == given.end()) return Fail(ErrorCode::kInvalid, where, "needs '{}'", port.name);
    views.push_back(tensor->second.view());
  }
  FOGLINE_TRY(auto outputs, session->Run(views));
  Feeds named;
  for (size_t i = 0; i < outputs.size(); ++i) named[session->outputs()[i].name] = outputs[i];
  return named;
}

/// ONNX's own checker knows operator sets up to 17 and IR versions up to 8.
void ExpectValid(const std::string& half, const std::string& what) {
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(half)) << what;
  for (const auto& import : proto.opset_import()) {
    if (import.version() > 17 || !import.domain().empty()) return;
  }
  if (proto.ir_version() > 8) return;
  EXPECT_NO_THROW(onnx::checker::check_model(proto)) << what;
}

/// Runs the whole and both halves of every `stride`-th cut on `feeds` (random ones by default).
void ExpectEveryCutExact(const Model& model, bool all = false, size_t stride = 1,
                         Feeds feeds = {}) {
  if (feeds.empty()) feeds = RandomFeeds(model.inputs(), 7);
  CutOptions options;
  options.all = all;
  auto cuts = ListCuts(model, options);
  ASSERT_TRUE(cuts) << cuts.error().ToString();
  const auto whole_bytes = SlicePrefix(model, cuts->back());
  ASSERT_TRUE(whole_bytes) << whole_bytes.error().ToString();
  const auto whole = Run(Bytes(*whole_bytes), "whole", feeds);
  ASSERT_TRUE(whole) << whole.error().ToString();
  for (size_t c = 1; c + 1 < cuts->size(); c += stride) {
    const Cut& cut = (*cuts)[c];
    const std::string what = model.where() + " at " + cut.name;
    const auto prefix = SlicePrefix(model, cut);
    const auto suffix = SliceSuffix(model, cut);
    ASSERT_TRUE(prefix && suffix) << what;
    ExpectValid(*prefix, what);
    ExpectValid(*suffix, what);
    const auto crossed = Run(Bytes(*prefix), "edge half", feeds);
    ASSERT_TRUE(crossed) << what << ": " << crossed.error().ToString();
    ASSERT_EQ(crossed->size(), cut.tensors.size()) << what;
    for (const Port& port : cut.tensors) {
      if (feeds.begin()->second.shape() == model.inputs()[0].shape && !cut.data_dependent) {
        EXPECT_EQ(crossed->at(port.name).shape(), port.shape) << what;
      }
      EXPECT_EQ(crossed->at(port.name).dtype(), port.dtype) << what;
    }
    const auto outputs = Run(Bytes(*suffix), "cloud half", *crossed);
    ASSERT_TRUE(outputs) << what << ": " << outputs.error().ToString();
    ASSERT_EQ(outputs->size(), model.outputs().size()) << what;
    Difference difference;
    for (const auto& [name, tensor] : *whole) Compare(tensor, outputs->at(name), difference);
    EXPECT_TRUE(difference.identical) << what << ": " << difference.max_abs;
  }
}

Model Load(const TestModel& model, const LoadOptions& options = {}) {
  auto loaded = Model::Parse(model.Bytes(), "test.onnx", EngineShapes(), options);
  EXPECT_TRUE(loaded) << loaded.error().ToString();
  return *loaded;
}

TestModel Chain() {
  TestModel m;
  m.Input("x", {"batch", "3", "16", "16"});
  m.Conv("x", "a", 3, 8).Node("Relu", {"a"}, {"b"});
  m.Conv("b", "c", 8, 4, 3, 1, 2).Node("GlobalAveragePool", {"c"}, {"d"});
  m.Node("Flatten", {"d"}, {"y"});
  m.Output("y");
  return m;
}

TEST(Slice, KeepsNamesVersionsMetadataAndTheOpenBatch) {
  TestModel m = Chain();
  m.proto().set_producer_name("somebody");
  auto* note = m.proto().add_metadata_props();
  note->set_key("licence");
  note->set_value("free");
  m.Weight("unused", {4000});
  const Model model = Load(m);
  const Cut cut = *FindCut(model, "b");
  onnx::ModelProto edge, cloud;
  ASSERT_TRUE(edge.ParseFromString(*SlicePrefix(model, cut)));
  ASSERT_TRUE(cloud.ParseFromString(*SliceSuffix(model, cut)));
  for (const auto* half : {&edge, &cloud}) {
    EXPECT_EQ(half->producer_name(), "somebody");
    EXPECT_EQ(half->opset_import(0).version(), 13);
    EXPECT_EQ(half->metadata_props(0).value(), "free");
    EXPECT_EQ(half->graph().node_size(), half == &edge ? 2 : 3);
    EXPECT_EQ(half->graph().initializer_size(), 1);
  }
  EXPECT_EQ(edge.graph().node(0).name(), "a_conv");
  const auto& crossing = cloud.graph().input(0);
  EXPECT_EQ(crossing.name(), "b");
  EXPECT_EQ(crossing.type().tensor_type().shape().dim(0).dim_param(), "batch");
  EXPECT_EQ(crossing.type().tensor_type().shape().dim(1).dim_value(), 8);

  Feeds feeds = RandomFeeds({{"x", DType::kF32, {3, 3, 16, 16}}}, 3);
  ExpectEveryCutExact(model, true, 1, feeds);
}

TEST(Slice, WhatLiesBetweenTwoCutsMakesOneOfTheOther) {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"});
  m.Conv("x", "a", 3, 4).Node("Relu", {"a"}, {"b"});
  m.Conv("b", "c", 4, 4).Node("Add", {"b", "c"}, {"d"});
  m.Conv("d", "y", 4, 2);
  m.Output("y");
  const Model model = Load(m);
  const Cut b = *FindCut(model, "b"), both = *FindCut(model, "b,c"), d = *FindCut(model, "d");
  const Feeds feeds = RandomFeeds(model.inputs(), 7);
  Feeds at_b = *fogline::Run(Bytes(*SlicePrefix(model, b)), "prefix", feeds);
  const Feeds at_d = *fogline::Run(Bytes(*SlicePrefix(model, d)), "prefix", feeds);

  const auto straight = fogline::Run(Bytes(*SliceBetween(model, b, d)), "between", at_b);
  ASSERT_TRUE(straight) << straight.error().ToString();
  Difference difference;
  Compare(at_d.at("d"), straight->at("d"), difference);
  EXPECT_TRUE(difference.identical);

  // What crosses at both is neither read nor made.
  const auto made = fogline::Run(Bytes(*SliceBetween(model, b, both)), "between", at_b);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->size(), 1U);
  at_b["c"] = made->at("c");
  const auto rest = fogline::Run(Bytes(*SliceBetween(model, both, d)), "between", at_b);
  ASSERT_TRUE(rest) << rest.error().ToString();
  Compare(at_d.at("d"), rest->at("d"), difference);
  EXPECT_TRUE(difference.identical);

  for (const auto& [from, to] : {std::pair(&d, &b), std::pair(&b, &b)}) {
    const auto refused = SliceBetween(model, *from, *to);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
}

TEST(Slice, APieceMakesWhatTheWholeMakesThere) {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"}).Input("scale", {"1", "4", "8", "8"});
  m.Conv("x", "a", 3, 4).Node("Relu", {"a"}, {"b"}, "relu");
  m.Conv("b", "c", 4, 4).Node("Mul", {"c", "scale"}, {"d"});
  SetInt(m.Node("Split", {"d"}, {"left", "right"}, "parts"), "axis", 1);
  m.Node("Add", {"left", "right"}, {"y"});
  m.Node("Relu", {"b"}, {"z"});
  m.Output("y").Output("z");
  const Model model = Load(m);
  const std::vector<std::string> every{"a", "b", "c", "d", "left", "right", "y", "z"};
  const auto piece = [&](std::vector<std::string> from, std::vector<std::string> to) {
    return SlicePiece(model, from, to);
  };
  Feeds all = RandomFeeds(model.inputs(), 7);
  const Feeds made = *fogline::Run(Bytes(*piece({}, every)), "all", all);
  all.insert(made.begin(), made.end());

  // From any tensors to any others: a piece that can be had makes what the whole makes, and takes
  // what it was said to take; one that cannot be had is refused by name.
  int ran = 0;
  std::vector<std::string> ends = every;
  ends.insert(ends.end(), {"x", "scale"});
  for (const std::string& one : ends) {
    for (const std::string& other : ends) {
      for (const std::string& to : every) {
        std::vector<std::string> from{one};
        if (other != one) from.push_back(other);
        const auto slice = piece(from, {to});
        if (!slice) {
          EXPECT_EQ(slice.error().code, ErrorCode::kUsage) << slice.error().ToString();
          EXPECT_NE(slice.error().message.find('\''), std::string::npos);
          continue;
        }
        const auto got = fogline::Run(Bytes(*slice), one + "," + other + " to " + to, all);
        ASSERT_TRUE(got) << got.error().ToString();
        Difference difference;
        Compare(all.at(to), got->at(to), difference);
        EXPECT_TRUE(difference.identical) << one << "," << other << " to " << to;
        ++ran;
      }
    }
  }
  EXPECT_GT(ran, 20);

  const auto why = [&](std::vector<std::string> from, std::vector<std::string> to) {
    return piece(std::move(from), std::move(to)).error().message;
  };
  EXPECT_EQ(why({"b"}, {"y"}),
            "needs its input 'scale' for 'y': give it as well, or a tensor on the way");
  EXPECT_EQ(why({"b", "scale"}, {"z"}), "does not need 'scale' for 'z'");
  EXPECT_EQ(why({"left"}, {"y"}),
            "needs its input 'scale' for 'y': give it as well, or a tensor on the way");
  EXPECT_EQ(why({"left", "d"}, {"y"}),
            "makes 'left' in layer 'parts', of which another output is needed: give that, too");
  EXPECT_EQ(why({"b"}, {"b"}), "has no layer between 'b' and 'b'");
  EXPECT_EQ(why({"b"}, {"z", "z"}), "is asked for 'z' twice");
  EXPECT_EQ(piece({"nowhere"}, {"y"}).error().code, ErrorCode::kNotFound);
}

TEST(Slice, ModelsThatAreAllSymbolic) {
  TestModel m;
  m.Input("x", {"batch", "3", "height", "width"});
  m.Conv("x", "a", 3, 8).Node("Relu", {"a"}, {"b"});
  m.Conv("b", "c", 8, 8).Node("Add", {"b", "c"}, {"d"});
  m.Node("GlobalAveragePool", {"d"}, {"y"});
  m.Output("y");
  LoadOptions options;
  options.shapes["x"] = Shape{1, 3, 20, 24};
  const Model model = Load(m, options);
  EXPECT_EQ(model.activations()[model.FindActivation("b")].port.shape, (Shape{1, 8, 20, 24}));
  EXPECT_TRUE(model.assumptions().empty());
  ExpectEveryCutExact(model, true, 1, RandomFeeds({{"x", DType::kF32, {2, 3, 10, 12}}}, 3));
  const Model assumed = Load(m);
  EXPECT_EQ(assumed.inputs()[0].shape, (Shape{1, 3, 224, 224}));
  EXPECT_EQ(assumed.assumptions().size(), 2U);
}

TEST(Slice, TheSizeOfATensorWithinANetworkIsNotGuessed) {
  TestModel m;
  m.Input("b", {"batch", "8", "height", "width"});
  m.Node("GlobalAveragePool", {"b"}, {"y"});
  m.Output("y");
  const auto guessed = Model::Parse(m.Bytes(), "half.onnx", EngineShapes());
  ASSERT_FALSE(guessed);
  EXPECT_NE(guessed.error().ToString().find("give --shape b=1x8x"), std::string::npos);
  LoadOptions options;
  options.shapes["b"] = Shape{1, 8, 20, 24};
  EXPECT_EQ(Load(m, options).inputs()[0].shape, (Shape{1, 8, 20, 24}));
}

TEST(Slice, WeightsBehindIdentitiesAndConstantNodesAreNoActivations) {
  TestModel m(13, 8);
  m.Input("x", {"1", "4"});
  m.Weight("w", {4, 4});
  m.Node("Identity", {"w"}, {"w1"});
  m.Node("Identity", {"w1"}, {"w2"});
  m.Ints("shape", {4, 4});
  auto& filled = m.Node("ConstantOfShape", {"shape"}, {"w3"});
  auto* value = filled.add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  value->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
  value->mutable_t()->add_dims(1);
  value->mutable_t()->add_float_data(0.5F);
  m.Node("MatMul", {"x", "w2"}, {"a"});
  m.Node("MatMul", {"a", "w3"}, {"b"});
  m.Node("MatMul", {"b", "w1"}, {"y"});
  m.Output("y");
  const Model model = Load(m);
  EXPECT_EQ(model.nodes().size(), 3U);
  EXPECT_EQ(model.madds(), 48);
  EXPECT_EQ(model.nodes()[1].params, 16);
  EXPECT_EQ(ListCuts(model)->size(), 4U);
  ExpectEveryCutExact(model, true);
}

TEST(Slice, SeveralInputsAndOutputsAndASkipFromTheInput) {
  TestModel m;
  m.Input("x", {"1", "4"}).Input("z", {"1", "4"});
  m.Node("Relu", {"x"}, {"a"});
  m.Node("Add", {"a", "z"}, {"b"});
  m.Node("Split", {"b"}, {"c", "d"});
  SetInt(*m.graph().mutable_node(2), "axis", 1);
  m.Node("Sigmoid", {"c"}, {"e"});
  m.Node("Concat", {"e", "d", "x"}, {"y"});
  SetInt(*m.graph().mutable_node(4), "axis", 1);
  m.Output("y").Output("a").Output("z");
  const Model model = Load(m);
  ExpectEveryCutExact(model, true);
  // 'a' is an output of the model, so it crosses although nobody reads it any more.
  const auto cut = FindCut(model, "x,z,a,b");
  ASSERT_TRUE(cut) << cut.error().ToString();
  const auto less = FindCut(model, "x,z,b");
  ASSERT_FALSE(less);
  EXPECT_EQ(less.error().code, ErrorCode::kUsage);
}

TEST(Slice, SubgraphsCaptureOuterTensorsAndWeights) {
  TestModel m(13, 8);
  m.Input("x", {"1", "4"});
  m.Weight("w", {1, 4});
  m.Node("Relu", {"x"}, {"a"});
  m.Node("Neg", {"a"}, {"b"});
  m.Node("ReduceSum", {"b"}, {"sum"});
  m.Ints("none", {});
  auto& sum = *m.graph().mutable_node(2);
  SetInt(sum, "keepdims", 0);
  m.Weight("zero", {}, 0.0F);
  m.Node("Greater", {"sum", "zero"}, {"positive"});
  auto& choice = m.Node("If", {"positive"}, {"y"});
  for (const char* branch : {"then_branch", "else_branch"}) {
    auto* attribute = choice.add_attribute();
    attribute->set_name(branch);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    auto* graph = attribute->mutable_g();
    graph->set_name(branch);
    auto* node = graph->add_node();
    const std::string made = std::string(branch) + "_out";
    node->set_op_type("Add");
    node->add_input("a");  // from outside
    node->add_input("w");
    node->add_output(made);
    auto* output = graph->add_output();
    output->set_name(made);
    output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  }
  m.Output("y");
  const Model model = Load(m);
  const Node& last = model.nodes().back();
  EXPECT_EQ(last.op, "If");
  EXPECT_EQ(last.inputs.size(), 2U);
  EXPECT_EQ(last.params, 4);
  ExpectEveryCutExact(model, true);
}

TEST(Slice, NodesOutOfOrderWithoutNamesAndAnOldVersion) {
  TestModel m(8, 3);  // IR version 3 lists weights among the inputs
  m.Input("x", {"2", "4"});
  m.Input("w", {"4", "4"});
  m.Weight("w", {4, 4});
  m.Node("Relu", {"x"}, {"a"});
  m.Node("MatMul", {"a", "w"}, {"b"});
  m.Node("MatMul", {"b", "w"}, {"y"});
  m.Output("y");
  auto* type = m.graph().mutable_output(0)->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_value(2);
  type->mutable_shape()->add_dim()->set_dim_value(4);
  const Model model = Load(m);
  EXPECT_EQ(model.inputs().size(), 1U);
  EXPECT_EQ(model.nodes()[1].name, "b");
  ExpectEveryCutExact(model, true);
  m.graph().mutable_node()->SwapElements(0, 2);
  const auto swapped = Model::Parse(m.Bytes(), "swapped", EngineShapes());
  ASSERT_TRUE(swapped) << swapped.error().ToString();
  EXPECT_EQ(swapped->nodes()[0].op, "Relu");
}

TEST(Slice, TensorsOfOtherTypesCross) {
  TestModel m(13, 8);
  m.Input("x", {"1", "8"}, onnx::TensorProto::UINT8);
  auto& cast = m.Node("Cast", {"x"}, {"f"});
  SetInt(cast, "to", onnx::TensorProto::FLOAT);
  m.Weight("scale", {}, 0.3F);
  auto* zero = m.graph().add_initializer();
  zero->set_name("zero");
  zero->set_data_type(onnx::TensorProto::INT8);
  zero->set_raw_data(std::string(1, '\0'));
  m.graph().mutable_initializer(0)->set_raw_data(std::string("\0\0\x00\x3f", 4));
  m.Node("QuantizeLinear", {"f", "scale", "zero"}, {"q"});
  m.Node("DequantizeLinear", {"q", "scale", "zero"}, {"r"});
  auto& half = m.Node("Cast", {"r"}, {"h"});
  SetInt(half, "to", onnx::TensorProto::FLOAT16);
  auto& longs = m.Node("Cast", {"h"}, {"y"});
  SetInt(longs, "to", onnx::TensorProto::INT64);
  m.Output("y", onnx::TensorProto::INT64);
  const Model model = Load(m);
  EXPECT_EQ(FindCut(model, "q")->bytes, 8);
  EXPECT_EQ(FindCut(model, "h")->bytes, 16);
  ExpectEveryCutExact(model, true);
}

TEST(Slice, ShapesThatOnlyARunReveals) {
  TestModel m(13, 8);
  m.Input("x", {"batch", "3", "4", "5"});
  m.Node("Shape", {"x"}, {"s"});
  m.Ints("zero", {0}).Ints("minus", {-1});
  m.Node("Gather", {"s", "zero"}, {"n"});
  SetInt(*m.graph().mutable_node(1), "axis", 0);
  m.Node("Concat", {"n", "minus"}, {"to"});
  SetInt(*m.graph().mutable_node(2), "axis", 0);
  m.Node("Reshape", {"x", "to"}, {"flat"});
  m.Node("NonZero", {"flat"}, {"where"});
  m.Node("Transpose", {"where"}, {"y"});
  SetInts(*m.graph().mutable_node(5), "perm", {1, 0});
  m.Output("y", onnx::TensorProto::INT64);
  const Model model = Load(m);
  EXPECT_EQ(model.activations()[model.FindActivation("flat")].port.shape, (Shape{1, 60}));
  EXPECT_FALSE(model.activations()[model.FindActivation("flat")].data_dependent);
  EXPECT_TRUE(model.activations()[model.FindActivation("where")].data_dependent);
  ExpectEveryCutExact(model, true);
}

TEST(Slice, WeightsInAnotherFileAreInlined) {
  const TempDir folder;
  TestModel m = Chain();
  auto* weight = m.graph().mutable_initializer(1);
  const std::string raw = weight->raw_data();
  std::ofstream(folder.path() / "weights.bin", std::ios::binary) << std::string(64, 'x') << raw;
  const auto model_with = [&](const std::string& location) {
    weight->clear_raw_data();
    weight->clear_external_data();
    weight->set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : std::map<std::string, std::string>{
             {"location", location}, {"offset", "64"}, {"length", std::to_string(raw.size())}}) {
      auto* entry = weight->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    const auto path = folder.path() / "model.onnx";
    EXPECT_TRUE(WriteFile(path, m.Bytes()));
    return Model::Load(path, EngineShapes());
  };
  auto model = model_with("weights.bin");
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_TRUE(model->has_external_weights());
  ExpectEveryCutExact(*model, true);
  EXPECT_EQ(model_with("missing.bin").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(model_with("../weights.bin").error().code, ErrorCode::kInvalid);
}

TEST(Slice, EndsHaveOnlyOneHalf) {
  const Model model = Load(Chain());
  const auto cuts = ListCuts(model);
  EXPECT_EQ(SlicePrefix(model, cuts->front()).error().code, ErrorCode::kUsage);
  EXPECT_EQ(SliceSuffix(model, cuts->back()).error().code, ErrorCode::kUsage);
  TestModel small;
  small.Input("x", {"1"});
  small.Node("Relu", {"x"}, {"y"});
  small.Output("y");
  const Model other = Load(small);
  EXPECT_EQ(SlicePrefix(other, cuts->back()).error().code, ErrorCode::kConflict);
}

// The shared models: every cut of the small ones, a sample of the deep ones, to keep within a
// minute on two cores.
class Shared : public ::testing::TestWithParam<std::pair<const char*, size_t>> {};

TEST_P(Shared, EveryCutComputesTheWhole) {
  const auto [name, stride] = GetParam();
  const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models" / name;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared model at " << path;
  const auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model) << model.error().ToString();
  ExpectEveryCutExact(*model, false, stride);
}

INSTANTIATE_TEST_SUITE_P(
    Models, Shared,
    ::testing::Values(
        std::pair("mobilenet_v2_1.0_160.onnx", 2), std::pair("squeezenet1.1_224.onnx", 2),
        std::pair("dag/light_squeezenet.onnx", 2), std::pair("dag/light_inception_v1.onnx", 3),
        std::pair("dag/light_inception_v2.onnx", 6), std::pair("dag/light_shufflenet.onnx", 6),
        std::pair("dag/light_resnet50.onnx", 8), std::pair("dag/light_densenet121.onnx", 16),
        std::pair("dag/ultraface_RFB_320.onnx", 3), std::pair("dag/light_bvlc_alexnet.onnx", 8),
        std::pair("dag/light_zfnet512.onnx", 8), std::pair("dag/light_vgg19.onnx", 20)),
    [](const auto& each) {
      std::string name = std::filesystem::path(each.param.first).stem().string();
      std::ranges::replace_if(
          name, [](char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

TEST(SharedModels, MobileNetHasThePublishedSizeAndThePapersCuts) {
  const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models/mobilenet_v2_1.0_224.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared model at " << path;
  const auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_NEAR(static_cast<double>(model->madds()), 300e6, 1e6);
  EXPECT_NEAR(static_cast<double>(model->params()), 3.4e6, 0.1e6);
  EXPECT_EQ(model->blocks().size(), 17U);
  EXPECT_EQ(std::ranges::count(model->blocks(), true, &Block::residual), 10);
  EXPECT_EQ(ListCuts(*model)->size(), 51U);
  const auto split13 = FindCut(*model, "split13");
  ASSERT_TRUE(split13) << split13.error().ToString();
  EXPECT_EQ(split13->tensors[0].shape, (Shape{1, 160, 7, 7}));
}

}  // namespace
}  // namespace fogline
