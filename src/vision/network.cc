#include "vision/network.h"

#include <algorithm>
#include <functional>

#include "base/file.h"
#include "base/log.h"
#include "engine/shapes.h"

namespace fogline {

namespace {

using ReadModel = std::function<Result<Model>(const LoadOptions&)>;

Result<Network> MakeNetwork(const std::filesystem::path& path, int side, const ReadModel& read) {
  LoadOptions options;
  const InputSize wanted = side > 0 ? InputSize{side, side} : CardInputSize(path);
  if (wanted.width > 0 && wanted.width == wanted.height) options.open_size = wanted.width;
  FOGLINE_TRY(Model model, read(options));
  if (wanted.width != wanted.height && model.inputs().size() == 1) {
    // Not square: the two open dimensions need different sizes, so the input is named and loaded
    // again.
    const Port& input = model.inputs()[0];
    options.shapes[input.name] = input.shape.rank() == 4 && input.shape[1] == 3
                                     ? Shape{1, 3, wanted.height, wanted.width}
                                     : Shape{1, wanted.height, wanted.width, 3};
    FOGLINE_TRY(model, read(options));
  }
  FOGLINE_TRY(ModelCard card, LoadCard(path, model.inputs(), model.outputs(), side));
  return Network{path, std::move(model), std::move(card)};
}

}  // namespace

Result<Network> LoadNetwork(const std::filesystem::path& path, int side) {
  return MakeNetwork(path, side, [&](const LoadOptions& options) {
    return Model::Load(path, EngineShapes(), options);
  });
}

Result<Network> CopyNetwork(const std::filesystem::path& path) {
  return MakeNetwork(path, 0, [&](const LoadOptions& options) -> Result<Model> {
    FOGLINE_TRY(auto bytes, ReadFile(path));
    return Model::Parse(std::move(bytes), path.string(), EngineShapes(), options,
                        path.parent_path());
  });
}

Result<Model> LoadModel(const std::filesystem::path& path, LoadOptions options) {
  FOGLINE_TRY(const DeclaredPorts declared, ReadPorts(path));
  const bool open =
      std::ranges::any_of(declared.inputs, [](const Port& port) { return !port.shape.IsStatic(); });
  if (open && options.shapes.empty()) {
    // A card beside the model knows the size of its pictures; a model of something else has none.
    const auto card = LoadCard(path, declared.inputs, declared.outputs);
    if (card && card->input_shape().IsStatic() && card->width > 0) {
      options.shapes[card->input] = card->input_shape();
    }
  }
  FOGLINE_TRY(Model model, Model::Load(path, EngineShapes(), options));
  for (const std::string& assumption : model.assumptions()) {
    LogInfo("{}: assuming {} (give --shape for another size)", path.string(), assumption);
  }
  return model;
}

}  // namespace fogline
