#include "codec/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "codec/kernels.h"
#include "vision/floats.h"

namespace fogline {
namespace {

/// One experiment: noise into `channel`, or into `band` of every channel where that is -1.
struct Probe {
  size_t tensor = 0;
  int band = -1, channel = -1;
  size_t picture = 0;
  double gain = 0;
};

/// Signs that differ by place and by probe, the same on every run.
struct Signs {
  uint64_t state;
  float Next() {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 63) != 0 ? 1.0F : -1.0F;
  }
};

/// Adds noise of ±amplitude in the transform's domain and returns its energy.
double AddNoise(const Layout& layout, const Probe& probe, float amplitude, uint64_t seed,
                Tensor& tensor) {
  TileTransform transform(layout);
  const size_t size = static_cast<size_t>(layout.tile_size()) * kLanes;
  std::vector<float> coefficients(size);
  Signs signs{seed};
  std::vector<float> room;
  const std::span<const float> is = AsFloats(tensor.view(), room);
  std::vector<float> values(is.begin(), is.end());
  double energy = 0;
  for (int64_t tile = 0; tile < layout.tiles(); ++tile) {
    for (int group = 0; group < layout.groups(); ++group) {
      if (probe.channel >= 0 && group != probe.channel / kLanes) continue;
      if (!transform.Forward(values.data(), tile, group, coefficients.data())) continue;
      for (int k = 0; k < layout.tile_size(); ++k) {
        if (probe.band >= 0 && layout.band[k] != probe.band) continue;
        for (int lane = 0; lane < layout.lanes_of(group); ++lane) {
          if (probe.channel >= 0 && lane != probe.channel % kLanes) continue;
          coefficients[static_cast<size_t>(k) * kLanes + lane] += amplitude * signs.Next();
          energy += static_cast<double>(amplitude) * amplitude;
        }
      }
      transform.Inverse(coefficients.data(), tile, group, values.data());
    }
  }
  RoundTo(values, tensor);
  return energy;
}

/// Fewer where there are many channels to try.
size_t PicturesForChannels(const SensitivityOptions& options, const QuantParams& params) {
  return std::min(options.pictures,
                  options.channel_runs / static_cast<size_t>(params.layout.channels));
}

/// Fourth root of gain over the mean gain, held within a factor of 4.
float Weight(double gain, double mean) {
  if (!(gain > 0) || !(mean > 0)) return 1;
  return static_cast<float>(std::clamp(std::pow(gain / mean, 0.25), 0.25, 4.0));
}

}  // namespace

std::vector<size_t> Spread(std::span<const size_t> pictures, size_t most) {
  const size_t count = std::min(most, pictures.size());
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(pictures[i * pictures.size() / count]);
  return chosen;
}

std::vector<size_t> ProbedPictures(std::span<const size_t> pictures,
                                   const SensitivityOptions& options,
                                   std::span<QuantParams* const> params) {
  std::vector<size_t> probed = Spread(pictures, options.pictures);
  for (const QuantParams* of : params) {
    if (of == nullptr) continue;
    const auto few = Spread(pictures, PicturesForChannels(options, *of));
    probed.insert(probed.end(), few.begin(), few.end());
  }
  std::ranges::sort(probed);
  probed.erase(std::unique(probed.begin(), probed.end()), probed.end());
  return probed;
}

Status FitWeights(const Segment& rest, const Reference& reference, std::span<const size_t> pictures,
                  const std::function<Result<std::vector<Tensor>>(size_t)>& tensors,
                  const SensitivityOptions& options, std::span<QuantParams* const> params,
                  std::span<const double> rms) {
  std::vector<Probe> probes;
  for (size_t t = 0; t < params.size(); ++t) {
    if (params[t] == nullptr || rms[t] <= 0) continue;
    const Layout& layout = params[t]->layout;
    for (const size_t picture : Spread(pictures, options.pictures)) {
      for (int b = 0; b < layout.bands; ++b) probes.push_back({t, b, -1, picture, 0});
    }
    for (const size_t picture : Spread(pictures, PicturesForChannels(options, *params[t]))) {
      for (int c = 0; c < layout.channels; ++c) probes.push_back({t, -1, c, picture, 0});
    }
  }
  FOGLINE_CHECK(options.for_each(probes.size(), [&](size_t i, int) -> Status {
    Probe& probe = probes[i];
    FOGLINE_TRY(std::vector<Tensor> noisy, tensors(probe.picture));
    noisy[probe.tensor] = noisy[probe.tensor].Copy();
    const double energy =
        AddNoise(params[probe.tensor]->layout, probe, static_cast<float>(rms[probe.tensor] / 2),
                 i + 1, noisy[probe.tensor]);
    FOGLINE_TRY(const auto outputs, rest.Run(noisy));
    const double error = reference.Error(probe.picture, outputs);
    probe.gain = energy > 0 && std::isfinite(error) ? error / energy : 0;
    return {};
  }));

  // Bands are compared over all tensors of the cut, channels within their tensor.
  struct Mean {
    double sum = 0, count = 0;
    void Add(double x) { sum += x, count += 1; }
    double value() const { return count > 0 ? sum / count : 0; }
  };
  std::vector<std::vector<Mean>> bands(params.size()), channels(params.size());
  for (size_t t = 0; t < params.size(); ++t) {
    if (params[t] == nullptr) continue;
    bands[t].resize(params[t]->band_weight.size());
    channels[t].resize(params[t]->channel_weight.size());
  }
  for (const Probe& probe : probes) {
    if (probe.band >= 0) bands[probe.tensor][static_cast<size_t>(probe.band)].Add(probe.gain);
    if (probe.channel >= 0) {
      channels[probe.tensor][static_cast<size_t>(probe.channel)].Add(probe.gain);
    }
  }
  Mean all;
  for (const auto& of_tensor : bands) {
    for (const Mean& band : of_tensor) {
      if (band.count > 0) all.Add(band.value());
    }
  }
  for (size_t t = 0; t < params.size(); ++t) {
    if (params[t] == nullptr) continue;
    for (size_t b = 0; b < bands[t].size(); ++b) {
      params[t]->band_weight[b] = Weight(bands[t][b].value(), all.value());
    }
    Mean mean;
    for (const Mean& channel : channels[t]) mean.Add(channel.value());
    for (size_t c = 0; c < channels[t].size(); ++c) {
      // Few probes say little: lean towards the mean as if two more had shown it.
      const Mean& own = channels[t][c];
      const double gain = (own.sum + 2 * mean.value()) / (own.count + 2);
      params[t]->channel_weight[c] = Weight(gain, mean.value());
    }
  }
  return {};
}

}  // namespace fogline
