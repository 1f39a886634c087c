#include "graph/slice.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/text.h"
#include "engine/session.h"
#include "engine/shapes.h"

namespace fogline {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<Tensor> RandomInputs(const Model& model) {
  std::vector<Tensor> inputs;
  uint32_t state = 12345;
  for (const Port& port : model.inputs()) {
    Tensor tensor(port.dtype, port.shape);
    for (float& x : tensor.as<float>()) {
      state = state * 1664525U + 1013904223U;
      x = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

/// Runs a model on tensors given by name.
Result<std::map<std::string, Tensor>> Run(std::string_view model,
                                          const std::map<std::string, Tensor>& given) {
  SessionOptions options;
  options.optimize = false;
  FOGLINE_TRY(auto session, OpenSession(Bytes(model), "half", options));
  std::vector<TensorView> views;
  for (const Port& port : session->inputs()) views.push_back(given.at(port.name).view());
  FOGLINE_TRY(auto outputs, session->Run(views));
  std::map<std::string, Tensor> named;
  for (size_t i = 0; i < outputs.size(); ++i) named[session->outputs()[i].name] = outputs[i];
  return named;
}

void ExpectEveryCutExact(const std::filesystem::path& path) {
  auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model) << model.error().ToString();
  auto cuts = ListCuts(*model);
  ASSERT_TRUE(cuts) << cuts.error().ToString();
  std::map<std::string, Tensor> given;
  auto inputs = RandomInputs(*model);
  for (size_t i = 0; i < inputs.size(); ++i) given[model->inputs()[i].name] = inputs[i];
  auto whole = Run(*SlicePrefix(*model, cuts->back()), given);
  ASSERT_TRUE(whole) << whole.error().ToString();
  for (size_t c = 1; c + 1 < cuts->size(); ++c) {
    const Cut& cut = (*cuts)[c];
    const auto prefix = SlicePrefix(*model, cut);
    const auto suffix = SliceSuffix(*model, cut);
    ASSERT_TRUE(prefix && suffix);
    auto crossing = Run(*prefix, given);
    ASSERT_TRUE(crossing) << cut.name << ": " << crossing.error().ToString();
    auto outputs = Run(*suffix, *crossing);
    ASSERT_TRUE(outputs) << cut.name << ": " << outputs.error().ToString();
    for (auto& [name, tensor] : *whole) {
      ASSERT_EQ(tensor.shape(), outputs->at(name).shape());
      EXPECT_EQ(0, std::memcmp(tensor.bytes().data(), outputs->at(name).bytes().data(),
                               tensor.bytes().size()))
          << cut.name << " -> " << name;
    }
  }
}

TEST(Slice, HalvesOfRealModelsComputeWhatTheWholeComputes) {
  const std::filesystem::path models = std::filesystem::path(FOGLINE_SHARED_DATA) / "models";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no shared models at " << models;
  ExpectEveryCutExact(models / "mobilenet_v2_1.0_160.onnx");
  ExpectEveryCutExact(models / "squeezenet1.1_224.onnx");
}
TEST(Cut, TheSharedMobileNetHasThePapersCuts) {
  const std::filesystem::path path =
      std::filesystem::path(FOGLINE_SHARED_DATA) / "models/mobilenet_v2_1.0_224.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared models at " << path;
  auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model) << model.error().ToString();
  auto cuts = ListCuts(*model);
  ASSERT_TRUE(cuts);
  EXPECT_EQ(cuts->size(), 51U);
  EXPECT_NEAR(static_cast<double>(model->madds()), 300e6, 1e6);
  auto split13 = FindCut(*model, "split13");
  ASSERT_TRUE(split13) << split13.error().ToString();
  EXPECT_EQ(split13->tensors[0].shape, (Shape{1, 160, 7, 7}));
}

}  // namespace
}  // namespace fogline
