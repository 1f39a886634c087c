#include "engine/session.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace fogline {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Session, RefusesWhatIsNoModel) {
  EXPECT_FALSE(OpenSession(Bytes(""), "empty.onnx"));
  const auto text = OpenSession(Bytes("\x89PNG not a model at all"), "picture.onnx");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().where, "picture.onnx");
  EXPECT_EQ(text.error().message.find('\n'), std::string::npos);
  EXPECT_FALSE(OpenSession(std::filesystem::path("no/such/model.onnx")));
}

TEST(Session, RunsARealModelAndChecksItsInputs) {
  const std::filesystem::path model =
      std::filesystem::path(FOGLINE_SHARED_DATA) / "models/mobilenet_v2_1.0_160.onnx";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "no shared models at " << model;
  auto session = OpenSession(model);
  ASSERT_TRUE(session) << session.error().ToString();
  ASSERT_EQ((*session)->inputs().size(), 1U);
  Tensor input(DType::kF32, Shape{1, 3, 160, 160});
  std::ranges::fill(input.as<float>(), 0.5F);
  const TensorView view = input.view();
  const auto output = (*session)->Run({&view, 1});
  ASSERT_TRUE(output) << output.error().ToString();
  EXPECT_EQ(output->at(0).shape(), (Shape{1, 1000}));

  for (const Shape& wrong : {Shape{1, 3, 160}, Shape{1, 4, 160, 160}, Shape{1, 3, 161, 160}}) {
    const Tensor bad(DType::kF32, wrong);
    const TensorView bad_view = bad.view();
    EXPECT_FALSE((*session)->Run({&bad_view, 1})) << wrong.ToString();
  }
  TensorView lying = view;
  lying.data = lying.data.first(16);  // a shape that promises more than there is
  EXPECT_FALSE((*session)->Run({&lying, 1}));
}

}  // namespace
}  // namespace fogline
