#include "vision/network.h"

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

}  // namespace fogline
