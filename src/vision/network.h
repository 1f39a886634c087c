// A model file ready to be cut and fed with pictures: its graph, its card and its contract.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "vision/card.h"
#include "vision/contract.h"

namespace fogline {

struct Network {
  std::filesystem::path path;
  Model model;
  ModelCard card;  // not to be used where the contract has no picture
  ModelContract contract;
  LoadOptions loaded{};  // as what the model was read
};

struct NetworkOptions {
  int side = 0;            // > 0 overrides the card's input size
  LoadOptions load;        // shapes given here override it too
  bool in_memory = false;  // from a copy of the file, so that nobody who writes over it matters
};

/// Loads any model. What `load.shapes` leaves open of a picture gets the card's size; inputs that
/// are no pictures and always the same are made constants (FixOthers), of the value in
/// `load.values` if there is one. Whether the daemons can feed it pictures, the contract says;
/// which sizes had to be assumed, the log. The heads of the card's exits are left out of the model;
/// kConflict for exits that were measured on another one.
Result<Network> ReadNetwork(const std::filesystem::path& path, NetworkOptions options = {});

/// The same of a model that takes pictures; the contract's error for any other. `side` > 0
/// overrides the card's input size (a model with a fixed size refuses another).
Result<Network> LoadNetwork(const std::filesystem::path& path, int side = 0);

/// The same from a copy in memory: what becomes of the files afterwards, even if somebody writes
/// over them, does not matter to it.
Result<Network> CopyNetwork(const std::filesystem::path& path);

/// Serialised ONNX of what a network runs up to one of its card's exits, with that exit's head:
/// gives the tensor where it leaves, then the head's logits. Reads the file again, where the heads
/// are; kConflict where that is another one by now.
Result<std::string> SliceExit(const Network& network, const EarlyExit& exit);

/// The card of the model in a file, with the size that LoadNetwork would give it: what the file
/// tells without an engine, the contract's error included.
Result<ModelCard> PeekCard(const std::filesystem::path& path);

}  // namespace fogline
