#include "codec/split_runner.h"

#include <algorithm>

#include "graph/slice.h"

namespace fogline {
namespace {

/// Where each of `names` stands in `ports`.
Result<std::vector<size_t>> Find(const std::vector<Port>& names, const std::vector<Port>& ports,
                                 const std::string& where) {
  std::vector<size_t> at;
  for (const Port& wanted : names) {
    const auto found = std::ranges::find(ports, wanted.name, &Port::name);
    if (found == ports.end()) {
      return Fail(ErrorCode::kInternal, where, "half of the model lacks tensor '{}'", wanted.name);
    }
    at.push_back(static_cast<size_t>(found - ports.begin()));
  }
  return at;
}

Result<std::vector<Tensor>> RunHalf(Session& session, std::span<const Tensor> inputs) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : inputs) views.push_back(tensor.view());
  return session.Run(views);
}

}  // namespace

Result<SplitRunner> SplitRunner::Open(const Model& model, const Cut& cut) {
  SplitRunner runner;
  const std::string where = model.where() + " at cut " + cut.name;
  if (cut.edge_nodes > 0) {
    FOGLINE_TRY(const std::string bytes, SlicePrefix(model, cut));
    FOGLINE_TRY(runner.prefix_, OpenSession(std::as_bytes(std::span(bytes)), where));
    FOGLINE_TRY(runner.from_prefix_, Find(cut.tensors, runner.prefix_->outputs(), where));
  }
  if (cut.edge_nodes < static_cast<int>(model.nodes().size())) {
    FOGLINE_TRY(const std::string bytes, SliceSuffix(model, cut));
    FOGLINE_TRY(runner.suffix_, OpenSession(std::as_bytes(std::span(bytes)), where));
    FOGLINE_TRY(runner.to_suffix_, Find(runner.suffix_->inputs(), cut.tensors, where));
  }
  return runner;
}

Result<std::vector<Tensor>> SplitRunner::Prefix(const Tensor& input) const {
  if (prefix_ == nullptr) return std::vector<Tensor>{input};
  FOGLINE_TRY(const auto outputs, RunHalf(*prefix_, {&input, 1}));
  std::vector<Tensor> tensors;
  for (const size_t at : from_prefix_) tensors.push_back(outputs[at]);
  return tensors;
}

Result<std::vector<Tensor>> SplitRunner::Suffix(std::span<const Tensor> tensors) const {
  if (suffix_ == nullptr) return std::vector<Tensor>(tensors.begin(), tensors.end());
  std::vector<Tensor> inputs;
  for (const size_t at : to_suffix_) inputs.push_back(tensors[at]);
  return RunHalf(*suffix_, inputs);
}

}  // namespace fogline
