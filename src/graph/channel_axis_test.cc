#include "graph/channel_axis.h"

#include <gtest/gtest.h>

#include "engine/shapes.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInts;
using test::TestModel;

int AxisOf(const TestModel& m, const std::string& tensor) {
  const auto model = Model::Parse(m.Bytes(), "test.onnx", EngineShapes());
  EXPECT_TRUE(model) << model.error().ToString();
  return ChannelAxes(*model)[static_cast<size_t>(model->FindActivation(tensor))];
}

/// As tf2onnx leaves a network of TensorFlow's: pictures and sums with their channels last,
/// convolutions between transpositions.
TestModel ChannelsLast() {
  TestModel m;
  m.Input("x", {"1", "8", "8", "3"});
  SetInts(m.Node("Transpose", {"x"}, {"x_first"}), "perm", {0, 3, 1, 2});
  m.Conv("x_first", "a_first", 3, 5);
  SetInts(m.Node("Transpose", {"a_first"}, {"a"}), "perm", {0, 2, 3, 1});
  m.Node("Relu", {"a"}, {"b"});
  m.Node("Mul", {"b", "a"}, {"c"});
  m.Node("Concat", {"b", "c"}, {"d"});
  auto* axis = m.graph().mutable_node(m.graph().node_size() - 1)->add_attribute();
  axis->set_name("axis");
  axis->set_type(onnx::AttributeProto::INT);
  axis->set_i(3);
  m.Ints("flat", {1, 64, 10});
  m.Node("Reshape", {"d", "flat"}, {"e"});
  m.Weight("w", {10, 6});
  m.Node("MatMul", {"e", "w"}, {"y"});
  m.Output("y");
  return m;
}

TEST(ChannelAxes, FollowTranspositionsBothWays) {
  const TestModel m = ChannelsLast();
  EXPECT_EQ(AxisOf(m, "x"), 3);
  EXPECT_EQ(AxisOf(m, "x_first"), 1);
  EXPECT_EQ(AxisOf(m, "a_first"), 1);
  for (const char* last : {"a", "b", "c", "d"}) EXPECT_EQ(AxisOf(m, last), 3) << last;
}

TEST(ChannelAxes, StayWhereAReshapeLeavesThem) {
  const TestModel m = ChannelsLast();
  EXPECT_EQ(AxisOf(m, "e"), 2);
  EXPECT_EQ(AxisOf(m, "y"), 2);
  TestModel folded;
  folded.Input("x", {"1", "3", "6", "6"});
  folded.Conv("x", "a", 3, 8);
  folded.Ints("shape", {1, 8, 36});
  folded.Node("Reshape", {"a", "shape"}, {"b"});
  folded.Node("Relu", {"b"}, {"c"});
  folded.Output("c");
  EXPECT_EQ(AxisOf(folded, "c"), 1);
}

TEST(ChannelAxes, AreNotGuessed) {
  TestModel m;
  m.Input("x", {"1", "4", "6", "5"});
  m.Node("Relu", {"x"}, {"a"});
  m.Ints("shape", {1, 20, 6});
  m.Node("Reshape", {"a", "shape"}, {"y"});
  m.Output("y");
  EXPECT_EQ(AxisOf(m, "a"), -1);
  EXPECT_EQ(AxisOf(m, "y"), -1);
  // A broadcast weight map with one channel says nothing of the other's place but its rank.
  TestModel gated;
  gated.Input("x", {"1", "3", "6", "6"});
  gated.Conv("x", "a", 3, 1);
  gated.Node("Sigmoid", {"a"}, {"gate"});
  gated.Node("Mul", {"x", "gate"}, {"y"});
  gated.Output("y");
  EXPECT_EQ(AxisOf(gated, "y"), 1);
}

}  // namespace
}  // namespace fogline
