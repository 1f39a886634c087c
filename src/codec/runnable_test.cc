#include "codec/runnable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/route.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

Port Tensor(const char* name) { return {name, DType::kF32, Shape{1, 8, 4, 4}}; }

/// A cut of a network of three layers, so many of them on the edge.
Cut CutOf(int edge_nodes, std::vector<Port> tensors) {
  Cut cut;
  cut.edge.resize(3);
  for (int i = 0; i < edge_nodes; ++i) cut.edge[static_cast<size_t>(i)] = true;
  cut.edge_nodes = edge_nodes;
  cut.tensors = std::move(tensors);
  return cut;
}

class Runnable : public ::testing::Test {
 protected:
  std::string Why(const Cut& cut, const char* codec) const {
    std::optional<CodecName> name;
    if (*codec != '\0') name = ParseCodec(codec).value();
    const auto obstacle = WhyNotRun(contract_, cut, name);
    return obstacle ? obstacle->why : "";
  }

  ModelContract contract_;
  const Cut cloud_only_ = CutOf(0, {Tensor("x")}), split_ = CutOf(1, {Tensor("a")}),
            two_ = CutOf(2, {Tensor("a"), Tensor("b")}), edge_only_ = CutOf(3, {Tensor("y")});
};

TEST_F(Runnable, WhatTheDaemonsRun) {
  for (const char* codec : {"jpeg:90", "webp:50", "json", ""})
    EXPECT_EQ(Why(cloud_only_, codec), "");
  for (const char* codec : {"f32", "f16", "q4", "json", ""}) {
    EXPECT_EQ(Why(split_, codec), "");
    EXPECT_EQ(Why(two_, codec), "");
  }
  EXPECT_EQ(Why(edge_only_, ""), "");
}

TEST_F(Runnable, WhatStandsInTheWayIsSaid) {
  EXPECT_THAT(Why(cloud_only_, "f32"), HasSubstr("as jpeg, webp or json, not as f32"));
  EXPECT_THAT(Why(split_, "jpeg:90"), HasSubstr("jpeg:90 codes pictures"));
  const Cut many = CutOf(1, std::vector<Port>(Route::kMostTensors + 1, Tensor("a")));
  EXPECT_THAT(Why(many, "f16"), HasSubstr("65 tensors cross here, a frame holds 64"));
  Cut wild = split_;
  wild.data_dependent = true;
  EXPECT_THAT(Why(wild, "f16"), HasSubstr("the shape of 'a' depends on the picture"));
  wild.tensors.push_back(Tensor("b"));
  EXPECT_THAT(Why(wild, "f16"), HasSubstr("the shape of one of 'a,b' depends on the picture"));
  contract_.no_picture = Error{ErrorCode::kUnsupported, "m.onnx", "takes 'tokens'"};
  for (const Cut& cut : {cloud_only_, split_, edge_only_})
    EXPECT_EQ(Why(cut, ""), "takes 'tokens'");
}

}  // namespace
}  // namespace fogline
