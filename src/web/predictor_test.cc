#include "web/predictor.h"

#include <gtest/gtest.h>

#include <thread>

namespace fogline {
namespace {

// A visitor may ask for predictions for 200 devices, each with a link that nobody asked for before:
// some are worked out at once, the rest when the page asks again.
TEST(Predictor, WorksOutSoManyAtOnceAndRemembersThem) {
  ModelShelf shelf(std::filesystem::path(FOGLINE_SOURCE_DIR) / "models");
  Result<std::shared_ptr<const ShelfModel>> model;
  do {
    std::this_thread::yield();
    model = shelf.Find("litter");
  } while (!model && model.error().code == ErrorCode::kUnavailable);
  ASSERT_TRUE(model) << model.error().ToString();
  Predictor predictor(shelf);
  PredictBy by;
  by.edge = "jetson-nano";
  const auto ask = [&](size_t fresh) {
    size_t known = 0;
    for (int i = 0; i < 30; ++i) {
      by.link = "4g,up=" + std::to_string(i + 1) + "Mbps";
      const auto predicted = predictor.Predict(
          {"cam", ToHex((*model)->network.model.hash()), "input", "jpeg:90"}, by, false, fresh);
      const bool later =
          !predicted && predicted.error().message.find("ask again") != std::string::npos;
      known += later ? 0 : 1;
    }
    EXPECT_EQ(fresh, 0U);
    return known;
  };
  EXPECT_EQ(ask(16), 16U);
  EXPECT_EQ(ask(10), 26U);
  EXPECT_EQ(ask(4), 30U);
}

}  // namespace
}  // namespace fogline
