// A scenario as a partition problem over its layers, for any uplink bandwidth.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "plan/partition.h"
#include "plan/payload.h"
#include "plan/scenario.h"

namespace fogline {

/// The layers of a model as tasks: the model's inputs are one task pinned to the edge, whoever
/// wants its results one task pinned to where they are delivered, and one before it makes what is
/// sent of the outputs. Each wire's uplink price is the
/// least over its codecs, so codec and cut are chosen together.
class LayerProblem {
 public:
  explicit LayerProblem(const Scenario& scenario);

  /// Prices at x = 1 / (uplink in Mbit/s).
  const PartitionProblem& At(double x);

  /// The layers of a partition, by index in Model::nodes().
  std::vector<bool> EdgeLayers(const Partition& partition) const;
  /// Activations that cross, up and down.
  std::vector<int> Crossing(const Partition& partition, Side from) const;

 private:
  void AddWire(int activation, std::vector<uint32_t> readers);
  void AddResults(uint32_t saying, uint32_t sink);
  PriceLine LineOf(const PayloadOption& payload) const;

  const Scenario& scenario_;
  Pricing pricing_;
  PayloadBook book_;
  PartitionProblem problem_;
  std::vector<std::vector<PriceLine>> options_;  // by wire: one line a codec
  std::vector<int> activation_;                  // by wire
};

}  // namespace fogline
