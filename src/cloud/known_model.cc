#include "cloud/known_model.h"

#include <algorithm>

#include "base/log.h"
#include "cloud/models_folder.h"
#include "frame/frame.h"

namespace fogline {

KnownModel::KnownModel(const Network& network, std::vector<Cut> listed)
    : path(network.path),
      hash(network.model.hash()),
      card(network.card),
      contract(network.contract),
      cuts(std::move(listed)) {
  // One that cannot be read is no reason to run no network: its gates are unknown then.
  if (auto found = FindCascade(network)) {
    cascade = *std::move(found);
  } else {
    LogWarning("{}", found.error().ToString());
  }
  for (const Activation& activation : network.model.activations()) {
    activation_.try_emplace(TensorId(activation.port.name), static_cast<int>(names_.size()));
    names_.push_back(activation.port.name);
  }
}

const Cut* KnownModel::Listed(uint64_t cut) const {
  const auto found = std::ranges::find(cuts, cut, &Cut::id);
  return found == cuts.end() ? nullptr : &*found;
}

Result<std::vector<int>> KnownModel::Named(uint64_t cut, std::span<const uint32_t> tensors) const {
  std::vector<int> activations;
  for (const uint32_t tensor : tensors) {
    if (const auto found = activation_.find(tensor); found != activation_.end()) {
      activations.push_back(found->second);
    }
  }
  std::ranges::sort(activations);
  std::vector<std::string> names;
  for (const int activation : activations) names.push_back(names_[static_cast<size_t>(activation)]);
  if (activations.size() == tensors.size() && IdOfCut(names) == cut) return activations;
  return Fail(ErrorCode::kInvalid, "model " + IdText(ShortId(hash)), "has no cut {:016x}{}", cut,
              tensors.size() > 1 ? " where the frame's tensors cross" : "");
}

}  // namespace fogline
