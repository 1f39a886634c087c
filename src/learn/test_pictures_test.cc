// The drawings themselves: their name keeps them out of the library and in the tests.
#include "learn/test_pictures.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "graph/test_model.h"
#include "learn/random.h"

namespace fogline::test {

Image DrawScene(uint64_t number, bool spot, int width, int height) {
  Image image{width, height, {}};
  Random random(17, number, spot ? 1 : 0);
  const double light = random.Between(70, 180);
  for (int i = 0; i < width * height; ++i) {
    const double grey = light + random.Between(-25, 25);
    for (int c = 0; c < 3; ++c) {
      image.rgb.push_back(static_cast<uint8_t>(std::clamp(grey + random.Between(-8, 8), 0., 255.)));
    }
  }
  if (!spot) return image;
  const int side = static_cast<int>(random.Between(0.16, 0.3) * height);
  const int x0 = static_cast<int>(random.Between(0.3, 0.5) * width);
  const int y0 = static_cast<int>(random.Between(0.3, 0.5) * height);
  for (int y = y0; y < y0 + side; ++y) {
    for (int x = x0; x < x0 + side; ++x) {
      uint8_t* pixel = image.rgb.data() + 3 * (static_cast<size_t>(y) * width + x);
      pixel[0] = 230;
      pixel[1] = 30;
      pixel[2] = 25;
    }
  }
  return image;
}

void DrawFolders(const std::filesystem::path& folder, const std::string& with, size_t spots,
                 const std::string& without, size_t plain) {
  const auto draw = [&](const std::string& label, size_t count, bool spot) {
    std::filesystem::create_directories(folder / label);
    for (size_t i = 0; i < count; ++i) {
      std::vector<std::byte> jpeg;
      ASSERT_TRUE(EncodeJpeg(DrawScene(i, spot), 90, jpeg));
      ASSERT_TRUE(WriteFile(folder / label / fmt::format("{}_{:03}.jpg", label, i), jpeg));
    }
  };
  draw(with, spots, true);
  draw(without, plain, false);
}

void WriteBackbone(const std::filesystem::path& file, bool pooled, const std::string& size) {
  TestModel m;
  m.Input("image", {"batch", "3", size, size});
  m.Conv("image", "c1", 3, 12, 3, 1, 2);
  m.Node("Relu", {"c1"}, {"r1"}, "relu1");
  m.Conv("r1", "c2", 12, 16);
  m.Node("Relu", {"c2"}, {"r2"}, "relu2");
  if (pooled) {
    m.Node("GlobalAveragePool", {"r2"}, {"pooled"}, "pool");
    m.Node("Flatten", {"pooled"}, {"flat"}, "flatten");
    m.Weight("w", {16, 5});
  } else {
    m.Node("Flatten", {"r2"}, {"flat"}, "flatten");
    m.Weight("w", {16 * 16 * 16, 5});
  }
  m.Node("MatMul", {"flat", "w"}, {"scores"}, "classify");
  m.Output("scores");
  ASSERT_TRUE(WriteFile(file, m.Bytes()));
}

}  // namespace fogline::test
