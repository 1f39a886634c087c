// The partition problems of models, for others to solve: peers_problems EDGE CLOUD LINK MODEL…
// prints one JSON object a line, with the prices of every layer and tensor (float32, milliseconds),
// what features the layer has, and our own answer to it. For bench/peers/run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "base/log.h"
#include "plan/input.h"
#include "plan/layer_problem.h"
#include "plan/planner.h"

namespace fogline {
namespace {

/// The least of some runs, in milliseconds: what others did meanwhile does not count.
template <typename Work>
double LeastMs(Work work) {
  double least = 1e300;
  for (int run = 0; run < 20; ++run) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    least = std::min(least, took.count());
  }
  return least;
}

Json Finite(Price price) { return price.IsFinite() ? Json(price.value()) : Json(); }

Json ProblemJson(const PartitionProblem& problem, const Model& model) {
  Json tasks = Json::array(), wires = Json::array();
  for (size_t t = 0; t < problem.tasks.size(); ++t) {
    Json task{{"edge", Finite(problem.tasks[t].edge)}, {"cloud", Finite(problem.tasks[t].cloud)}};
    if (t > 0 && t <= model.nodes().size()) {
      const Node& node = model.nodes()[t - 1];
      int64_t bytes = 0;
      for (const int a : node.outputs) bytes += model.activations()[static_cast<size_t>(a)].bytes();
      task["op"] = node.op;
      task["features"] = {node.madds, node.weight_bytes, bytes};
    }
    tasks.push_back(std::move(task));
  }
  for (const Wire& wire : problem.wires) {
    wires.push_back(
        {{"producer", wire.producer}, {"readers", wire.readers}, {"up", Finite(wire.up)}});
  }
  return {{"tasks", std::move(tasks)},
          {"wires", std::move(wires)},
          {"crossing", problem.crossing.value()}};
}

Result<Json> Solve(const PlanPlaces& places, const std::string& path) {
  FOGLINE_TRY(Network network, ReadNetwork(path));
  PlanRequest request;
  request.codecs = "f32";
  request.ideal = true;
  FOGLINE_TRY(const auto input, MakePlanInput(network, places, request));
  LayerProblem layers(input->scenario);
  const PartitionProblem problem = layers.At(1 / input->scenario.link.up.value());
  FOGLINE_TRY(const Partition best, CheapestPartition(problem));
  Json json = ProblemJson(problem, network.model);
  json["model"] = input->network.path.stem().string();
  json["value"] = best.value.value();
  json["bound"] = best.bound.value();
  json["solve_ms"] = LeastMs([&] { return CheapestPartition(problem).has_value(); });
  json["plan_ms"] = LeastMs([&] {
    if (!CheckPlaces(places, request)) return false;
    const auto again = MakePlanInput(network, places, request);
    return again && MakePlan((*again)->scenario).has_value();
  });
  return json;
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kOff);
  for (int i = 4; i < argc; ++i) {
    const auto json = fogline::Solve({argv[1], argv[2], argv[3], {}}, argv[i]);
    if (json) {
      fmt::print("{}\n", fogline::Dump(*json));
    } else {
      fmt::print(stderr, "left out: {}\n", json.error().ToString());
    }
  }
}
