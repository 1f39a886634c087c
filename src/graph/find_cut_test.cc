// How a cut may be written, on models whose tensors are called like numbers and words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/shapes.h"
#include "graph/cut.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::TestModel;
using ::testing::HasSubstr;

/// A chain of element-wise layers whose tensors have these names, the first the input.
Model ChainOf(const std::vector<std::string>& names) {
  TestModel model;
  model.Input(names.front(), {"1", "3", "8", "8"});
  for (size_t i = 1; i < names.size(); ++i) model.Node("Relu", {names[i - 1]}, {names[i]});
  model.Output(names.back());
  return Model::Parse(model.Bytes(), "chain", EngineShapes()).value();
}

/// Two branches of an input, joined: {left, right} is a cut of two tensors.
Model Fork(const std::string& left, const std::string& right, const std::string& joined) {
  TestModel model;
  model.Input("x", {"1", "3", "8", "8"});
  model.Node("Relu", {"x"}, {left});
  model.Node("MaxPool", {"x"}, {right});
  test::SetInts(model.graph().mutable_node()->at(1), "kernel_shape", {1, 1});
  model.Node("Add", {left, right}, {joined});
  model.Node("Relu", {joined}, {"y"});
  model.Output("y");
  return Model::Parse(model.Bytes(), "fork", EngineShapes()).value();
}

std::string Crossing(const Result<Cut>& cut) {
  if (!cut) return cut.error().ToString();
  std::string names;
  for (const Port& port : cut->tensors) names += (names.empty() ? "" : " ") + port.name;
  return names;
}

TEST(FindCut, ANumberIsAnIndexAndNeverATensor) {
  // Old exporters number their tensors: here tensor "2" crosses at cut 1, tensor "1" at cut 2.
  const Model model = ChainOf({"x", "2", "1", "7", "y"});
  EXPECT_EQ(Crossing(FindCut(model, "1")), "2");
  EXPECT_EQ(Crossing(FindCut(model, "2")), "1");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:1")), "1");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:2")), "2");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:7")), "7");
  // Not an index, and not taken for the tensor either: the error says how that is written.
  const auto past = FindCut(model, "7");
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(past.error().message, HasSubstr("from 0 to 4"));
  EXPECT_THAT(past.error().message, HasSubstr("tensor:7"));
  EXPECT_FALSE(FindCut(model, "-1"));
  EXPECT_FALSE(FindCut(model, "99999999999999999999"));
}

TEST(FindCut, NumbersInAListOfTensorsMustSayThatTheyAreTensors) {
  const Model model = Fork("3", "5", "j");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:3,tensor:5")), "3 5");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:5,tensor:3")), "3 5");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:3, tensor:5")), "3 5");  // as tables print it
  const auto bare = FindCut(model, "3,5");
  ASSERT_FALSE(bare);
  EXPECT_THAT(bare.error().message, HasSubstr("tensor:3"));
}

TEST(FindCut, TheEndsKeepTheirNamesWhateverTensorsAreCalled) {
  for (const std::vector<std::string>& names : {std::vector<std::string>{"x", "output", "b", "y"},
                                                {"x", "edge-only", "cloud-only", "y"},
                                                {"x", "a", "input", "y"},
                                                {"input", "output", "input2", "y"},
                                                {"output", "a", "b", "input"}}) {
    const Model model = ChainOf(names);
    EXPECT_EQ(Crossing(FindCut(model, "cloud-only")), names.front());
    EXPECT_EQ(Crossing(FindCut(model, "edge-only")), names.back());
    EXPECT_TRUE(FindCut(model, "cloud-only")->is_cloud_only());
    EXPECT_TRUE(FindCut(model, "edge-only")->is_edge_only());
  }
}

TEST(FindCut, TwoMeaningsAreRefusedWithBothSpellings) {
  const Model model = ChainOf({"x", "output", "input", "y"});
  for (const auto& [word, end] : {std::pair("output", "edge-only"), {"input", "cloud-only"}}) {
    const auto cut = FindCut(model, word);
    ASSERT_FALSE(cut) << word;
    EXPECT_EQ(cut.error().code, ErrorCode::kUsage);
    EXPECT_THAT(cut.error().message, HasSubstr(std::string("write ") + end + " or tensor:" + word));
    EXPECT_EQ(Crossing(FindCut(model, std::string("tensor:") + word)), word);
  }
  // The usual names: both meanings are the same cut.
  const Model usual = ChainOf({"input", "a", "output"});
  EXPECT_TRUE(FindCut(usual, "input")->is_cloud_only());
  EXPECT_TRUE(FindCut(usual, "output")->is_edge_only());
  // Commas in names: "a,b" may be one tensor or two.
  const Model commas = Fork("a", "b", "a,b");
  const auto both = FindCut(commas, "a,b");
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message, HasSubstr("tensor:a,tensor:b"));
  EXPECT_EQ(Crossing(FindCut(commas, "tensor:a,b")), "a,b");
  EXPECT_EQ(Crossing(FindCut(commas, "tensor:a,tensor:b")), "a b");
  const Model spaced = Fork("a", "b", "a, b");
  EXPECT_EQ(Crossing(FindCut(spaced, "tensor:a, b")), "a, b");
}

TEST(FindCut, AMarkThatIsPartOfANameIsThatName) {
  const Model model = ChainOf({"x", "tensor:0", "0", "y"});
  EXPECT_EQ(Crossing(FindCut(model, "tensor:tensor:0")), "tensor:0");
  EXPECT_EQ(Crossing(FindCut(model, "tensor:0")), "0");
  const Model alone = ChainOf({"x", "tensor:0", "b", "y"});
  EXPECT_EQ(Crossing(FindCut(alone, "tensor:0")), "tensor:0");
}

// What inspect prints can be given back, whatever the tensors are called.
TEST(FindCut, EveryCutAnswersToItsOwnName) {
  for (const Model& model :
       {ChainOf({"x", "2", "output", "tensor:1", "split3", "y"}), Fork("3", "5", "1"),
        Fork("output", "x,y", "input"), Fork("a", "b", "c"), ChainOf({"1", "0"})}) {
    const std::vector<Cut> cuts = ListCuts(model).value();
    for (const Cut& cut : cuts) {
      if (!cut.is_split()) continue;
      const auto found = FindCut(model, cut.name);
      ASSERT_TRUE(found) << found.error().ToString();
      EXPECT_EQ(found->index, cut.index) << cut.name;
    }
  }
}

TEST(FindTensor, ReadsATensorWhereNothingCanBeCut) {
  const Model model = Fork("a", "2", "j");
  const auto name = [&](const char* spec) -> std::string {
    const auto id = FindTensor(model, spec);
    return id ? model.activations()[*id].port.name : id.error().ToString();
  };
  EXPECT_EQ(name("a"), "a");
  EXPECT_EQ(name("tensor:2"), "2");
  EXPECT_EQ(name("0"), "x");
  EXPECT_EQ(name("output"), "y");
  EXPECT_THAT(name("a,tensor:2"), HasSubstr("2 tensors cross"));
  EXPECT_THAT(name("17"), HasSubstr("from 0 to"));
}

TEST(Mechanism, IsWhatTheCutMakesOfTheNetwork) {
  const Model model = ChainOf({"x", "a", "y"});
  const std::vector<Cut> cuts = ListCuts(model).value();
  ASSERT_EQ(cuts.size(), 3U);
  EXPECT_EQ(cuts[0].mechanism(), MechanismKind::kCloudOnly);
  EXPECT_EQ(cuts[1].mechanism(), MechanismKind::kSplit);
  EXPECT_EQ(cuts[2].mechanism(), MechanismKind::kEdgeOnly);
  EXPECT_EQ(IndexOf(cuts, MechanismKind::kEdgeOnly), 2U);
  EXPECT_FALSE(IndexOf({}, MechanismKind::kEdgeOnly));
  EXPECT_STREQ(NameOf(MechanismKind::kSplit), "split");
}

}  // namespace
}  // namespace fogline
