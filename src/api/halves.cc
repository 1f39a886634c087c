#include "fogline/halves.h"

#include "api/bridge.h"
#include "api/model_impl.h"
#include "base/file.h"
#include "engine/session.h"
#include "engine/verify.h"
#include "graph/slice.h"

namespace fogline {
namespace v1 {

struct SessionImpl {
  std::unique_ptr<fogline::Session> session;
  std::string where;
  std::vector<TensorSpec> inputs, outputs;
};

}  // namespace v1

namespace {

Result<v1::Session> OpenPiece(std::string_view bytes, const std::string& where,
                              const v1::SessionOptions& wanted) {
  SessionOptions options;
  options.threads = wanted.threads;
  options.optimize = wanted.optimize;
  auto impl = std::make_shared<v1::SessionImpl>();
  FOGLINE_TRY(impl->session, OpenSession(std::as_bytes(std::span(bytes)), where, options));
  impl->where = where;
  impl->inputs = Outside(impl->session->inputs());
  impl->outputs = Outside(impl->session->outputs());
  return v1::Session(std::move(impl));
}

Result<std::vector<v1::Tensor>> RunOn(const v1::SessionImpl& impl,
                                      const std::vector<v1::TensorView>& inputs) {
  std::vector<TensorView> views;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = i < impl.inputs.size() ? impl.inputs[i].name : impl.where;
    FOGLINE_TRY(views.emplace_back(), Inside(inputs[i], name));
  }
  FOGLINE_TRY(std::vector<Tensor> outputs, impl.session->Run(views));
  std::vector<v1::Tensor> tensors;
  for (Tensor& output : outputs) tensors.push_back(Outside(std::move(output)));
  return tensors;
}

v1::Piece Hold(std::string bytes, const Model& model) {
  return {std::make_shared<const std::string>(std::move(bytes)), model.where()};
}

Result<Cut> SplitAt(const Model& model, const v1::Cut& named) {
  FOGLINE_TRY(Cut cut, Inside(model, named));
  if (cut.is_split()) return cut;
  return Fail(ErrorCode::kUsage, model.where(), "has nothing on one side of cut '{}'", cut.name);
}

Result<v1::Halves> SplitModel(const Model& model, const v1::Cut& named) {
  FOGLINE_TRY(const Cut cut, SplitAt(model, named));
  FOGLINE_TRY(std::string edge, SlicePrefix(model, cut));
  FOGLINE_TRY(std::string cloud, SliceSuffix(model, cut));
  return v1::Halves{Hold(std::move(edge), model), Hold(std::move(cloud), model)};
}

Result<v1::Proof> Prove(const Model& model, const v1::Cut& named) {
  FOGLINE_TRY(const Cut cut, SplitAt(model, named));
  Halves halves;
  FOGLINE_TRY(halves.edge_bytes, SlicePrefix(model, cut));
  FOGLINE_TRY(halves.cloud_bytes, SliceSuffix(model, cut));
  FOGLINE_TRY(const SplitCheck check,
              CheckSplit(model, cut, halves, {RandomFeeds(model.inputs(), 1)}));
  const Difference& apart = check.optimized.difference;
  return v1::Proof{apart.max_abs, apart.max_rel, check.exact.difference.identical, check.holds()};
}

}  // namespace

namespace v1 {

const std::vector<TensorSpec>& Session::inputs() const { return impl_->inputs; }
const std::vector<TensorSpec>& Session::outputs() const { return impl_->outputs; }

Result<std::vector<Tensor>> Session::Run(const std::vector<TensorView>& inputs) const {
  return Outside(RunOn(*impl_, inputs));
}

std::string_view Piece::bytes() const { return *bytes_; }

Status Piece::Write(const std::string& path) const { return Outside(WriteFile(path, *bytes_)); }

Result<Session> Piece::Open(const SessionOptions& options) const {
  return Outside(OpenPiece(*bytes_, where_, options));
}

Result<Halves> Split(const Model& model, const Cut& cut) {
  return Outside(SplitModel(model.impl().network.model, cut));
}

Result<Proof> CheckSplit(const Model& model, const Cut& cut) {
  return Outside(Prove(model.impl().network.model, cut));
}

Result<Piece> PieceOf(const Model& model, const std::vector<std::string>& from,
                      const std::vector<std::string>& to) {
  const fogline::Model& whole = model.impl().network.model;
  return Outside(SlicePieceAt(whole, from, to).map([&](std::string bytes) {
    return Hold(std::move(bytes), whole);
  }));
}

}  // namespace v1
}  // namespace fogline
