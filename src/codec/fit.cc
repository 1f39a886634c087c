#include "codec/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/half.h"
#include "codec/kernels.h"

namespace fogline {
namespace {

constexpr int kMaxMeans = 64;     // frequencies of a channel whose mean is stored
constexpr int kMaxTables = 32;    // clusters; few enough for the decoder's tables to stay in cache
constexpr int kClip = 126;        // largest symbol with a code of its own
constexpr int kRounds = 4;        // of k-means
constexpr double kLambda = 0.12;  // squared steps that a bit is worth, found best on MobileNetV2
constexpr double kPrior = 3;      // symbols' worth of belief that a channel is like its band

/// Counts of the values −kClip…kClip, and of what lies beyond.
struct Histogram {
  struct Bin {
    int16_t q;
    double count;
  };
  std::vector<Bin> bins;  // ascending, without empty ones
  double total = 0;
  double magnitude = 0;  // Σ count · |q|
};

using Dense = std::array<double, 2 * kClip + 1>;

Histogram Sparse(const Dense& dense) {
  Histogram h;
  for (int q = -kClip; q <= kClip; ++q) {
    const double count = dense[static_cast<size_t>(q + kClip)];
    if (count <= 0) continue;
    h.bins.push_back({static_cast<int16_t>(q), count});
    h.total += count;
    h.magnitude += count * std::abs(q);
  }
  return h;
}

/// Quantised sample statistics of every (channel, band).
class Statistics {
 public:
  Statistics(const QuantParams& params, const CoefficientSample& sample, float step,
             const std::vector<float>& threshold, const std::vector<float>& rounding)
      : bands_(params.layout.bands), counts_(static_cast<size_t>(params.layout.channels) * bands_) {
    const Layout& layout = params.layout;
    const int size = layout.tile_size();
    std::vector<float> mean(static_cast<size_t>(params.means) * kLanes),
        inverse(static_cast<size_t>(bands_) * kLanes), zero(inverse.size()), round(inverse.size());
    std::vector<int16_t> symbols(static_cast<size_t>(size) * kLanes);
    for (Dense& d : counts_) d.fill(0);
    for (int group = 0; group < layout.groups(); ++group) {
      const int lanes = layout.lanes_of(group);
      for (int lane = 0; lane < lanes; ++lane) {
        const size_t c = static_cast<size_t>(group) * kLanes + lane;
        for (int k = 0; k < params.means; ++k) {
          mean[static_cast<size_t>(k) * kLanes + lane] = params.mean[c * params.means + k];
        }
        for (int b = 0; b < bands_; ++b) {
          const size_t at = static_cast<size_t>(b) * kLanes + lane;
          inverse[at] = 1.0F / (step / (params.channel_weight[c] * params.band_weight[b]));
          zero[at] = threshold[c * bands_ + b];
          round[at] = rounding[c * bands_ + b];
        }
      }
      const GroupSteps steps{mean.data(), params.means, inverse.data(), zero.data(), round.data()};
      for (int64_t tile = 0; tile < sample.tiles(); ++tile) {
        Quantise(sample.Tile(tile, group), layout.band.data(), size, steps, symbols.data());
        for (int k = 0; k < size; ++k) {
          for (int lane = 0; lane < lanes; ++lane) {
            const size_t context =
                (static_cast<size_t>(group) * kLanes + lane) * bands_ + layout.band[k];
            const int q = symbols[static_cast<size_t>(k) * kLanes + lane];
            counts_[context][static_cast<size_t>(std::clamp(q, -kClip, kClip) + kClip)] += 1;
          }
        }
      }
    }
  }

  /// One histogram a (channel, band): leaning towards the band's, and from the first frequency on
  /// symmetric, since the sign of a wave says nothing.
  std::vector<Histogram> Contexts() const {
    std::vector<Dense> pooled(static_cast<size_t>(bands_));
    for (Dense& d : pooled) d.fill(0);
    for (size_t i = 0; i < counts_.size(); ++i) {
      Dense& to = pooled[i % bands_];
      for (size_t q = 0; q < to.size(); ++q) to[q] += counts_[i][q];
    }
    for (Dense& d : pooled) {
      d[kClip] += 1e-3;  // a band that nobody sampled is taken for all zeros
      const double total = std::accumulate(d.begin(), d.end(), 0.0);
      for (double& x : d) x *= kPrior / total;
    }
    std::vector<Histogram> contexts;
    contexts.reserve(counts_.size());
    for (size_t i = 0; i < counts_.size(); ++i) {
      const size_t band = i % bands_;
      Dense mixed = counts_[i];
      for (size_t q = 0; q < mixed.size(); ++q) mixed[q] += pooled[band][q];
      if (band > 0) {
        for (int q = 1; q <= kClip; ++q) {
          double &plus = mixed[kClip + q], &minus = mixed[kClip - q];
          plus = minus = (plus + minus) / 2;
        }
      }
      contexts.push_back(Sparse(mixed));
    }
    return contexts;
  }

 private:
  int bands_;
  std::vector<Dense> counts_;
};

/// The table for a pooled histogram.
QuantTable MakeTable(const Dense& counts) {
  int low = 0, high = 0;
  double total = 0;
  for (int q = -kClip; q <= kClip; ++q) {
    const double count = counts[static_cast<size_t>(q + kClip)];
    total += count;
    // A symbol of its own costs at least one slot of all others: only what is seen often enough.
    if (count >= 0.25) {
      low = std::min(low, q);
      high = std::max(high, q);
    }
  }
  QuantTable table;
  table.low = low;
  std::vector<double> shares;
  double inside = 0;
  for (int q = low; q <= high; ++q) {
    shares.push_back(counts[static_cast<size_t>(q + kClip)]);
    inside += shares.back();
  }
  // Laplace's rule for what was never seen, kept small: the escape costs 16 bits more anyway.
  shares.push_back(total - inside + 0.5);
  table.frequencies = NormaliseCounts(shares);
  return table;
}

/// Assigns contexts to at most kMaxTables tables.
struct Clusters {
  std::vector<uint8_t> of;
  std::vector<QuantTable> tables;
};

Clusters Cluster(const std::vector<Histogram>& contexts) {
  Clusters result;
  const size_t n = contexts.size();
  std::vector<size_t> by_size(n);
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  const auto mean = [&](size_t i) { return contexts[i].magnitude / contexts[i].total; };
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return mean(a) < mean(b); });
  // Start: neighbours in mean magnitude, cut where a fair share of the non-zero weight is reached.
  // The square root spares tables for the many nearly silent contexts.
  double sum = 0, so_far = 0;
  const auto share = [&](size_t i) { return contexts[i].total * std::sqrt(mean(i)) + 1e-9; };
  for (size_t i = 0; i < n; ++i) sum += share(i);
  result.of.resize(n);
  for (const size_t i : by_size) {
    result.of[i] = static_cast<uint8_t>(
        std::min<double>(kMaxTables - 1, std::floor(kMaxTables * so_far / sum)));
    so_far += share(i);
  }

  for (int round = 0; round <= kRounds; ++round) {
    std::vector<Dense> pooled(kMaxTables);
    std::vector<bool> used(kMaxTables, false);
    for (Dense& d : pooled) d.fill(0);
    for (size_t i = 0; i < n; ++i) {
      used[result.of[i]] = true;
      for (const auto& bin : contexts[i].bins) {
        pooled[result.of[i]][static_cast<size_t>(bin.q + kClip)] += bin.count;
      }
    }
    // Tables that lost their last context go; the others move up.
    std::vector<uint8_t> renamed(kMaxTables);
    result.tables.clear();
    for (int t = 0; t < kMaxTables; ++t) {
      if (!used[t]) continue;
      renamed[t] = static_cast<uint8_t>(result.tables.size());
      result.tables.push_back(MakeTable(pooled[t]));
    }
    for (uint8_t& t : result.of) t = renamed[t];
    if (round == kRounds) break;

    std::vector<std::array<float, 2 * kClip + 1>> bits(result.tables.size());
    for (size_t t = 0; t < result.tables.size(); ++t) {
      for (int q = -kClip; q <= kClip; ++q) {
        bits[t][static_cast<size_t>(q + kClip)] = static_cast<float>(result.tables[t].BitsOf(q));
      }
    }
    for (size_t i = 0; i < n; ++i) {
      double best = 1e300;
      for (size_t t = 0; t < bits.size(); ++t) {
        double cost = 0;
        for (const auto& bin : contexts[i].bins) {
          cost += bin.count * bits[t][static_cast<size_t>(bin.q + kClip)];
        }
        if (cost < best) {
          best = cost;
          result.of[i] = static_cast<uint8_t>(t);
        }
      }
    }
  }
  return result;
}

/// The cut between q − 1 and q that minimises (x − r)² + λ·bits lies at q − ½ + λ·Δbits/2.
void SetThresholds(QuantTable& table) {
  const auto magnitude_bits = [&](int q) { return (table.BitsOf(q) + table.BitsOf(-q)) / 2; };
  const double first = std::clamp(magnitude_bits(1) - magnitude_bits(0), 0.0, 8.0);
  double later = first;
  if (table.low <= -2 && table.high() >= 2) {
    later = std::clamp(magnitude_bits(2) - magnitude_bits(1), 0.0, 4.0);
  }
  later = std::min(later, 3.0);
  table.threshold = static_cast<float>(std::min(0.5 + kLambda / 2 * first, 0.98));
  table.rounding = static_cast<float>(0.5 - kLambda / 2 * later);
}

/// Sets the reconstruction points to the mean of what the sample's coefficients were.
void SetShifts(const QuantParams& params, const CoefficientSample& sample, QuantLevel& level) {
  const Layout& layout = params.layout;
  std::vector<std::array<double, 6>> sums(level.tables.size()), counts(level.tables.size());
  for (auto& s : sums) s.fill(0);
  for (auto& c : counts) c.fill(0);
  for (int group = 0; group < layout.groups(); ++group) {
    for (int lane = 0; lane < layout.lanes_of(group); ++lane) {
      const size_t c = static_cast<size_t>(group) * kLanes + lane;
      std::vector<float> inverse(static_cast<size_t>(layout.bands));
      for (int b = 0; b < layout.bands; ++b) {
        inverse[b] = 1.0F / (level.step / (params.channel_weight[c] * params.band_weight[b]));
      }
      for (int64_t tile = 0; tile < sample.tiles(); ++tile) {
        const float* coefficients = sample.Tile(tile, group) + lane;
        for (int k = 0; k < layout.tile_size(); ++k) {
          const int band = layout.band[k];
          const uint8_t index = level.table_of[c * layout.bands + band];
          const QuantTable& table = level.tables[index];
          const float mean = k < params.means ? params.mean[c * params.means + k] : 0.0F;
          const float value =
              (coefficients[static_cast<size_t>(k) * kLanes] - mean) * inverse[band];
          const float size = std::min(std::abs(value), 32767.0F);
          if (size < table.threshold) continue;
          const int q = static_cast<int>(size + table.rounding);
          if (q == 0) continue;
          const size_t at = (value < 0 ? 3 : 0) + static_cast<size_t>(std::min(q, 3)) - 1;
          // From a table's third band on both signs are alike.
          for (const size_t to : {at, band > 0 ? (at + 3) % 6 : at}) {
            sums[index][to] += size - static_cast<float>(q);
            counts[index][to] += 1;
          }
        }
      }
    }
  }
  for (size_t t = 0; t < level.tables.size(); ++t) {
    for (size_t i = 0; i < 6; ++i) {
      const double shift = sums[t][i] / (counts[t][i] + 4);
      level.tables[t].shift[i] =
          static_cast<int8_t>(std::lround(std::clamp(shift, -0.5, 0.5) * 128));
    }
  }
}

}  // namespace

CoefficientSample::CoefficientSample(const Layout& layout) : layout_(layout) {}

bool CoefficientSample::Add(const float* tensor) {
  const size_t before = values_.size();
  values_.resize(before + static_cast<size_t>(layout_.padded_size()));
  TileTransform transform(layout_);
  float* to = values_.data() + before;
  for (int64_t tile = 0; tile < layout_.tiles(); ++tile) {
    for (int group = 0; group < layout_.groups(); ++group) {
      if (!transform.Forward(tensor, tile, group, to)) {
        values_.resize(before);
        return false;
      }
      to += static_cast<size_t>(layout_.tile_size()) * kLanes;
    }
  }
  ++tensors_;
  return true;
}

void CoefficientSample::Append(const CoefficientSample& other) {
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  tensors_ += other.tensors_;
}

const float* CoefficientSample::Tile(int64_t tile, int group) const {
  return values_.data() +
         static_cast<size_t>(tile * layout_.groups() + group) * layout_.tile_size() * kLanes;
}

QuantParams FitMeans(uint64_t cut_id, const Port& tensor, const CoefficientSample& sample) {
  const Layout& layout = sample.layout();
  QuantParams params;
  params.cut_id = cut_id;
  params.tensor = tensor;
  params.layout = layout;
  params.means = std::min(kMaxMeans, layout.tile_size());
  params.channel_weight.assign(static_cast<size_t>(layout.channels), 1);
  params.band_weight.assign(static_cast<size_t>(layout.bands), 1);
  std::vector<double> sums(static_cast<size_t>(layout.channels) * params.means, 0);
  for (int64_t tile = 0; tile < sample.tiles(); ++tile) {
    for (int group = 0; group < layout.groups(); ++group) {
      const float* from = sample.Tile(tile, group);
      for (int k = 0; k < params.means; ++k) {
        for (int lane = 0; lane < layout.lanes_of(group); ++lane) {
          const size_t c = static_cast<size_t>(group) * kLanes + lane;
          sums[c * params.means + k] += from[static_cast<size_t>(k) * kLanes + lane];
        }
      }
    }
  }
  const double tiles = std::max<double>(1, static_cast<double>(sample.tiles()));
  for (const double sum : sums) {
    params.mean.push_back(FromHalf(ToHalf(static_cast<float>(sum / tiles))));
  }
  return params;
}

double WeightedRms(const QuantParams& params, const CoefficientSample& sample) {
  const Layout& layout = params.layout;
  double sum = 0, count = 0;
  for (int64_t tile = 0; tile < sample.tiles(); ++tile) {
    for (int group = 0; group < layout.groups(); ++group) {
      const float* from = sample.Tile(tile, group);
      for (int k = 0; k < layout.tile_size(); ++k) {
        const double band = params.band_weight[layout.band[k]];
        for (int lane = 0; lane < layout.lanes_of(group); ++lane) {
          const size_t c = static_cast<size_t>(group) * kLanes + lane;
          const float mean = k < params.means ? params.mean[c * params.means + k] : 0.0F;
          const double value = (from[static_cast<size_t>(k) * kLanes + lane] - mean) * band *
                               params.channel_weight[c];
          sum += value * value;
          count += 1;
        }
      }
    }
  }
  return count > 0 ? std::sqrt(sum / count) : 0;
}

QuantLevel FitLevel(const QuantParams& params, const CoefficientSample& sample, float step) {
  const size_t contexts = static_cast<size_t>(params.layout.channels) * params.layout.bands;
  std::vector<float> threshold(contexts, 0.62F), rounding(contexts, 0.45F);
  QuantLevel level;
  level.step = step;
  // Thresholds follow from the tables and the tables from the thresholds: twice is enough.
  for (int round = 0; round < 2; ++round) {
    Clusters clusters = Cluster(Statistics(params, sample, step, threshold, rounding).Contexts());
    level.table_of = std::move(clusters.of);
    if (round == 0) {
      for (QuantTable& table : clusters.tables) SetThresholds(table);
      for (size_t i = 0; i < contexts; ++i) {
        threshold[i] = clusters.tables[level.table_of[i]].threshold;
        rounding[i] = clusters.tables[level.table_of[i]].rounding;
      }
    } else {
      for (QuantTable& table : clusters.tables) SetThresholds(table);
    }
    level.tables = std::move(clusters.tables);
  }
  SetShifts(params, sample, level);
  return level;
}

}  // namespace fogline
