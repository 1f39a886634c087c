#include "edge/gate.h"

#include <algorithm>
#include <random>

#include "base/log.h"
#include "base/text.h"
#include "graph/slice.h"
#include "vision/exit_cut.h"

namespace fogline {
namespace {

std::string NamesOf(const std::vector<EarlyExit>& exits) {
  std::string names;
  for (const EarlyExit& exit : exits) names += (names.empty() ? "" : ", ") + Printable(exit.at);
  return names;
}

/// Multiply-accumulates of a picture on the edge, on average.
double EdgeWork(const ChosenGate& gate, const Cut& cut) {
  const auto before = static_cast<double>(gate.cut.edge_madds);
  const auto rest = static_cast<double>(cut.edge_madds) - before;
  return before + (1 - gate.promise.sure_share) * rest;
}

Result<ChosenGate> ByHand(const Network& network, const Cut& cut, const ExitGate& gate,
                          const std::string& flag) {
  const auto& exits = network.card.exits;
  std::optional<Cut> named;
  if (!gate.at.name.empty()) {
    FOGLINE_TRY(named, FindCut(network.model, gate.at.name));
  }
  const uint64_t id = named ? named->id : gate.at.id;
  const EarlyExit* const exit = ExitAt(exits, id);
  if (exit == nullptr || (gate.at.id != 0 && gate.at.id != id)) {
    return Fail(ErrorCode::kUsage, flag, "its gate is at none of the exits of {}, which are {}",
                network.path.filename().string(), NamesOf(exits));
  }
  FOGLINE_TRY(Cut at, CutOfExit(network, *exit));
  if (!StandsBefore(at, cut)) {
    return Fail(ErrorCode::kUsage, flag, "its gate lies behind its cut");
  }
  FOGLINE_TRY(const GatePromise promise, PromiseAt(*exit, gate.threshold, exits.size()));
  return ChosenGate{*exit, std::move(at), promise};
}

Result<ChosenGate> ByPromise(const Network& network, const Cut& cut, double most) {
  const auto& exits = network.card.exits;
  std::optional<ChosenGate> best;
  Result<ChosenGate> none = Fail(ErrorCode::kUsage, fmt::format("--max-disagreement {}", most),
                                 "all exits of {} lie behind the cut: {}",
                                 network.path.filename().string(), NamesOf(exits));
  for (const EarlyExit& exit : exits) {
    FOGLINE_TRY(Cut at, CutOfExit(network, exit));
    if (!StandsBefore(at, cut)) continue;
    const auto promise = PromiseOf(exit, most, exits.size());
    if (!promise) {
      none = tl::unexpected<Error>(promise.error());
      continue;
    }
    ChosenGate gate{exit, std::move(at), *promise};
    if (!best || EdgeWork(gate, cut) < EdgeWork(*best, cut)) best = std::move(gate);
  }
  if (!best) return none;
  return *std::move(best);
}

}  // namespace

Result<ChosenGate> ChooseGate(const Network& network, const Cut& cut, const GateRequest& request) {
  const std::string& flag = request.flag;
  FOGLINE_CHECK(CheckHasExits(network, flag));
  FOGLINE_TRY(ChosenGate chosen, request.gate
                                     ? ByHand(network, cut, *request.gate, flag)
                                     : ByPromise(network, cut, *request.most_disagreement));
  LogInfo(
      "{}: pictures leave at '{}' that are sure to {:.4g}, {:.1f} % of the {} it was measured on; "
      "at "
      "most {:.2g} % of all differ from the whole network",
      network.path.string(), Printable(chosen.exit.at), chosen.promise.threshold,
      100 * chosen.promise.sure_share, chosen.exit.pictures,
      100 * chosen.promise.disagreement_bound);
  return chosen;
}

Result<Gate> Gate::Open(const Network& network, const Cut& cut, const ChosenGate& chosen,
                        uint32_t audit, int threads) {
  Gate gate;
  gate.name_ = {chosen.cut.id, chosen.promise.threshold, false};
  gate.card_ = network.card;
  gate.audit_ = audit;
  const SessionOptions options{.threads = threads, .optimize = true, .free_dimensions = {}};
  const std::string where = network.path.string();
  FOGLINE_TRY(const std::string before, SliceExit(network, chosen.exit));
  FOGLINE_TRY(gate.before_, OpenSession(std::as_bytes(std::span(before)),
                                        where + " up to its exit " + chosen.exit.at, options));
  gate.places_.assign(cut.tensors.size(), -1);
  if (cut.id == chosen.cut.id) return gate;
  const bool ends = cut.is_edge_only();
  FOGLINE_TRY(const std::string after, ends ? SliceSuffix(network.model, chosen.cut)
                                            : SliceBetween(network.model, chosen.cut, cut));
  FOGLINE_TRY(gate.after_, OpenSession(std::as_bytes(std::span(after)),
                                       where + " from its exit " + chosen.exit.at, options));
  for (size_t i = 0; i < cut.tensors.size(); ++i) {
    const auto& given = gate.after_->outputs();
    const auto found = std::ranges::find(given, cut.tensors[i].name, &Port::name);
    if (found != given.end()) gate.places_[i] = static_cast<int>(found - given.begin());
  }
  return gate;
}

bool DrawnForAudit(uint32_t one_in) {
  if (one_in == 0) return false;
  // Of the machine's own chance: a beat that could coincide with the pictures' would be no sample.
  thread_local std::mt19937 chance{std::random_device{}()};
  return std::uniform_int_distribution<uint32_t>(1, one_in)(chance) == 1;
}

Result<Gate::Passed> Gate::Run(const TensorView& input) {
  FOGLINE_TRY(std::vector<Tensor> at, before_->Run({&input, 1}));
  FOGLINE_TRY(const ExitVerdict verdict, JudgeExit(at[1].view(), card_));
  Passed passed;
  if (verdict.sure >= name_.threshold) {
    passed.sure = verdict;
    passed.left = !DrawnForAudit(audit_);
    if (passed.left) return passed;
  }
  std::vector<Tensor> after;
  if (after_ != nullptr) {
    const TensorView from = at[0].view();
    FOGLINE_TRY(after, after_->Run({&from, 1}));
  }
  for (const int place : places_) {
    passed.outputs.push_back(std::move(place < 0 ? at[0] : after[static_cast<size_t>(place)]));
  }
  return passed;
}

}  // namespace fogline
