// Where features are found, and that a head behind them computes what it says.
#include "graph/append_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/session.h"
#include "engine/shapes.h"
#include "graph/slice.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInt;
using test::SetInts;
using test::TestModel;
using ::testing::HasSubstr;

Result<Model> TryLoad(const TestModel& model) {
  return Model::Parse(model.Bytes(), "test.onnx", EngineShapes());
}

std::vector<float> RunModel(const std::string& model, const Tensor& input, Shape* shape = nullptr) {
  const auto bytes = std::as_bytes(std::span(model.data(), model.size()));
  const auto session = OpenSession(bytes, "written");
  EXPECT_TRUE(session) << session.error().ToString();
  if (!session) return {};
  const TensorView view = input.view();
  const auto outputs = (*session)->Run({&view, 1});
  EXPECT_TRUE(outputs) << outputs.error().ToString();
  if (!outputs) return {};
  EXPECT_EQ(outputs->size(), 1U);
  if (shape != nullptr) *shape = outputs->at(0).shape();
  const auto values = outputs->at(0).as<float>();
  return {values.begin(), values.end()};
}

Tensor Ramp(const Shape& shape) {
  Tensor tensor(DType::kF32, shape);
  float value = -1;
  for (float& x : tensor.as<float>()) x = value = value > 1 ? -1 : value + 0.037F;
  return tensor;
}

/// Two convolutions with a squeeze-and-excitation gate between them, then `pool` and a classifier.
TestModel Classifier(const std::string& pool = "GlobalAveragePool") {
  TestModel m;
  m.Input("image", {"batch", "3", "8", "8"});
  m.Conv("image", "stem", 3, 4);
  m.Node("GlobalAveragePool", {"stem"}, {"squeezed"}, "squeeze");
  m.Conv("squeezed", "gate", 4, 4, 1);
  m.Node("Mul", {"stem", "gate"}, {"gated"}, "excite");
  m.Conv("gated", "logits", 4, 6);  // a name that the head wants too
  if (pool == "ReduceMean") {
    SetInts(m.Node("ReduceMean", {"logits"}, {"pooled"}, "pool"), "axes", {2, 3});
  } else if (pool == "AveragePool") {
    SetInts(m.Node("AveragePool", {"logits"}, {"pooled"}, "pool"), "kernel_shape", {8, 8});
  } else {
    m.Node(pool, {"logits"}, {"pooled"}, "pool");
  }
  m.Node("Flatten", {"pooled"}, {"flat"}, "flatten");
  m.Weight("w", {6, 5});
  m.Node("MatMul", {"flat", "w"}, {"scores"}, "classify");
  m.Output("scores");
  return m;
}

TEST(PooledFeatures, AreWhatTheClassifierReads) {
  for (const char* pool : {"GlobalAveragePool", "AveragePool", "ReduceMean"}) {
    const auto model = TryLoad(Classifier(pool));
    ASSERT_TRUE(model) << model.error().ToString();
    const auto point = PooledFeatures(*model);
    ASSERT_TRUE(point) << point.error().ToString();
    EXPECT_EQ(point->tensor, "pooled") << pool;
    EXPECT_EQ(point->width, 6);
    EXPECT_FALSE(point->average);
  }
}

TEST(PooledFeatures, MayKeepTheirChannelsLast) {
  TestModel m;
  m.Input("image", {"1", "8", "8", "3"});
  auto& pool = m.Node("ReduceMean", {"image"}, {"pooled"}, "pool");
  SetInts(pool, "axes", {1, 2});
  SetInt(pool, "keepdims", 1);
  m.Output("pooled");
  const auto model = TryLoad(m);
  ASSERT_TRUE(model) << model.error().ToString();
  const auto point = PooledFeatures(*model);
  ASSERT_TRUE(point) << point.error().ToString();
  EXPECT_EQ(point->width, 3);
  EXPECT_FALSE(point->average);
}

TEST(PooledFeatures, WhereThereAreNoneOthersAreNamed) {
  TestModel m;
  m.Input("image", {"1", "3", "8", "8"});
  m.Conv("image", "map", 3, 2);
  m.Node("Flatten", {"map"}, {"flat"}, "flatten");
  m.Weight("w", {128, 5});
  m.Node("MatMul", {"flat", "w"}, {"scores"}, "classify");
  m.Output("scores");
  const auto model = TryLoad(m);
  ASSERT_TRUE(model) << model.error().ToString();
  const auto point = PooledFeatures(*model);
  ASSERT_FALSE(point);
  EXPECT_EQ(point.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(point.error().message, HasSubstr("--at"));
  EXPECT_THAT(point.error().message, HasSubstr("'flat' (1x128)"));
}

TEST(FeaturesAt, RefusesWhatIsNoFeature) {
  const auto model = TryLoad(Classifier());
  ASSERT_TRUE(model);
  EXPECT_EQ(FeaturesAt(*model, "image").error().code, ErrorCode::kUsage);
  const auto unknown = FeaturesAt(*model, "pooler");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("'pooled'"));

  TestModel counts;
  counts.Input("image", {"1", "3", "8", "8"});
  counts.Node("Shape", {"image"}, {"shape"}, "shape");
  counts.Node("NonZero", {"image"}, {"where"}, "nonzero");
  counts.Output("where", onnx::TensorProto::INT64);
  const auto integers = TryLoad(counts);
  ASSERT_TRUE(integers) << integers.error().ToString();
  EXPECT_EQ(FeaturesAt(*integers, "where").error().code, ErrorCode::kUsage);
}

TEST(AppendHead, ComputesWeightsTimesFeaturesPlusBias) {
  const auto model = TryLoad(Classifier());
  ASSERT_TRUE(model);
  // A vector, a map that is averaged, and a tensor at which others cross too, so that it is no cut.
  for (const char* tensor : {"pooled", "logits", "gate", "stem"}) {
    const auto point = FeaturesAt(*model, tensor);
    ASSERT_TRUE(point) << point.error().ToString();
    const auto width = static_cast<size_t>(point->width);
    LinearHead head{3, point->width, {}, {0.25F, -1, 7}};
    for (size_t i = 0; i < 3 * width; ++i) {
      head.weights.push_back(static_cast<float>(i % 5) - 2);
    }
    const auto features = WriteFeatures(*model, *point);
    const auto whole = AppendHead(*model, *point, head);
    ASSERT_TRUE(features && whole);
    const Tensor input = Ramp({2, 3, 8, 8});  // the batch stays open
    Shape shape;
    const std::vector<float> rows = RunModel(*features, input, &shape);
    EXPECT_EQ(shape, (Shape{2, point->width}));
    const std::vector<float> logits = RunModel(*whole, input, &shape);
    EXPECT_EQ(shape, (Shape{2, 3}));
    ASSERT_EQ(rows.size(), 2 * width);
    ASSERT_EQ(logits.size(), 6U);
    for (size_t n = 0; n < 2; ++n) {
      for (size_t c = 0; c < 3; ++c) {
        float wanted = head.bias[c];
        for (size_t f = 0; f < width; ++f)
          wanted += head.weights[c * width + f] * rows[n * width + f];
        EXPECT_NEAR(logits[n * 3 + c], wanted, 1e-5) << tensor;
      }
    }
  }
}

TEST(AppendHead, KeepsNamesApartAndDimensionsOpen) {
  const auto model = TryLoad(Classifier());
  ASSERT_TRUE(model);
  const auto point = PooledFeatures(*model);
  LinearHead head{2, 6, std::vector<float>(12, 1), {0, 0}};
  const auto whole = AppendHead(*model, *point, head);
  ASSERT_TRUE(whole);
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(*whole));
  ASSERT_EQ(proto.graph().output_size(), 1);
  EXPECT_EQ(proto.graph().output(0).name(), "logits_2");
  EXPECT_EQ(proto.graph().output(0).type().tensor_type().shape().dim(0).dim_param(), "batch");
  EXPECT_EQ(proto.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "batch");
  for (const auto& node : proto.graph().node()) EXPECT_NE(node.name(), "classify");

  const auto view = std::as_bytes(std::span(whole->data(), whole->size()));
  const auto again = Model::Parse({view.begin(), view.end()}, "again.onnx", EngineShapes());
  ASSERT_TRUE(again) << again.error().ToString();
  const auto same = PooledFeatures(*again);  // a head may be put on what has one
  ASSERT_TRUE(same);
  EXPECT_EQ(same->tensor, "pooled");
}

TEST(AppendHead, TurnsHalfPrecisionFeaturesIntoFloats) {
  TestModel m;
  m.Input("image", {"1", "3", "8", "8"});
  SetInt(m.Node("Cast", {"image"}, {"half"}, "cast"), "to", onnx::TensorProto::FLOAT16);
  m.Node("GlobalAveragePool", {"half"}, {"pooled"}, "pool");
  m.Output("pooled", onnx::TensorProto::FLOAT16);
  const auto model = TryLoad(m);
  ASSERT_TRUE(model) << model.error().ToString();
  const auto point = PooledFeatures(*model);
  ASSERT_TRUE(point) << point.error().ToString();
  const auto features = WriteFeatures(*model, *point);
  ASSERT_TRUE(features);
  EXPECT_EQ(RunModel(*features, Ramp({1, 3, 8, 8})).size(), 3U);
}

TEST(AppendHead, RefusesAHeadOfAnotherWidth) {
  const auto model = TryLoad(Classifier());
  ASSERT_TRUE(model);
  const auto point = PooledFeatures(*model);
  EXPECT_FALSE(AppendHead(*model, *point, {2, 5, std::vector<float>(10), {0, 0}}));
  EXPECT_FALSE(AppendHead(*model, *point, {2, 6, std::vector<float>(11), {0, 0}}));
  EXPECT_FALSE(AppendHead(*model, *point, {1, 6, std::vector<float>(6), {0}}));
}

TEST(AppendExits, AddOutputsAndChangeNothingElse) {
  const auto model = TryLoad(Classifier());
  ASSERT_TRUE(model);
  const auto stem = FeaturesAt(*model, "stem"), gated = FeaturesAt(*model, "gated");
  ASSERT_TRUE(stem && gated);
  LinearHead head{2, 4, {1, 2, 3, 4, -1, 0.5F, 0, 2}, {0.25F, -0.5F}};
  const std::vector<ExitHead> exits{{*stem, head}, {*gated, head}};
  const auto written = AppendExits(*model, exits);
  ASSERT_TRUE(written) << written.error().ToString();
  EXPECT_EQ(written->outputs, (std::vector<std::string>{"exit", "exit_2"}));

  const auto bytes = std::as_bytes(std::span(written->bytes));
  const auto session = OpenSession(bytes, "written");
  ASSERT_TRUE(session) << session.error().ToString();
  ASSERT_EQ((*session)->outputs().size(), 3U);
  EXPECT_EQ((*session)->outputs()[0].name, "scores");
  const Tensor input = Ramp(Shape{1, 3, 8, 8});
  const TensorView view = input.view();
  const auto outputs = (*session)->Run({&view, 1});
  ASSERT_TRUE(outputs);
  const auto features = WriteFeatures(*model, *stem);
  ASSERT_TRUE(features);
  const std::vector<float> pooled = RunModel(*features, input);
  for (size_t c = 0; c < 2; ++c) {
    float wanted = head.bias[c];
    for (size_t f = 0; f < 4; ++f) wanted += head.weights[c * 4 + f] * pooled[f];
    EXPECT_NEAR(outputs->at(1).as<float>()[c], wanted, 1e-5F) << c;
  }

  // Read without them, it is the network that it was, and cut where it was.
  const std::vector<std::byte> copy(bytes.begin(), bytes.end());
  LoadOptions options;
  options.without = written->outputs;
  const auto again = Model::Parse(copy, "again.onnx", EngineShapes(), options);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_TRUE(again->rewritten());
  EXPECT_EQ(again->nodes().size(), model->nodes().size());
  EXPECT_EQ(again->madds(), model->madds());
  const auto cuts = ListCuts(*again), before = ListCuts(*model);
  ASSERT_TRUE(cuts && before);
  ASSERT_EQ(cuts->size(), before->size());
  for (size_t i = 0; i < cuts->size(); ++i) EXPECT_EQ((*cuts)[i].id, (*before)[i].id) << i;
  const auto whole = SliceWhole(*again), as_it_was = SliceWhole(*model);
  ASSERT_TRUE(whole && as_it_was);
  EXPECT_EQ(RunModel(*whole, input), RunModel(*as_it_was, input));

  // One head with the tensor that it reads, in one part.
  options.without = {"exit_2"};
  const auto shown = Model::Parse(copy, "shown.onnx", EngineShapes(), options);
  ASSERT_TRUE(shown) << shown.error().ToString();
  const std::vector<std::string> both{"stem", "exit"};
  const auto part = SlicePiece(*shown, {}, both);
  ASSERT_TRUE(part) << part.error().ToString();
  const auto small = OpenSession(std::as_bytes(std::span(*part)), "part");
  ASSERT_TRUE(small);
  EXPECT_EQ((*small)->outputs()[1].name, "exit");

  options.without = {"exit_3"};
  EXPECT_THAT(Model::Parse(copy, "m", EngineShapes(), options).error().message,
              HasSubstr("has no output 'exit_3'"));
  options.without = {"scores", "exit", "exit_2"};
  EXPECT_THAT(Model::Parse(copy, "m", EngineShapes(), options).error().message,
              HasSubstr("no output beside those"));
}

}  // namespace
}  // namespace fogline
