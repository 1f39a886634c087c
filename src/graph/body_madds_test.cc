// What If, Loop and Scan count: never silently nothing.
#include "graph/body_madds.h"

#include <gtest/gtest.h>

#include "engine/shapes.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::TestModel;

constexpr int64_t kProduct = 4 * 4;  // of one row of 4 with a 4x4 matrix

onnx::GraphProto& Body(onnx::NodeProto& node, const std::string& name) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  attribute->mutable_g()->set_name(name);
  return *attribute->mutable_g();
}

void Add(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
         const std::string& output) {
  auto* node = graph.add_node();
  node->set_op_type(op);
  for (const auto& input : inputs) node->add_input(input);
  node->add_output(output);
}

void Typed(onnx::ValueInfoProto& info, const std::string& name, int type) {
  info.set_name(name);
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  if (type != onnx::TensorProto::FLOAT) tensor->mutable_shape();  // a scalar
}

Model LoadBodies(const TestModel& model) {
  auto loaded = Model::Parse(model.Bytes(), "bodies", EngineShapes());
  EXPECT_TRUE(loaded) << loaded.error().ToString();
  return *loaded;
}

/// x · w, `runs` times or as often as the input `runs` says; stops early when `go_on` is computed.
TestModel Looped(int64_t runs, bool computed) {
  TestModel model;
  model.Input("x", {"1", "4"}).Weight("w", {4, 4});
  if (runs >= 0) {
    auto* tensor = model.graph().add_initializer();
    tensor->set_name("runs");
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_int64_data(runs);
  } else {
    model.Input("runs", {}, onnx::TensorProto::INT64);
  }
  auto& body = Body(model.Node("Loop", {"runs", "", "x"}, {"y"}, "loop"), "body");
  Typed(*body.add_input(), "i", onnx::TensorProto::INT64);
  Typed(*body.add_input(), "c", onnx::TensorProto::BOOL);
  Typed(*body.add_input(), "v", onnx::TensorProto::FLOAT);
  if (computed) {
    Add(body, "ReduceSum", {"v"}, "s");
    auto* keep = body.mutable_node(0)->add_attribute();
    keep->set_name("keepdims");
    keep->set_type(onnx::AttributeProto::INT);
    keep->set_i(0);
    Add(body, "Cast", {"s"}, "go");
    auto* to = body.mutable_node(1)->add_attribute();
    to->set_name("to");
    to->set_type(onnx::AttributeProto::INT);
    to->set_i(onnx::TensorProto::BOOL);
  } else {
    Add(body, "Identity", {"c"}, "go");
  }
  Add(body, "MatMul", {"v", "w"}, "p");
  Typed(*body.add_output(), "go", onnx::TensorProto::BOOL);
  Typed(*body.add_output(), "p", onnx::TensorProto::FLOAT);
  model.Output("y");
  return model;
}

TEST(BodyMadds, ALoopWithAConstantNumberOfRunsCountsThemAll) {
  const Model model = LoadBodies(Looped(7, false));
  EXPECT_EQ(model.madds(), 7 * kProduct);
  EXPECT_FALSE(model.madds_at_least());
}

TEST(BodyMadds, AnUnknownNumberOfRunsIsSaid) {
  for (const auto& [runs, computed] : {std::pair(-1, false), {7, true}}) {
    const Model model = LoadBodies(Looped(runs, computed));
    EXPECT_EQ(model.madds(), kProduct);
    EXPECT_TRUE(model.madds_at_least());
    EXPECT_TRUE(model.nodes()[0].madds_at_least);
  }
}

TEST(BodyMadds, AnIfCountsItsLargerBranch) {
  TestModel model;
  model.Input("x", {"1", "4"}).Input("c", {}, onnx::TensorProto::BOOL);
  model.Weight("w", {4, 4}).Weight("big", {4, 4});
  auto& choice = model.Node("If", {"c"}, {"y"}, "if");
  auto& then = Body(choice, "then_branch");
  Add(then, "MatMul", {"x", "w"}, "one");
  Typed(*then.add_output(), "one", onnx::TensorProto::FLOAT);
  auto& otherwise = Body(choice, "else_branch");
  Add(otherwise, "MatMul", {"x", "w"}, "a");
  Add(otherwise, "MatMul", {"a", "big"}, "two");
  Typed(*otherwise.add_output(), "two", onnx::TensorProto::FLOAT);
  model.Output("y");
  const Model loaded = LoadBodies(model);
  EXPECT_EQ(loaded.madds(), 2 * kProduct);
  EXPECT_FALSE(loaded.madds_at_least());
}

TEST(BodyMadds, AScanRunsOnceASlice) {
  TestModel model;
  model.Input("x", {"5", "1", "4"}).Weight("w", {4, 4});
  auto& scan = model.Node("Scan", {"x"}, {"y"}, "scan");
  test::SetInt(scan, "num_scan_inputs", 1);
  auto& body = Body(scan, "body");
  Typed(*body.add_input(), "row", onnx::TensorProto::FLOAT);
  Add(body, "MatMul", {"row", "w"}, "p");
  Typed(*body.add_output(), "p", onnx::TensorProto::FLOAT);
  model.Output("y");
  const Model loaded = LoadBodies(model);
  EXPECT_EQ(loaded.madds(), 5 * kProduct);
  EXPECT_FALSE(loaded.madds_at_least());
}

TEST(BodyMadds, BodiesWithoutProductsCountNothingAndSaySo) {
  TestModel model;
  model.Input("x", {"1", "4"}).Input("runs", {}, onnx::TensorProto::INT64);
  auto& body = Body(model.Node("Loop", {"runs", "", "x"}, {"y"}, "loop"), "body");
  Typed(*body.add_input(), "i", onnx::TensorProto::INT64);
  Typed(*body.add_input(), "c", onnx::TensorProto::BOOL);
  Typed(*body.add_input(), "v", onnx::TensorProto::FLOAT);
  Add(body, "Identity", {"c"}, "go");
  Add(body, "Relu", {"v"}, "p");
  Typed(*body.add_output(), "go", onnx::TensorProto::BOOL);
  Typed(*body.add_output(), "p", onnx::TensorProto::FLOAT);
  model.Output("y");
  const Model loaded = LoadBodies(model);
  EXPECT_EQ(loaded.madds(), 0);
  EXPECT_FALSE(loaded.madds_at_least());  // however often it runs
}

}  // namespace
}  // namespace fogline
