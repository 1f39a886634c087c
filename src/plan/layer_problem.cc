#include "plan/layer_problem.h"

#include <algorithm>

#include "plan/candidate.h"

namespace fogline {
namespace {

constexpr uint32_t kInputTask = 0;
uint32_t TaskOf(int node) { return static_cast<uint32_t>(node) + 1; }  // −1 is the model's input

}  // namespace

LayerProblem::LayerProblem(const Scenario& scenario)
    : scenario_(scenario),
      pricing_(scenario.objective, scenario.operation, scenario.edge, scenario.cloud,
               scenario.link),
      book_(*scenario.model, scenario.bundle, scenario.codecs) {
  const Model& model = *scenario.model;
  problem_.tasks.push_back({Price(0), Price::Infinite()});
  for (size_t n = 0; n < model.nodes().size(); ++n) {
    Task task{pricing_.Edge(scenario.edge_timing.layers[n]),
              pricing_.Cloud(scenario.cloud_timing.layers[n])};
    if (n < scenario.limits.keep_on_edge.size() && scenario.limits.keep_on_edge[n]) {
      task.cloud = Price::Infinite();
    }
    problem_.tasks.push_back(task);
  }
  const auto sink = static_cast<uint32_t>(problem_.tasks.size());
  const bool to_cloud = scenario.operation.deliver == Side::kCloud;
  problem_.tasks.push_back(
      {to_cloud ? Price::Infinite() : Price(0), to_cloud ? Price(0) : Price::Infinite()});

  for (size_t a = 0; a < model.activations().size(); ++a) {
    const Activation& activation = model.activations()[a];
    std::vector<uint32_t> readers;
    for (const int r : activation.readers) readers.push_back(TaskOf(r));
    if (!readers.empty()) AddWire(static_cast<int>(a), std::move(readers), false);
    if (activation.is_output) AddWire(static_cast<int>(a), {sink}, true);
  }
}

void LayerProblem::AddWire(int activation, std::vector<uint32_t> readers, bool result) {
  const Activation& a = scenario_.model->activations()[static_cast<size_t>(activation)];
  Wire wire;
  wire.producer = a.producer < 0 ? kInputTask : TaskOf(a.producer);
  wire.readers = std::move(readers);
  std::vector<PriceLine> lines;
  if (result) {
    // All outputs go down as one message; what it costs is shared out so that it adds up.
    const auto outputs = static_cast<double>(scenario_.model->outputs().size());
    wire.down = pricing_.Down(book_.Results().front().bytes) / outputs;
  }
  if (result && book_.SendsVerdict()) {
    lines.push_back(pricing_.Up(kVerdict));
  } else {
    for (const PayloadOption& payload : book_.Of(activation)) {
      const std::optional<double>& wanted = scenario_.limits.agreement;
      const bool enough = !wanted || payload.agreement.value_or(-1) >= *wanted;
      if (!enough || !TakenUnasked(scenario_, payload)) continue;
      PriceLine line = pricing_.Up(payload.bytes);
      line.fixed += pricing_.Edge(payload.encode / scenario_.edge_timing.relative_speed);
      line.fixed += pricing_.Cloud(payload.decode / scenario_.cloud_timing.relative_speed);
      lines.push_back(line);
    }
    if (a.producer < 0 && scenario_.limits.never_send_input) lines.clear();
    if (!result && scenario_.operation.two_way) {
      wire.down = pricing_.Down(Bytes(static_cast<double>(a.bytes())));
    }
  }
  problem_.wires.push_back(std::move(wire));
  options_.push_back(std::move(lines));
  activation_.push_back(activation);
}

const PartitionProblem& LayerProblem::At(double x) {
  problem_.crossing = pricing_.Crossing().At(x);
  for (size_t w = 0; w < options_.size(); ++w) {
    Price least = Price::Infinite();
    for (const PriceLine& line : options_[w]) least = std::min(least, line.At(x));
    problem_.wires[w].up = least;
  }
  return problem_;
}

std::vector<bool> LayerProblem::EdgeLayers(const Partition& partition) const {
  std::vector<bool> edge(scenario_.model->nodes().size());
  for (size_t n = 0; n < edge.size(); ++n) edge[n] = partition.sides[n + 1] == Side::kEdge;
  return edge;
}

std::vector<int> LayerProblem::Crossing(const Partition& partition, Side from) const {
  std::vector<int> crossing;
  for (size_t w = 0; w < problem_.wires.size(); ++w) {
    const Wire& wire = problem_.wires[w];
    if (partition.sides[wire.producer] != from) continue;
    const bool cut =
        std::ranges::any_of(wire.readers, [&](uint32_t r) { return partition.sides[r] != from; });
    const bool known = std::ranges::find(crossing, activation_[w]) != crossing.end();
    if (cut && !known) crossing.push_back(activation_[w]);
  }
  std::ranges::sort(crossing);
  return crossing;
}

}  // namespace fogline
