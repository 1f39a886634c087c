#include "fogline/model.h"

#include <variant>

#include "api/bridge.h"
#include "api/model_impl.h"
#include "base/hash.h"
#include "pages/inspect_page.h"
#include "vision/folder.h"
#include "vision/placement.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline {

v1::Cut Outside(const Cut& cut) {
  return {.index = cut.index,
          .id = cut.id,
          .name = cut.name,
          .alias = cut.alias,
          .mechanism = static_cast<v1::Mechanism>(cut.mechanism()),
          .tensors = Outside(cut.tensors),
          .bytes = cut.bytes,
          .edge_layers = cut.edge_nodes,
          .edge_madds = cut.edge_madds,
          .cloud_madds = cut.cloud_madds,
          .edge_weight_bytes = cut.edge_weight_bytes,
          .cloud_weight_bytes = cut.cloud_weight_bytes,
          .dominated = cut.dominated,
          .data_dependent = cut.data_dependent};
}

Result<Cut> Inside(const Model& model, const v1::Cut& cut) {
  FOGLINE_TRY(Cut found, FindCut(model, cut.name));
  if (cut.id == 0 || found.id == cut.id) return found;
  return Fail(ErrorCode::kConflict, model.where(), "is not the model that cut '{}' is of",
              cut.name);
}

namespace {

Result<v1::Model> LoadModel(const std::string& path, const v1::LoadOptions& options) {
  NetworkOptions load;
  for (const auto& [name, shape] : options.shapes) {
    FOGLINE_TRY(load.load.shapes[name], Inside(shape, name));
  }
  load.load.values = options.values;
  FOGLINE_TRY(Network network, ReadNetwork(path, std::move(load)));
  auto impl = std::make_shared<v1::ModelImpl>(v1::ModelImpl{std::move(network), path, {}, {}});
  impl->inputs = Outside(impl->network.model.inputs());
  impl->outputs = Outside(impl->network.model.outputs());
  return v1::Model(std::move(impl));
}

Result<v1::Picture> Prepare(const Network& network, const std::string& path) {
  if (network.contract.no_picture) return tl::unexpected(*network.contract.no_picture);
  const ModelCard& card = network.card;
  FOGLINE_TRY(const Picture picture, LoadPicture(path, DecodeAtLeast(card)));
  Image fitted;
  FitToInput(picture.image, card, fitted);
  Tensor input(card.dtype, card.input_shape());
  Normalise(fitted, card, input);
  return v1::Picture{Outside(std::move(input)), picture.image.width, picture.image.height};
}

/// The lists of one kind of findings.
struct Fill {
  v1::Findings& into;

  void operator()(const ClassFindings& found) const {
    into.kind = "classes";
    for (const LabelScore& c : found.top) into.classes.push_back({c.label, c.score});
  }
  void operator()(const BoxFindings& found) const {
    into.kind = "boxes";
    for (const FoundBox& b : found.boxes) {
      into.boxes.push_back({b.label, b.score, b.x, b.y, b.w, b.h});
    }
  }
  void operator()(const MaskFindings& found) const {
    into.kind = "mask";
    for (const LabelShare& s : found.shares) into.shares.push_back({s.label, s.share});
  }
  void operator()(const NumberFindings& found) const {
    into.kind = "numbers";
    for (const NamedNumber& n : found.numbers) into.numbers.push_back({n.name, n.value, n.unit});
  }
  void operator()(const RawFindings&) const { into.kind = "raw"; }
};

Result<v1::Findings> ReadFindings(const Network& network, const std::vector<v1::Tensor>& outputs,
                                  const v1::Picture& picture) {
  const std::vector<Port>& ports = network.model.outputs();
  if (outputs.size() != ports.size()) {
    return Fail(ErrorCode::kUsage, network.path.string(), "gives {} outputs, not {}", ports.size(),
                outputs.size());
  }
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < outputs.size(); ++i) {
    FOGLINE_TRY(const TensorView view, Inside(outputs[i].view(), ports[i].name));
    auto* data = static_cast<std::byte*>(const_cast<void*>(outputs[i].data()));
    tensors.emplace_back(view.dtype, view.shape, outputs[i].owner(),
                         std::span(data, view.data.size()));
  }
  FOGLINE_TRY(const Findings findings,
              ReadOutputs(tensors, ports, network.contract.judged, network.card,
                          PlacementOf(picture.width, picture.height, network.card)));
  const Verdict verdict = Judge(findings, network.card);
  v1::Findings out;
  std::visit(Fill{out}, findings);
  out.label = verdict.name;
  out.score = verdict.score;
  out.positive = verdict.positive;
  return out;
}

}  // namespace

namespace v1 {

Result<Model> Model::Load(const std::string& path, const LoadOptions& options) {
  return Outside(LoadModel(path, options));
}

const std::string& Model::path() const { return impl_->path; }
std::string Model::sha256() const { return ToHex(impl_->network.model.hash()); }
const std::vector<TensorSpec>& Model::inputs() const { return impl_->inputs; }
const std::vector<TensorSpec>& Model::outputs() const { return impl_->outputs; }
int64_t Model::madds() const { return impl_->network.model.madds(); }
int64_t Model::params() const { return impl_->network.model.params(); }
int64_t Model::weight_bytes() const { return impl_->network.model.weight_bytes(); }
std::vector<std::string> Model::assumptions() const { return impl_->network.model.assumptions(); }

std::vector<Layer> Model::Layers() const {
  const fogline::Model& model = impl_->network.model;
  std::vector<Layer> layers;
  for (const Node& node : model.nodes()) {
    Layer& layer = layers.emplace_back(
        Layer{node.name, node.op, {}, node.madds, node.params, node.weight_bytes});
    for (const int a : node.outputs) layer.outputs.push_back(Outside(model.activations()[a].port));
  }
  return layers;
}

Result<std::vector<Cut>> Model::Cuts(bool all) const {
  fogline::CutOptions options;
  options.all = all;
  return Outside(ListCuts(impl_->network.model, options).map([](const auto& listed) {
    std::vector<Cut> cuts;
    for (const fogline::Cut& cut : listed) cuts.push_back(Outside(cut));
    return cuts;
  }));
}

Result<Cut> Model::FindCut(const std::string& spec) const {
  return Outside(fogline::FindCut(impl_->network.model, spec).map([](const auto& cut) {
    return Outside(cut);
  }));
}

Result<std::string> Model::Html() const {
  const fogline::Network& network = impl_->network;
  return Outside(ListCuts(network.model).map([&](const auto& cuts) {
    return InspectPage(network.path.filename().string(), network.model, cuts);
  }));
}

Result<Picture> Model::ReadPicture(const std::string& path) const {
  return Outside(Prepare(impl_->network, path));
}

Result<Findings> Model::Judge(const std::vector<Tensor>& outputs, const Picture& picture) const {
  return Outside(ReadFindings(impl_->network, outputs, picture));
}

}  // namespace v1
}  // namespace fogline
