// Outputs that a network is read without.
#include <algorithm>

#include "base/text.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

/// Tensors that lead to one of these, themselves included.
std::unordered_set<std::string> LeadingTo(const onnx::GraphProto& graph,
                                          std::vector<std::string> open) {
  std::unordered_map<std::string, int> makers;
  for (int n = 0; n < graph.node_size(); ++n) {
    for (const std::string& made : graph.node(n).output()) makers[made] = n;
  }
  std::unordered_set<std::string> leading;
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    const auto maker = makers.find(name);
    if (!leading.insert(std::move(name)).second || maker == makers.end()) continue;
    for (std::string& read : NamesRead(graph.node(maker->second))) open.push_back(std::move(read));
  }
  return leading;
}

}  // namespace

Status LeaveOutOutputs(ModelData& data, const LoadOptions& options) {
  if (options.without.empty()) return {};
  auto& graph = *data.proto.mutable_graph();
  auto& outputs = *graph.mutable_output();
  for (const std::string& name : options.without) {
    const auto output = std::ranges::find(outputs, name, &onnx::ValueInfoProto::name);
    if (output == outputs.end()) {
      return Fail(ErrorCode::kUsage, data.where, "has no output '{}' to go without",
                  Printable(name));
    }
    outputs.erase(output);
  }
  if (outputs.empty()) {
    return Fail(ErrorCode::kUsage, data.where, "has no output beside those that it goes without");
  }
  std::vector<std::string> names;
  for (const auto& output : outputs) names.push_back(output.name());
  const auto kept = LeadingTo(graph, std::move(names));
  const auto left = LeadingTo(graph, options.without);
  const auto any = [](const onnx::NodeProto& node, const std::unordered_set<std::string>& of) {
    return std::ranges::any_of(node.output(), [&](const auto& name) { return of.contains(name); });
  };
  auto& nodes = *graph.mutable_node();
  // From behind, since an erasure moves what follows.
  for (int n = nodes.size() - 1; n >= 0; --n) {
    if (any(nodes[n], left) && !any(nodes[n], kept)) nodes.erase(nodes.begin() + n);
  }
  data.rewritten = true;
  return {};
}

}  // namespace fogline
