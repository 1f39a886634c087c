// What it costs to find out that nothing is new: a glance at a decoded picture, and its distance
// from the one before.
#include <benchmark/benchmark.h>

#include <random>

#include "vision/glance.h"

namespace fogline {
namespace {

Image Noise(int width, int height) {
  Image image{width, height, {}};
  std::mt19937 random(1);
  for (int i = 0; i < 3 * width * height; ++i) {
    image.rgb.push_back(static_cast<uint8_t>(random() % 256));
  }
  return image;
}

void GlanceOf(benchmark::State& state) {
  const Image image = Noise(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(GlanceAt(image));
}
BENCHMARK(GlanceOf)->Args({320, 240})->Args({640, 480})->Args({1280, 960});

void Distance(benchmark::State& state) {
  const Glance before = GlanceAt(Noise(320, 240)), now = GlanceAt(Noise(320, 240));
  for (auto _ : state) benchmark::DoNotOptimize(DistanceOf(before, now));
}
BENCHMARK(Distance);

}  // namespace
}  // namespace fogline
