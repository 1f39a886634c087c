#include "vision/glance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fogline {
namespace {

/// A street with texture and noise: `noise` is each picture's own.
Image Street(int width, int height, unsigned noise, double light = 1) {
  Image image{width, height, {}};
  std::mt19937 random(noise);
  const auto grain = [&] { return static_cast<double>(random() % 15) - 7; };
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double texture = 90 + 40 * std::sin(0.1 * x) * std::cos(0.07 * y) + 24.0 * y / height;
      for (const double tint : {1.0, 0.9, 0.8}) {
        image.rgb.push_back(
            static_cast<uint8_t>(std::clamp(light * tint * texture + grain(), 0.0, 255.0)));
      }
    }
  }
  return image;
}

/// The same with a square of one colour, its side a part of the width.
Image With(Image image, double x, double y, double side, int brighter) {
  const int length = static_cast<int>(side * image.width);
  for (int j = 0; j < length; ++j) {
    for (int i = 0; i < length; ++i) {
      const int row = static_cast<int>(y * image.height) + j;
      const int column = static_cast<int>(x * image.width) + i;
      const size_t at = 3 * (static_cast<size_t>(row) * static_cast<size_t>(image.width) +
                             static_cast<size_t>(column));
      for (size_t c = 0; c < 3; ++c) {
        image.rgb[at + c] = static_cast<uint8_t>(std::clamp(image.rgb[at + c] + brighter, 0, 255));
      }
    }
  }
  return image;
}

TEST(Glance, NoiseAndLightAreNoChange) {
  for (const auto& [width, height] : {std::pair{320, 240}, {641, 427}}) {
    const Glance before = GlanceAt(Street(width, height, 1));
    EXPECT_EQ(DistanceOf(before, before), 0);
    EXPECT_LT(DistanceOf(before, GlanceAt(Street(width, height, 2))), 3);
    for (const double light : {0.8, 0.95, 1.1, 1.3}) {
      EXPECT_LT(DistanceOf(before, GlanceAt(Street(width, height, 3, light))), 4) << light;
    }
  }
}

/// A thing a twentieth of the picture wide, wherever it lies, a bit brighter or darker than what is
/// behind it.
TEST(Glance, WhatAppearsShows) {
  const Glance before = GlanceAt(Street(320, 240, 1));
  std::mt19937 random(7);
  std::uniform_real_distribution<double> anywhere(0, 0.9);
  for (int i = 0; i < 60; ++i) {
    const int brighter = i % 2 == 0 ? 40 : -40;
    const Image now = With(Street(320, 240, 100 + static_cast<unsigned>(i), 1.1), anywhere(random),
                           anywhere(random), 0.05, brighter);
    EXPECT_GT(DistanceOf(before, GlanceAt(now)), 8) << i;
  }
}

TEST(Glance, AnyPictureHasOne) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 900}, {31, 23}, {33, 25}, {7, 5}}) {
    const Glance glance = GlanceAt(
        Image{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height), 200)});
    for (const auto& colour : glance.means) {
      for (const uint16_t mean : colour) ASSERT_EQ(mean, 200 * 256);
    }
  }
  const Glance one = GlanceAt(Street(320, 240, 1)), other = GlanceAt(Street(240, 320, 1));
  EXPECT_TRUE(std::isinf(DistanceOf(one, other))) << "of another size";
}

}  // namespace
}  // namespace fogline
