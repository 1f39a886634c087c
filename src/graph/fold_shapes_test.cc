// Arithmetic on shapes that are certain when a model is loaded: it crosses nowhere, and the halves
// still compute the whole, bit for bit.
#include <gtest/gtest.h>

#include "engine/session.h"
#include "engine/shapes.h"
#include "engine/verify.h"
#include "graph/cut.h"
#include "graph/slice.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInt;
using test::TestModel;

Model LoadShapes(const TestModel& model, const LoadOptions& options = {}) {
  auto loaded = Model::Parse(model.Bytes(), "test.onnx", EngineShapes(), options);
  EXPECT_TRUE(loaded) << loaded.error().ToString();
  return *loaded;
}

std::vector<std::string> Names(const Model& model) {
  std::vector<std::string> names;
  for (const Activation& a : model.activations()) names.push_back(a.port.name);
  return names;
}

/// Every cut there is, against the model as its file says it.
void ExpectEveryCutStaysExact(const Model& model) {
  CutOptions all;
  all.all = true;
  const auto feeds = RandomFeeds(model.inputs(), 5);
  const auto cuts = ListCuts(model, all).value();
  for (const Cut& cut : cuts) {
    if (!cut.is_split()) continue;
    const Halves halves{{}, {}, SlicePrefix(model, cut).value(), SliceSuffix(model, cut).value()};
    const auto check = CheckSplit(model, cut, halves, {feeds});
    ASSERT_TRUE(check) << cut.name << ": " << check.error().ToString();
    EXPECT_TRUE(check->exact.difference.identical) << cut.name;
  }
}

/// As PyTorch writes x.view(x.size(0), -1) and an upsampling to the size of an earlier tensor.
TestModel Exported(const std::vector<std::string>& dims, int64_t ir_version = 7) {
  TestModel m(13, ir_version);
  m.Input("x", dims);
  m.Conv("x", "a", 3, 4).Node("Relu", {"a"}, {"ar"});
  m.Conv("ar", "b", 4, 4, 3, 1, 2);
  m.Node("Shape", {"ar"}, {"size"});
  m.Ints("two", {2}).Ints("four", {4}).Ints("zero", {0}).Ints("rest", {-1});
  m.Node("Slice", {"size", "two", "four"}, {"sides"});
  m.Node("Shape", {"b"}, {"small"});
  m.Node("Slice", {"small", "zero", "two"}, {"front"});
  SetInt(m.Node("Concat", {"front", "sides"}, {"sizes"}), "axis", 0);
  m.Node("Resize", {"b", "", "", "sizes"}, {"up"});
  m.Node("Add", {"up", "ar"}, {"sum"});
  m.Node("Shape", {"sum"}, {"shape"});
  m.Node("Gather", {"shape", "zero"}, {"batch"});
  SetInt(m.Node("Concat", {"batch", "rest"}, {"flat"}), "axis", 0);
  m.Node("Reshape", {"sum", "flat"}, {"y"});
  m.Output("y");
  return m;
}

TEST(FoldShapes, WhatIsReckonedFromThemCrossesNowhere) {
  const Model model = LoadShapes(Exported({"1", "3", "8", "8"}));
  EXPECT_EQ(Names(model), (std::vector<std::string>{"x", "a", "ar", "b", "up", "sum", "y"}));
  EXPECT_EQ(model.FindActivation("sizes"), -1);
  EXPECT_FALSE(model.rewritten());
  ExpectEveryCutStaysExact(model);
}

TEST(FoldShapes, OldModelsListTheirConstantsAmongTheInputs) {
  TestModel old = Exported({"1", "3", "8", "8"}, 3);
  for (const auto& tensor : old.graph().initializer()) {
    auto& info = *old.graph().add_input();
    info.set_name(tensor.name());
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(tensor.data_type());
    for (const int64_t d : tensor.dims()) type->mutable_shape()->add_dim()->set_dim_value(d);
  }
  const Model model = LoadShapes(old);
  EXPECT_EQ(model.activations().size(), 7U);
  ExpectEveryCutStaysExact(model);
}

/// A model of any size is cut at one: its halves say so, and refuse another.
TEST(FoldShapes, HalvesOfAnOpenModelAreOfOneSize) {
  LoadOptions options;
  options.open_size = 8;
  const Model model = LoadShapes(Exported({"batch", "3", "height", "width"}), options);
  EXPECT_EQ(model.activations().size(), 7U);
  ExpectEveryCutStaysExact(model);
  onnx::ModelProto half;
  ASSERT_TRUE(half.ParseFromString(SliceSuffix(model, FindCut(model, "ar,up").value()).value()));
  for (const auto* ports : {&half.graph().input(), &half.graph().output()}) {
    for (const auto& port : *ports) {
      for (const auto& dim : port.type().tensor_type().shape().dim()) {
        EXPECT_TRUE(dim.has_dim_value()) << port.DebugString();
      }
    }
  }
}

TEST(FoldShapes, PartsOfAShapeAndSizesAreTheEnginesOwn) {
  TestModel m(15);
  m.Input("x", {"2", "3", "4", "5"});
  m.Node("Relu", {"x"}, {"a"});
  const std::pair<int64_t, int64_t> parts[] = {{0, 4}, {1, 3}, {-2, 4}, {-9, 9}, {2, -1}, {3, 1}};
  std::string sum = "a";
  for (size_t i = 0; i < std::size(parts); ++i) {
    const std::string n = std::to_string(i);
    auto& shape = m.Node("Shape", {"a"}, {"s" + n});
    SetInt(shape, "start", parts[i].first);
    SetInt(shape, "end", parts[i].second);
    SetInt(m.Node("ReduceSum", {"s" + n}, {"r" + n}), "keepdims", 0);
    SetInt(m.Node("Cast", {"r" + n}, {"f" + n}), "to", onnx::TensorProto::FLOAT);
    m.Node("Add", {sum, "f" + n}, {"t" + n});
    sum = "t" + n;
  }
  m.Node("Size", {"a"}, {"size"});
  SetInt(m.Node("Cast", {"size"}, {"sf"}), "to", onnx::TensorProto::FLOAT);
  m.Node("Add", {sum, "sf"}, {"y"});
  m.Output("y");
  const Model model = LoadShapes(m);
  EXPECT_EQ(model.activations().size(), 2 + std::size(parts) + 1);
  ExpectEveryCutStaysExact(model);
}

/// How many there are is known at run time alone.
TEST(FoldShapes, AShapeThatValuesDecideIsLeftAlone) {
  TestModel m;
  m.Input("x", {"4", "4"});
  m.Node("NonZero", {"x"}, {"found"});
  m.Node("Shape", {"found"}, {"many"});
  SetInt(m.Node("Cast", {"many"}, {"y"}), "to", onnx::TensorProto::FLOAT);
  m.Output("y");
  EXPECT_EQ(Names(LoadShapes(m)), (std::vector<std::string>{"x", "found", "many", "y"}));
}

TEST(FoldShapes, AModelThatSaysNothingButItsSizeKeepsItsLayers) {
  TestModel m;
  m.Input("x", {"4", "4"});
  m.Node("Shape", {"x"}, {"size"});
  SetInt(m.Node("Cast", {"size"}, {"y"}), "to", onnx::TensorProto::FLOAT);
  m.Output("y");
  EXPECT_EQ(Names(LoadShapes(m)), (std::vector<std::string>{"x", "size", "y"}));
  TestModel asked;  // and one that is asked for the shape itself
  asked.Input("x", {"4", "4"});
  asked.Node("Relu", {"x"}, {"a"});
  asked.Node("Shape", {"a"}, {"size"});
  asked.Output("a").Output("size", onnx::TensorProto::INT64);
  EXPECT_EQ(Names(LoadShapes(asked)), (std::vector<std::string>{"x", "a", "size"}));
}

}  // namespace
}  // namespace fogline
