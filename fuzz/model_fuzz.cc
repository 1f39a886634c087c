// Any bytes as a model file: the reader refuses them with an error or reads them, local functions
// in the place of their calls; what it reads has cuts, and halves that it reads again.
#include <onnx/onnx_pb.h>

#include <cstdlib>

#include "graph/cut.h"
#include "graph/slice.h"

namespace {

using namespace fogline;

/// Stands in for the engine: every output is float32 of one shape.
Result<std::map<std::string, TensorType>> OneType(std::span<const std::byte> model,
                                                  const std::map<std::string, RunInput>&) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size()))) std::abort();
  std::map<std::string, TensorType> types;
  for (const auto& output : proto.graph().output()) {
    types[output.name()] = {DType::kF32, Shape{1, 2, 3}, true, {"batch", "", ""}};
  }
  return types;
}

Result<Model> Read(std::span<const std::byte> bytes) {
  return Model::Parse({bytes.begin(), bytes.end()}, "fuzz", OneType, {}, "/nowhere");
}

void ExpectReadable(const Result<std::string>& half) {
  if (!half || !Read(std::as_bytes(std::span(half->data(), half->size())))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto model = Read(std::as_bytes(std::span(data, size)));
  if (!model || model->nodes().size() > 64) return 0;
  const auto cuts = ListCuts(*model);
  if (!cuts || cuts->size() < 2) std::abort();
  for (size_t i = 1; i + 1 < cuts->size() && i < 8; ++i) {
    const Cut& cut = (*cuts)[i];
    ExpectReadable(SlicePrefix(*model, cut));
    ExpectReadable(SliceSuffix(*model, cut));
    const auto again = FindCut(*model, std::to_string(cut.index));
    if (!again || again->id != cut.id) std::abort();
    // Its name is never another cut's; it may be refused where it has a second meaning.
    const auto named = FindCut(*model, cut.name);
    if (named && named->id != cut.id) std::abort();
  }
  return 0;
}
