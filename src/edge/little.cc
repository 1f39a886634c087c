#include "edge/little.h"

#include "base/log.h"
#include "base/text.h"

namespace fogline {
namespace {

Result<GatePromise> Promised(const Cascade& cascade, uint64_t id, const GateRequest& request) {
  if (!request.gate) return PromiseOf(cascade.gate, *request.most_disagreement, 1);
  const RouteName& at = request.gate->at;
  const bool named = at.name.empty() || at.name == cascade.gate.at;
  if (!named || (at.id != 0 && at.id != id)) {
    return Fail(ErrorCode::kUsage, request.flag,
                "its gate is not the little network of the cascade, which is {}",
                Printable(cascade.gate.at));
  }
  return PromiseAt(cascade.gate, request.gate->threshold, 1);
}

}  // namespace

Result<Little> Little::Open(const Network& big, const GateRequest& request, int threads) {
  FOGLINE_TRY(const auto cascade, FindCascade(big));
  if (!cascade) {
    return Fail(ErrorCode::kNotFound, request.flag,
                "cloud-only runs nothing on the edge, and {} has no cascade: fogline cascade "
                "LITTLE.onnx {} --images DIR measures one",
                big.path.string(), big.path.string());
  }
  FOGLINE_TRY(const Network network, LoadLittle(*cascade, big));
  const uint64_t id = ShortId(network.model.hash());
  FOGLINE_TRY(const GatePromise promise, Promised(*cascade, id, request));
  Little little(big, network);
  little.judged_ = network.contract.judged;
  little.temperature_ = cascade->temperature;
  little.audit_ = request.audit;
  little.name_ = {id, promise.threshold, false};
  little.route_ = {{cascade->gate.at, 0}, promise.threshold};
  FOGLINE_TRY(
      little.session_,
      OpenSession(network.model, {.threads = threads, .optimize = true, .free_dimensions = {}}));
  network.model.ReleasePages();
  LogInfo(
      "{}: {} answers where it is sure to {:.4g}, {:.1f} % of the {} pictures that it was measured "
      "on; at most {:.2g} % of all differ from what {} says",
      big.path.string(), Printable(cascade->gate.at), promise.threshold, 100 * promise.sure_share,
      cascade->gate.pictures, 100 * promise.disagreement_bound, big.path.stem().string());
  return little;
}

Result<Little::Passed> Little::Run(const Image& picture) {
  const TensorView input = prepare_.Input(picture);
  FOGLINE_TRY(const std::vector<Tensor> outputs, session_->Run({&input, 1}));
  FOGLINE_TRY(const ExitVerdict verdict,
              JudgeLittle(outputs[judged_].view(), little_, big_, temperature_));
  Passed passed;
  if (verdict.sure < name_.threshold) return passed;
  passed.sure = verdict;
  passed.left = !DrawnForAudit(audit_);
  return passed;
}

}  // namespace fogline
