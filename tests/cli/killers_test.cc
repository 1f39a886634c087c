// Networks that end the process of ONNX Runtime 1.21, by a division of integers by zero: in a
// branch that is never taken, which its optimiser computes nevertheless, and in every run on zeros.
// Commands live and say so in a line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "graph/test_model.h"
#include "tests/cli/command.h"

namespace fogline {
namespace {

using fogline::test::SetInt;
using fogline::test::TestModel;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kPictures =
    std::filesystem::path(FOGLINE_SOURCE_DIR) / "models" / "demo";

void SetGraph(onnx::NodeProto& node, const std::string& name, const onnx::GraphProto& graph) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  *attribute->mutable_g() = graph;
}

class Killers : public ::testing::Test {
 protected:
  void SetUp() override { setenv("XDG_CACHE_HOME", (dir_.path() / "cache").c_str(), 1); }
  void TearDown() override { unsetenv("XDG_CACHE_HOME"); }

  /// x → Conv → Relu → pooled, a picture network of four classes.
  static TestModel Classifier() {
    TestModel m;
    m.Input("x", {"1", "3", "16", "16"}).Conv("x", "c", 3, 4);
    m.Node("Relu", {"c"}, {"r"});
    m.Node("GlobalAveragePool", {"r"}, {"p"});
    m.Node("Flatten", {"p"}, {"f"});
    return m;
  }

  /// Dies of every optimisation, and runs without.
  std::filesystem::path OptimisersDeath() {
    TestModel never;
    onnx::GraphProto& then = never.graph();
    never.Ints("ones", {1, 1, 1, 1}).Ints("zeros", {0, 0, 0, 0});
    never.Node("Div", {"ones", "zeros"}, {"q"});
    SetInt(never.Node("Cast", {"q"}, {"never"}), "to", onnx::TensorProto::FLOAT);
    never.Output("never");
    TestModel always;
    always.Ints("none", {0, 0, 0, 0});
    SetInt(always.Node("Cast", {"none"}, {"always"}), "to", onnx::TensorProto::FLOAT);
    always.Output("always");

    TestModel m = Classifier();
    m.Node("ReduceMax", {"f"}, {"largest"});
    SetInt(*m.graph().mutable_node(m.graph().node_size() - 1), "keepdims", 0);
    m.Node("Exp", {"largest"}, {"e"});
    m.Node("Less", {"e", "largest"}, {"condition"});  // never: e^x > x
    onnx::NodeProto& branch = m.Node("If", {"condition"}, {"b"});
    SetGraph(branch, "then_branch", then);
    SetGraph(branch, "else_branch", always.graph());
    m.Node("Add", {"f", "b"}, {"y"});
    m.Output("y");
    return Write("optimiser.onnx", m);
  }

  /// Dies of its first run, whatever the level.
  std::filesystem::path EnginesDeath() {
    TestModel m = Classifier();
    m.Ints("ones", {1, 1, 1, 1});
    SetInt(m.Node("Cast", {"f"}, {"i"}), "to", onnx::TensorProto::INT64);
    m.Node("Div", {"ones", "i"}, {"d"});
    SetInt(m.Node("Cast", {"d"}, {"y"}), "to", onnx::TensorProto::FLOAT);
    m.Output("y");
    return Write("engine.onnx", m);
  }

  std::filesystem::path Write(const std::string& name, TestModel& model) {
    const auto path = dir_.path() / name;
    EXPECT_TRUE(WriteFile(path, model.Bytes()));
    return path;
  }
  Outcome Run(std::vector<std::string> words) { return RunCommand(std::move(words), dir_.path()); }

  TempDir dir_;
};

TEST_F(Killers, ANetworkThatKillsTheOptimiserIsSplitAtASaferLevel) {
  const auto path = OptimisersDeath();
  const auto split =
      Run({"split", path.string(), "--cut", "r", "--out", (dir_.path() / "o").string(), "--json"});
  ASSERT_EQ(split.status, 0) << split.log;
  EXPECT_TRUE(nlohmann::json::parse(split.out)["bit_identical"].get<bool>());
  EXPECT_THAT(split.log, AllOf(HasSubstr("optimiser.onnx"), HasSubstr("signal 8"),
                               HasSubstr("level 'all'"), HasSubstr("runs at 'none'")));
  // The second time it is known.
  const auto again =
      Run({"split", path.string(), "--cut", "r", "--out", (dir_.path() / "o").string()});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.log, "");
}

TEST_F(Killers, CommandsSurviveANetworkThatKillsTheEngine) {
  const std::string path = EnginesDeath().string();
  EXPECT_EQ(Run({"inspect", path}).status, 0);  // looks at it, runs nothing
  for (int time = 0; time < 3; ++time) {
    ExpectOneLine(Run({"split", path, "--cut", "r", "--out", (dir_.path() / "o").string()}),
                  time < 2 ? "signal 8" : "until the file changes");
  }
  const std::vector<std::vector<std::string>> commands{
      {"calibrate", path, "--images", kPictures.string(), "--max-images", "2"},
      {"profile", path, "--out", (dir_.path() / "p.json").string()},
      {"edge", "--model", path, "--source", kPictures.string(), "--mechanism", "edge-only"}};
  for (const auto& command : commands) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.status, 1) << command[0] << ": " << outcome.log;
    EXPECT_THAT(outcome.log, HasSubstr("engine.onnx")) << command[0];
  }
}

}  // namespace
}  // namespace fogline
