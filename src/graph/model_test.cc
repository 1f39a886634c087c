// What a model file may hold, and what is refused with the name of the layer or tensor at fault.
#include "graph/model.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "engine/shapes.h"
#include "graph/cut.h"
#include "graph/lift.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInt;
using test::TestModel;

TestModel Small() {
  TestModel m;
  m.Input("x", {"1", "4"});
  m.Weight("w", {4, 4});
  m.Node("MatMul", {"x", "w"}, {"a"}, "first");
  m.Node("Relu", {"a"}, {"y"}, "second");
  m.Output("y");
  return m;
}

Result<Model> Parse(const TestModel& model, const LoadOptions& options = {}) {
  return Model::Parse(model.Bytes(), "test.onnx", EngineShapes(), options);
}

/// The one line that loading fails with.
std::string Refusal(const TestModel& model, const LoadOptions& options = {}) {
  const auto loaded = Parse(model, options);
  if (loaded) return "loads";
  EXPECT_EQ(loaded.error().ToString().find('\n'), std::string::npos);
  EXPECT_TRUE(loaded.error().ToString().starts_with("test.onnx")) << loaded.error().ToString();
  return loaded.error().message;
}

void ExpectRefused(std::string_view bytes, const std::string& what) {
  const auto view = std::as_bytes(std::span(bytes.data(), bytes.size()));
  const auto loaded = Model::Parse({view.begin(), view.end()}, "test.onnx", EngineShapes());
  ASSERT_FALSE(loaded) << what;
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalid) << what;
  EXPECT_EQ(loaded.error().ToString().find('\n'), std::string::npos) << what;
}

TEST(Model, RefusesWhatIsNoModel) {
  ExpectRefused("", "empty");
  ExpectRefused("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture");
  ExpectRefused("This is only text, as long as a sentence.", "text");
  ExpectRefused(std::string(4096, '\0'), "zeros");
  ExpectRefused(TestModel().proto().SerializeAsString(), "no layers");
  const auto missing = Model::Load("no/such/model.onnx", EngineShapes());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().where, "no/such/model.onnx");
  const auto folder = Model::Load(".", EngineShapes());
  EXPECT_FALSE(folder);
}

TEST(Model, RefusesOneThatIsCutOffAnywhere) {
  const auto whole = Small().Bytes();
  const std::string_view text(reinterpret_cast<const char*>(whole.data()), whole.size());
  for (size_t size = 0; size < text.size(); ++size) {
    const auto loaded = Model::Parse({whole.begin(), whole.begin() + static_cast<long>(size)},
                                     "test.onnx", EngineShapes());
    EXPECT_FALSE(loaded) << "cut off after " << size;
  }
}

TEST(Model, SurvivesFlippedBytes) {
  const auto whole = Small().Bytes();
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  for (int i = 0; i < 300; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto loaded = Model::Parse(bytes, "test.onnx", EngineShapes());
    EXPECT_TRUE(!loaded || ListCuts(*loaded).has_value());
  }
}

TEST(Model, NamesTheLayerOfACycle) {
  TestModel m = Small();
  m.Node("Add", {"y", "q"}, {"p"}, "third");
  m.Node("Relu", {"p"}, {"q"}, "fourth");
  m.Node("Relu", {"q"}, {"r"}, "after");
  EXPECT_EQ(Refusal(m).find("is cyclic: layer '"), 0U);
  EXPECT_EQ(Refusal(m).find("after"), std::string::npos);
}

TEST(Model, NamesTheTensorThatNothingMakes) {
  TestModel m = Small();
  m.Node("Add", {"y", "ghost"}, {"z"}, "adder");
  EXPECT_EQ(Refusal(m), "layer 'adder' (Add) reads 'ghost', which nothing makes");
  TestModel output = Small();
  output.Output("phantom");
  EXPECT_EQ(Refusal(output), "nothing makes its output 'phantom'");
  TestModel twice = Small();
  twice.Node("Relu", {"x"}, {"a"}, "again");
  EXPECT_EQ(Refusal(twice), "layer 'again' (Relu) makes 'a', which exists already");
}

TEST(Model, RefusesWhatTheEngineCannotRun) {
  TestModel m = Small();
  m.Node("NoSuchOperator", {"y"}, {"z"}, "strange");
  m.Output("z");
  EXPECT_NE(Refusal(m).find("NoSuchOperator"), std::string::npos);
  TestModel later(99);
  later.Input("x", {"1"}).Output("y");
  later.Node("Relu", {"x"}, {"y"});
  EXPECT_FALSE(Parse(later));
}

TEST(Model, RefusesWeightsThatAreNotWhatTheyPromise) {
  TestModel m = Small();
  m.graph().mutable_initializer(0)->set_dims(0, 1 << 20);
  m.graph().mutable_initializer(0)->set_dims(1, 2560);
  EXPECT_EQ(Refusal(m), "weight 'w' promises 10.7 GB by its shape but holds 64 B");
  m.graph().mutable_initializer(0)->set_dims(1, INT64_MAX);
  EXPECT_EQ(Refusal(m), "weight 'w' has an impossible shape");
  m.graph().mutable_initializer(0)->set_dims(1, -4);
  EXPECT_EQ(Refusal(m), "weight 'w' has an impossible shape");
}

TEST(Model, ListsTensorsTooLargeToRun) {
  // 10 GB of activations: nothing has to be run to know that.
  TestModel m;
  m.Input("x", {"batch", "3", "30000", "30000"});
  m.Node("Relu", {"x"}, {"a"});
  m.Node("GlobalAveragePool", {"a"}, {"y"});
  m.Output("y");
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_EQ(model->activations()[1].bytes(), 10'800'000'000);
  // Where a run would be needed it is refused.
  TestModel run = m;
  run.Node("NonZero", {"a"}, {"z"});
  run.Output("z", onnx::TensorProto::INT64);
  EXPECT_NE(Refusal(run).find("must run once to find the shape of 'z'"), std::string::npos);
}

TEST(Model, ChecksTheShapesAskedFor) {
  TestModel m;
  m.Input("image", {"batch", "3", "height", "width"});
  m.Node("Relu", {"image"}, {"y"});
  m.Output("y");
  LoadOptions options;
  options.shapes["imge"] = Shape{1, 3, 8, 8};
  EXPECT_EQ(Refusal(m, options), "has no input 'imge' to give a shape (did you mean 'image'?)");
  options.shapes = {{"image", Shape{1, 4, 8, 8}}};
  EXPECT_NE(Refusal(m, options).find("dimension 1 of the input is fixed at 3"), std::string::npos);
  options.shapes = {{"image", Shape{3, 8, 8}}};
  EXPECT_NE(Refusal(m, options).find("3 dimensions where the input has 4"), std::string::npos);
  options.shapes = {{"image", Shape{5, 3, 8, 9}}};
  EXPECT_EQ(Parse(m, options)->outputs()[0].shape, (Shape{5, 3, 8, 9}));
}

// A file that Git LFS did not fetch is text of three lines in the model's place.
TEST(Model, AnUnfetchedFileSaysHowToFetchIt) {
  constexpr std::string_view kPointer =
      "version https://git-lfs.github.com/spec/v1\noid "
      "sha256:4665a5ea423c2713d436b5ee50593a9640e0018c"
      "1550b5a0002f74190d6caea8\nsize 10000000\n";
  const auto view = std::as_bytes(std::span(kPointer.data(), kPointer.size()));
  const auto loaded = Model::Parse({view.begin(), view.end()}, "test.onnx", EngineShapes());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
  EXPECT_NE(loaded.error().message.find("git lfs pull"), std::string::npos);
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.path() / "weights.bin", kPointer));
  TestModel m = Small();
  auto& weight = *m.graph().mutable_initializer(0);
  weight.clear_raw_data();
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = weight.add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  const auto outside = Model::Parse(m.Bytes(), "test.onnx", EngineShapes(), {}, dir.path());
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().message.find("git lfs pull"), std::string::npos);
}

TEST(Model, DimensionsOfOneNameAreOfOneSize) {
  TestModel m;
  m.Input("picture", {"batch", "3", "height", "width"}).Input("mask", {"height", "width"});
  m.Input("pairs", {"2", "batch"});
  m.Node("Mul", {"picture", "mask"}, {"a"});
  m.Node("ReduceSum", {"pairs"}, {"b"});
  m.Node("Add", {"a", "b"}, {"y"});
  m.Output("y");
  const auto guessed = Parse(m);
  ASSERT_TRUE(guessed) << guessed.error().ToString();
  EXPECT_EQ(guessed->inputs()[0].shape, (Shape{1, 3, 224, 224}));
  EXPECT_EQ(guessed->inputs()[1].shape, (Shape{224, 224}));
  EXPECT_EQ(guessed->inputs()[2].shape, (Shape{2, 1}));
  // A shape given for one of them holds for the other, wherever it stands.
  for (const char* name : {"picture", "mask"}) {
    LoadOptions options;
    options.shapes[name] = std::string_view(name) == "mask" ? Shape{64, 48} : Shape{1, 3, 64, 48};
    const auto given = Parse(m, options);
    ASSERT_TRUE(given) << given.error().ToString();
    EXPECT_EQ(given->inputs()[0].shape, (Shape{1, 3, 64, 48}));
    EXPECT_EQ(given->inputs()[1].shape, (Shape{64, 48}));
    EXPECT_TRUE(given->assumptions().empty());
  }
}

TEST(Model, AGuessThatDoesNotRunSaysWhatToGive) {
  TestModel m;
  m.Input("x", {"n", "points"});
  m.Weight("w", {40, 4});
  m.Node("MatMul", {"x", "w"}, {"r"});
  m.Node("Relu", {"r"}, {"y"});
  m.Output("y");
  const auto loaded = Parse(m);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUsage);
  EXPECT_NE(loaded.error().message.find("--shape x="), std::string::npos) << loaded.error().message;
  EXPECT_NE(loaded.error().message.find("x as 1x224"), std::string::npos) << loaded.error().message;
  LoadOptions options;
  options.shapes["x"] = Shape{1, 40};
  EXPECT_TRUE(Parse(m, options));
}

TEST(Model, AValueChoosesTheShapeThatIsLookedAt) {
  TestModel m;
  m.Input("x", {"1", "12"}).Input("size", {"2"}, onnx::TensorProto::INT64);
  m.Node("Reshape", {"x", "size"}, {"r"});
  m.Node("Relu", {"r"}, {"y"});
  m.Output("y");
  LoadOptions options;
  options.values["size"] = {3, 4};
  const auto loaded = Parse(m, options);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->outputs()[0].shape, (Shape{3, 4}));
  options.values["size"] = {1, 2, 3};
  EXPECT_NE(Refusal(m, options), "loads");
  options.values = {{"sizes", {1}}};
  EXPECT_NE(Refusal(m, options).find("did you mean 'size'"), std::string::npos);
}

TEST(Model, WeightsHaveTheBytesTheyAreStoredIn) {
  // x · w as float, as float16, and as 8 bits behind DequantizeLinear; w2 is read on both sides.
  struct Case {
    int dtype;
    int64_t bytes;
  };
  for (const Case& c : {Case{onnx::TensorProto::FLOAT, 4},
                        {onnx::TensorProto::FLOAT16, 2},
                        {onnx::TensorProto::INT8, 1}}) {
    TestModel m(13);
    const bool quantised = c.dtype == onnx::TensorProto::INT8;
    const int type = quantised ? onnx::TensorProto::FLOAT : c.dtype;
    m.Input("x", {"1", "40"}, type);
    for (const char* name : {"w", "w2"}) {
      auto* tensor = m.graph().add_initializer();
      tensor->set_name(std::string(name) + (quantised ? "_q" : ""));
      tensor->set_data_type(c.dtype);
      tensor->add_dims(40);
      tensor->add_dims(40);
      tensor->set_raw_data(std::string(static_cast<size_t>(1600 * c.bytes), '\1'));
      if (!quantised) continue;
      m.Weight(std::string(name) + "_s", {});
      m.Node("DequantizeLinear", {std::string(name) + "_q", std::string(name) + "_s"}, {name});
    }
    m.Node("MatMul", {"x", "w"}, {"a"});
    m.Node("MatMul", {"a", "w2"}, {"b"});
    m.Node("MatMul", {"b", "w2"}, {"y"});
    m.Output("y", type);
    const auto loaded = Parse(m);
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    EXPECT_EQ(loaded->params(), 3200);
    EXPECT_EQ(loaded->weight_bytes(), 3200 * c.bytes);
    const auto cuts = ListCuts(*loaded).value();
    ASSERT_EQ(cuts.size(), 4U);
    EXPECT_EQ(cuts[0].edge_weight_bytes, 0);
    EXPECT_EQ(cuts[0].cloud_weight_bytes, 3200 * c.bytes);
    EXPECT_EQ(cuts[1].edge_weight_bytes, 1600 * c.bytes);
    EXPECT_EQ(cuts[2].edge_weight_bytes, 3200 * c.bytes);
    EXPECT_EQ(cuts[2].cloud_weight_bytes, 1600 * c.bytes);
    EXPECT_EQ(cuts[3].cloud_weight_bytes, 0);
  }
}

TEST(Model, LeavesOutWhatNoOutputNeeds) {
  TestModel m = Small();
  m.Node("Sigmoid", {"a"}, {"unused"});
  m.Node("Tanh", {"unused"}, {"unused2"});
  m.Weight("loose", {64, 64});
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  EXPECT_EQ(model->nodes().size(), 2U);
  EXPECT_EQ(model->params(), 16);
  EXPECT_EQ(model->activations()[1].readers, std::vector<int>{1});
}

TEST(Model, CountsMultiplyAccumulates) {
  TestModel m;
  m.Input("x", {"1", "8", "10", "10"});
  m.Conv("x", "a", 8, 16, 3, 1, 2);  // 16·5·5 outputs of 8·3·3
  m.Conv("a", "b", 16, 16, 3, 16);   // depthwise: 16·5·5 of 3·3
  m.Weight("t", {16, 4, 2, 2});
  auto& up = m.Node("ConvTranspose", {"b", "t"}, {"c"});
  test::SetInts(up, "strides", {2, 2});  // 16·5·5 inputs to 4·2·2
  m.Node("Flatten", {"c"}, {"d"});
  m.Weight("g", {10, 400}).Node("Gemm", {"d", "g"}, {"e"});
  SetInt(*m.graph().mutable_node(4), "transB", 1);
  m.Weight("h", {10, 7}).Node("MatMul", {"e", "h"}, {"y"});
  m.Output("y");
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  std::vector<int64_t> madds;
  for (const Node& node : model->nodes()) madds.push_back(node.madds);
  EXPECT_EQ(madds, (std::vector<int64_t>{16 * 25 * 72, 16 * 25 * 9, 400 * 16, 0, 4000, 70}));
}

TEST(Model, FindsBottleneckBlocks) {
  TestModel m;
  m.Input("x", {"1", "8", "10", "10"});
  m.Conv("x", "e", 8, 48, 1).Node("Clip", {"e"}, {"e6"});
  m.Conv("e6", "d", 48, 48, 3, 48).Node("Clip", {"d"}, {"d6"});
  m.Conv("d6", "p", 48, 8, 1).Node("Add", {"p", "x"}, {"sum"});
  m.Conv("sum", "e2", 8, 48, 1).Node("Clip", {"e2"}, {"e26"});
  m.Conv("e26", "d2", 48, 48, 3, 48, 2).Node("Clip", {"d2"}, {"d26"});
  m.Conv("d26", "y", 48, 16, 1);
  m.Output("y");
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  ASSERT_EQ(model->blocks().size(), 2U);
  EXPECT_TRUE(model->blocks()[0].residual);
  EXPECT_FALSE(model->blocks()[1].residual);
  EXPECT_EQ(model->activations()[model->blocks()[0].output].port.name, "sum");
  EXPECT_EQ(model->nodes()[5].block, 0);
  EXPECT_EQ(model->nodes()[6].block, 1);
}

// The same network with its layers between pairs of conversions: the blocks give the integers.
TEST(Model, FindsBottleneckBlocksInIntegers) {
  TestModel m;
  m.Weight("scale", {1});
  auto& zero = *m.graph().add_initializer();
  zero.set_name("zero");
  zero.set_data_type(onnx::TensorProto::UINT8);
  zero.add_dims(1);
  zero.set_raw_data(std::string(1, 0));
  const auto write = [&](const std::string& from) {
    m.Node("QuantizeLinear", {from, "scale", "zero"}, {from + "_8"});
  };
  const auto read = [&](const std::string& from, const std::string& to) {
    m.Node("DequantizeLinear", {from + "_8", "scale", "zero"}, {to});
  };
  m.Input("x", {"1", "8", "10", "10"});
  write("x");
  read("x", "x_e");
  m.Conv("x_e", "e", 8, 48, 1);
  write("e");
  read("e", "e_d");
  m.Conv("e_d", "d", 48, 48, 3, 48);
  write("d");
  read("d", "d_p");
  m.Conv("d_p", "p", 48, 8, 1);
  write("p");
  read("p", "p_s");
  read("x", "x_s");
  m.Node("Add", {"p_s", "x_s"}, {"sum"});
  write("sum");
  read("sum", "y");
  m.Output("y");
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  ASSERT_EQ(model->blocks().size(), 1U);
  EXPECT_TRUE(model->blocks()[0].residual);
  EXPECT_EQ(model->activations()[model->blocks()[0].output].port.name, "sum_8");
}

TEST(Model, SaysWhichLayerACutLeavesWithoutItsTensor) {
  TestModel m;
  m.Input("x", {"1", "4"});
  m.Node("Relu", {"x"}, {"a"}, "stem");
  m.Node("Sigmoid", {"a"}, {"b"}, "left");
  m.Node("Tanh", {"a"}, {"c"}, "right");
  m.Node("Add", {"b", "c"}, {"y"}, "join");
  m.Output("y");
  const auto model = Parse(m);
  ASSERT_TRUE(model) << model.error().ToString();
  const auto why = [&](const char* spec) {
    const auto cut = FindCut(*model, spec);
    return cut ? "is a cut" : cut.error().message;
  };
  EXPECT_EQ(why("b"),
            "is not cut by these tensors: layer 'stem' (Relu) on the cloud would need the model's "
            "input 'x' too");
  EXPECT_EQ(why("x,b"),
            "is not cut by these tensors: layer 'left' (Sigmoid) on the edge would need 'a' from "
            "the cloud");
  EXPECT_EQ(why("a,b"), "is a cut");
  EXPECT_EQ(why("b,c"), "is a cut");
  EXPECT_EQ(why("c,b"), "is a cut");
  EXPECT_EQ(why("a,b,c"), "is not cut by these tensors: nothing on the cloud would read 'a'");
  EXPECT_EQ(FindCut(*model, "b,c")->id, FindCut(*model, "c,b")->id);
  EXPECT_EQ(FindCut(*model, "x")->name, "input");
  EXPECT_EQ(FindCut(*model, "y")->name, "output");
}

TEST(Model, ReadsPortsWithoutAnEngine) {
  const TempDir folder;
  TestModel m = Small();
  m.Input("w", {"4", "4"});
  m.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("batch");
  ASSERT_TRUE(WriteFile(folder.path() / "m.onnx", m.Bytes()));
  const auto ports = ReadPorts(folder.path() / "m.onnx");
  ASSERT_TRUE(ports) << ports.error().ToString();
  ASSERT_EQ(ports->inputs.size(), 1U);
  EXPECT_EQ(ports->inputs[0].shape, (Shape{-1, 4}));
  EXPECT_EQ(ports->outputs[0].name, "y");
}

TEST(Lift, GivesBackTheSameModel) {
  TestModel m = Small();
  m.Weight("big", {64, 64});
  std::vector<float> floats(3000);
  auto* typed = m.graph().add_initializer();
  typed->set_name("typed");
  typed->set_data_type(onnx::TensorProto::FLOAT);
  typed->add_dims(3000);
  for (int i = 0; i < 3000; ++i) typed->add_float_data(static_cast<float>(i));
  const std::string whole = m.proto().SerializeAsString();
  const auto lifted = LiftWeights(whole, "test");
  ASSERT_TRUE(lifted);
  EXPECT_LT(lifted->skeleton.size(), 600U);
  ASSERT_EQ(lifted->weights.size(), 3U);
  EXPECT_EQ(lifted->weights[0].size(), 0U);
  EXPECT_EQ(lifted->weights[1].raw_bytes, 64U * 64 * 4);
  onnx::ModelProto back;
  ASSERT_TRUE(back.ParseFromString(lifted->skeleton));
  for (int i = 0; i < 3; ++i) {
    std::string tensor = back.graph().initializer(i).SerializeAsString();
    for (const std::string_view record : lifted->weights[i].records) tensor += record;
    ASSERT_TRUE(back.mutable_graph()->mutable_initializer(i)->ParseFromString(tensor));
  }
  EXPECT_EQ(back.SerializeAsString(), whole);
}

}  // namespace
}  // namespace fogline
