// A model file ready to be cut and fed with pictures: its graph and its card.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "vision/card.h"

namespace fogline {

struct Network {
  std::filesystem::path path;
  Model model;
  ModelCard card;
};

/// Loads a model and its card. `side` > 0 overrides the card's input size (a model with a fixed
/// size refuses another).
Result<Network> LoadNetwork(const std::filesystem::path& path, int side = 0);

/// The same from a copy in memory: what becomes of the files afterwards, even if somebody writes
/// over them, does not matter to it.
Result<Network> CopyNetwork(const std::filesystem::path& path);

/// Loads a model by itself, which need not be one of pictures: an open input without a shape in
/// `options` gets the size of the model's card where it has one. The log says which sizes had to be
/// assumed.
Result<Model> LoadModel(const std::filesystem::path& path, LoadOptions options = {});

}  // namespace fogline
