#include "plan/layer_problem.h"

#include <algorithm>

#include "plan/candidate.h"

namespace fogline {
namespace {

constexpr uint32_t kInputTask = 0;
constexpr int kResults = -1;                                           // in place of an activation
uint32_t TaskOf(int node) { return static_cast<uint32_t>(node) + 1; }  // −1 is the model's input

}  // namespace

LayerProblem::LayerProblem(const Scenario& scenario)
    : scenario_(scenario),
      pricing_(scenario.objective, scenario.operation, scenario.edge, scenario.cloud,
               scenario.link),
      book_(*scenario.model, scenario.contract, scenario.bundle, scenario.codecs) {
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
  // What is said of the outputs is made where all of them are, and costs nothing to make.
  const auto saying = static_cast<uint32_t>(problem_.tasks.size());
  problem_.tasks.push_back({Price(0), Price(0)});
  const uint32_t sink = saying + 1;
  const bool to_cloud = scenario.operation.deliver == Side::kCloud;
  problem_.tasks.push_back(
      {to_cloud ? Price::Infinite() : Price(0), to_cloud ? Price(0) : Price::Infinite()});

  for (size_t a = 0; a < model.activations().size(); ++a) {
    const Activation& activation = model.activations()[a];
    std::vector<uint32_t> readers;
    for (const int r : activation.readers) readers.push_back(TaskOf(r));
    if (activation.is_output) readers.push_back(saying);
    if (!readers.empty()) AddWire(static_cast<int>(a), std::move(readers));
  }
  AddResults(saying, sink);
}

void LayerProblem::AddWire(int activation, std::vector<uint32_t> readers) {
  const Activation& a = scenario_.model->activations()[static_cast<size_t>(activation)];
  Wire wire;
  wire.producer = a.producer < 0 ? kInputTask : TaskOf(a.producer);
  wire.readers = std::move(readers);
  std::vector<PriceLine> lines;
  for (const PayloadOption& payload : book_.Of(activation)) {
    // The only output is never sent as it is: what is said of it is.
    if (a.is_output && scenario_.model->outputs().size() == 1) break;
    const std::optional<double>& wanted = scenario_.limits.agreement;
    const bool enough =
        !wanted || (payload.agreement && scenario_.AgreementOf(*payload.agreement) >= *wanted);
    if (enough && TakenUnasked(scenario_, payload)) lines.push_back(LineOf(payload));
  }
  if (a.producer < 0 && scenario_.limits.never_send_input) lines.clear();
  if (scenario_.operation.two_way) {
    wire.down = pricing_.Down(Bytes(static_cast<double>(a.bytes())));
  }
  problem_.wires.push_back(std::move(wire));
  options_.push_back(std::move(lines));
  activation_.push_back(activation);
}

/// What is said of the outputs, on its way to where it is wanted.
void LayerProblem::AddResults(uint32_t saying, uint32_t sink) {
  const std::vector<PayloadOption> results = book_.Results();
  Wire wire;
  wire.producer = saying;
  wire.readers = {sink};
  wire.down = pricing_.Down(results.front().sent());
  std::vector<PriceLine> lines;
  for (const PayloadOption& payload : results) lines.push_back(LineOf(payload));
  problem_.wires.push_back(std::move(wire));
  options_.push_back(std::move(lines));
  activation_.push_back(kResults);
}

PriceLine LayerProblem::LineOf(const PayloadOption& payload) const {
  PriceLine line = pricing_.Up(payload.sent());
  line.fixed += pricing_.Edge(payload.encode / scenario_.edge_timing.relative_speed);
  line.fixed += pricing_.Cloud(payload.decode / scenario_.cloud_timing.relative_speed);
  return line;
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
  const auto add = [&crossing](int activation) {
    if (std::ranges::find(crossing, activation) == crossing.end()) crossing.push_back(activation);
  };
  for (size_t w = 0; w < problem_.wires.size(); ++w) {
    const Wire& wire = problem_.wires[w];
    if (partition.sides[wire.producer] != from) continue;
    const bool cut =
        std::ranges::any_of(wire.readers, [&](uint32_t r) { return partition.sides[r] != from; });
    if (!cut) continue;
    if (activation_[w] != kResults) {
      add(activation_[w]);
      continue;
    }
    for (const Port& output : scenario_.model->outputs()) {
      if (const int a = scenario_.model->FindActivation(output.name); a >= 0) add(a);
    }
  }
  std::ranges::sort(crossing);
  return crossing;
}

}  // namespace fogline
