#include "codec/segment.h"

#include <algorithm>
#include <optional>

#include "graph/slice.h"

namespace fogline {
namespace {

std::optional<size_t> Find(const std::string& name, const std::vector<Port>& ports) {
  const auto found = std::ranges::find(ports, name, &Port::name);
  if (found == ports.end()) return std::nullopt;
  return static_cast<size_t>(found - ports.begin());
}

}  // namespace

Result<Segment> Segment::Before(const Model& model, const Cut& cut) {
  if (cut.is_cloud_only()) return Open("", model.where(), model.inputs(), cut.tensors);
  return Open(SlicePrefix(model, cut), model.where() + " before cut " + cut.name, model.inputs(),
              cut.tensors);
}

Result<Segment> Segment::After(const Model& model, const Cut& cut) {
  if (cut.is_edge_only()) {
    return Open("", model.where(), cut.tensors, model.outputs());
  }
  return Open(SliceSuffix(model, cut), model.where() + " behind cut " + cut.name, cut.tensors,
              model.outputs());
}

Result<Segment> Segment::Between(const Model& model, const Cut& from, const Cut& to) {
  return Open(SliceBetween(model, from, to),
              model.where() + " from cut " + from.name + " to cut " + to.name, from.tensors,
              to.tensors);
}

Result<Segment> Segment::Open(Result<std::string> slice, const std::string& where,
                              const std::vector<Port>& from, const std::vector<Port>& to) {
  FOGLINE_TRY(const std::string bytes, std::move(slice));
  Segment segment;
  if (!bytes.empty()) {
    FOGLINE_TRY(segment.session_, OpenSession(std::as_bytes(std::span(bytes)), where));
    for (const Port& input : segment.session_->inputs()) {
      const auto at = Find(input.name, from);
      if (!at) return Fail(ErrorCode::kInternal, where, "asks for tensor '{}'", input.name);
      segment.feeds_.push_back(*at);
    }
  }
  for (const Port& wanted : to) {
    const auto given = Find(wanted.name, from);
    const auto made =
        segment.session_ ? Find(wanted.name, segment.session_->outputs()) : std::nullopt;
    if (!given && !made) return Fail(ErrorCode::kInternal, where, "lacks tensor '{}'", wanted.name);
    segment.results_.push_back({!given, given ? *given : *made});
  }
  return segment;
}

Result<std::vector<Tensor>> Segment::Run(std::span<const Tensor> tensors) const {
  std::vector<Tensor> made;
  if (session_ != nullptr) {
    std::vector<TensorView> views;
    for (const size_t at : feeds_) views.push_back(tensors[at].view());
    FOGLINE_TRY(made, session_->Run(views));
  }
  std::vector<Tensor> results;
  for (const Source& source : results_) {
    results.push_back(source.made ? made[source.index] : tensors[source.index]);
  }
  return results;
}

}  // namespace fogline
