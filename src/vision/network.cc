#include "vision/network.h"

#include <algorithm>

#include "base/log.h"
#include "engine/shapes.h"

namespace fogline {

Result<Network> LoadNetwork(const std::filesystem::path& path, int side) {
  LoadOptions options;
  const InputSize wanted = side > 0 ? InputSize{side, side} : CardInputSize(path);
  if (wanted.width > 0 && wanted.width == wanted.height) options.open_size = wanted.width;
  FOGLINE_TRY(Model model, Model::Load(path, EngineShapes(), options));
  if (wanted.width != wanted.height && model.inputs().size() == 1) {
    // Not square: the two open dimensions need different sizes, so the input is named and loaded
    // again.
    const Port& input = model.inputs()[0];
    options.shapes[input.name] = input.shape.rank() == 4 && input.shape[1] == 3
                                     ? Shape{1, 3, wanted.height, wanted.width}
                                     : Shape{1, wanted.height, wanted.width, 3};
    FOGLINE_TRY(model, Model::Load(path, EngineShapes(), options));
  }
  FOGLINE_TRY(ModelCard card, LoadCard(path, model.inputs(), model.outputs(), side));
  return Network{path, std::move(model), std::move(card)};
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
