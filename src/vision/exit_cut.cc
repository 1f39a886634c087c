#include "vision/exit_cut.h"

#include "base/text.h"

namespace fogline {

Status CheckHasExits(const Network& network, const std::string& flag) {
  if (!network.card.exits.empty()) return {};
  return Fail(ErrorCode::kNotFound, flag,
              "{} has no early exits: fogline train --teacher {} --exits auto fits some",
              network.path.string(), network.path.string());
}

const EarlyExit* ExitAt(const std::vector<EarlyExit>& exits, uint64_t cut) {
  for (const EarlyExit& exit : exits) {
    if (IdOfCut({&exit.at, 1}) == cut) return &exit;
  }
  return nullptr;
}

Result<Cut> CutOfExit(const Network& network, const EarlyExit& exit) {
  const int tensor = network.model.FindActivation(exit.at);
  if (tensor >= 0) return CutAt(network.model, {tensor});
  return Fail(ErrorCode::kConflict, network.path.string(),
              "has no tensor '{}', where its card has an exit", Printable(exit.at));
}

bool StandsBefore(const Cut& first, const Cut& second) {
  for (size_t n = 0; n < first.edge.size(); ++n) {
    if (first.edge[n] && !second.edge[n]) return false;
  }
  return true;
}

std::string NameOfExit(const Model& model, const Cut& cut) {
  // A tensor may be called like a place in the paper; its cut is then named by its tensors.
  const bool alias = !cut.alias.empty() && model.FindActivation(cut.alias) < 0;
  return alias ? cut.alias : cut.name;
}

}  // namespace fogline
