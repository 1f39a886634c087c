// A model is named by all of its bytes.
#include "graph/model_name.h"

#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
#include "base/paths.h"
#include "engine/shapes.h"
#include "graph/model.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::SetInt;
using fogline::test::TestModel;

class ModelNames : public ::testing::Test {
 protected:
  /// A convolution whose weights lie in `weights`.bin.
  std::filesystem::path Write(const std::string& name, const std::string& weights) {
    TestModel m;
    m.Input("x", {"1", "3", "8", "8"}).Conv("x", "y", 3, 4).Output("y");
    onnx::TensorProto& tensor = *m.graph().mutable_initializer(0);
    raw_ = tensor.raw_data();
    if (!weights.empty()) {
      tensor.clear_raw_data();
      tensor.set_data_location(onnx::TensorProto::EXTERNAL);
      auto* entry = tensor.add_external_data();
      entry->set_key("location");
      entry->set_value(weights);
    }
    const auto path = dir_.path() / name;
    EXPECT_TRUE(WriteFile(path, m.Bytes()));
    return path;
  }

  TempDir dir_;
  std::string raw_;
};

TEST_F(ModelNames, WithoutOtherFilesItIsTheFilesHash) {
  const auto path = Write("m.onnx", "");
  const auto name = NameModel(path);
  ASSERT_TRUE(name) << name.error().ToString();
  EXPECT_EQ(name->hash, *HashFile(path));
  EXPECT_TRUE(name->external.empty());
  EXPECT_EQ(Model::Load(path, EngineShapes())->hash(), name->hash);
}

TEST_F(ModelNames, TwoFineTunesOfOneGraphHaveTwoNames) {
  const auto path = Write("m.onnx", "w.bin");
  ASSERT_TRUE(WriteFile(dir_.path() / "w.bin", raw_));
  const auto one = NameModel(path);
  ASSERT_TRUE(one) << one.error().ToString();
  EXPECT_EQ(one->external, std::vector<std::filesystem::path>{"w.bin"});
  EXPECT_NE(one->hash, *HashFile(path));
  EXPECT_EQ(Model::Load(path, EngineShapes())->hash(), one->hash);

  std::string other = raw_;
  other[1] ^= 1;
  ASSERT_TRUE(WriteFile(dir_.path() / "w.bin", other));
  const auto two = NameModel(path);
  ASSERT_TRUE(two);
  EXPECT_NE(two->hash, one->hash);
  EXPECT_EQ(Model::Load(path, EngineShapes())->hash(), two->hash);

  // As docs/wire_format.md says.
  std::string parts;
  const auto add = [&](const Sha256& hash) { parts.append(hash.begin(), hash.end()); };
  const auto of = [](std::string_view text) { return HashSha256(std::as_bytes(std::span(text))); };
  add(*HashFile(path));
  add(of("w.bin"));
  add(of(other));
  EXPECT_EQ(two->hash, of(parts));
}

TEST_F(ModelNames, WeightsInsideOfABranchCountToo) {
  const auto path = dir_.path() / "m.onnx";
  TestModel m;
  m.Input("x", {"4"}).Input("c", {}, onnx::TensorProto::BOOL).Output("y");
  onnx::NodeProto& branch = m.Node("If", {"c"}, {"y"});
  for (const char* side : {"then_branch", "else_branch"}) {
    auto* attribute = branch.add_attribute();
    attribute->set_name(side);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    onnx::GraphProto& graph = *attribute->mutable_g();
    graph.set_name(side);
    auto* constant = graph.add_node();
    constant->set_op_type("Constant");
    constant->add_output(side);
    auto* value = constant->add_attribute();
    value->set_name("value");
    value->set_type(onnx::AttributeProto::TENSOR);
    value->mutable_t()->set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = value->mutable_t()->add_external_data();
    entry->set_key("location");
    entry->set_value(std::string(side) + ".bin");
  }
  ASSERT_TRUE(WriteFile(path, m.Bytes()));
  EXPECT_EQ(NameModel(path).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteFile(dir_.path() / "then_branch.bin", "a"));
  ASSERT_TRUE(WriteFile(dir_.path() / "else_branch.bin", "b"));
  const auto one = NameModel(path);
  ASSERT_TRUE(one) << one.error().ToString();
  EXPECT_EQ(one->external.size(), 2U);
  ASSERT_TRUE(WriteFile(dir_.path() / "else_branch.bin", "c"));
  EXPECT_NE(NameModel(path)->hash, one->hash);
}

TEST_F(ModelNames, WhatIsNoModelSaysWhatItIs) {
  const auto path = dir_.path() / "pointer.onnx";
  ASSERT_TRUE(WriteFile(path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"));
  EXPECT_EQ(NameModel(path).error().code, ErrorCode::kNotFound);
  EXPECT_NE(NameModel(path).error().message.find("git lfs pull"), std::string::npos);
  EXPECT_EQ(Model::Load(path, EngineShapes()).error().message, NameModel(path).error().message);
  EXPECT_EQ(NameModel(Write("m.onnx", "../w.bin")).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(NameModel(Write("m.onnx", "gone.bin")).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace fogline
