#include "vision/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/shapes.h"
#include "graph/slice.h"

namespace fogline {
namespace {

/// What the model's file and its card say before an engine is asked.
struct Declared {
  DeclaredPorts ports;
  Result<ModelCard> card;
  std::vector<FixedInput> fixed;
};

Result<Declared> ReadDeclared(const std::filesystem::path& path, const CardOptions& options) {
  FOGLINE_TRY(DeclaredPorts ports, ReadPorts(path));
  Declared declared{std::move(ports), {}, {}};
  declared.card = LoadCard(path, declared.ports.inputs, declared.ports.outputs, options);
  if (!declared.card) return declared;
  auto fixed = FixOthers(declared.ports.inputs, declared.ports.unread, *declared.card);
  if (fixed) {
    declared.fixed = *std::move(fixed);
  } else {
    declared.card = Fail(fixed.error().code, path.string(), "{}", fixed.error().message);
  }
  return declared;
}

/// Takes out of the options what they say of inputs that become constants.
void Fix(std::vector<FixedInput>& fixed, LoadOptions& options) {
  for (FixedInput& input : fixed) {
    const auto given = options.values.find(input.tensor);
    if (given != options.values.end() && !input.values.empty()) {
      input.values = given->second;
      input.from = "--value";
    }
    options.values.erase(input.tensor);
    options.shapes.erase(input.tensor);
    options.fixed[input.tensor] = input.values;
  }
}

Result<Model> ReadModel(const std::filesystem::path& path, const NetworkOptions& options) {
  if (!options.in_memory) return Model::Load(path, EngineShapes(), options.load);
  FOGLINE_TRY(auto bytes, ReadFile(path));
  return Model::Parse(std::move(bytes), path.string(), EngineShapes(), options.load,
                      path.parent_path());
}

/// The heads are behind the network, and their figures are of this very one.
Status CheckExits(const std::vector<EarlyExit>& exits, const Model& model) {
  const std::string hash = ToHex(model.hash());
  for (const EarlyExit& exit : exits) {
    if (exit.network == hash) continue;
    return Fail(ErrorCode::kConflict, model.where(),
                "the exit at '{}' in its card was measured on network {}, this is {}: fit it again "
                "with fogline train --teacher, or take [[exit]] out of the card",
                Printable(exit.at), exit.network.substr(0, 12), hash.substr(0, 12));
  }
  return {};
}

Status LeaveOutHeads(const Declared& declared, const std::string& where, LoadOptions& options) {
  for (const EarlyExit& exit : declared.card->exits) {
    if (std::ranges::find(declared.ports.outputs, exit.head, &Port::name) ==
        declared.ports.outputs.end()) {
      return Fail(ErrorCode::kConflict, where,
                  "'exit.head' of its card is '{}', which the model does not give: fit the exits "
                  "again with fogline train --teacher, or take [[exit]] out of the card",
                  Printable(exit.head));
    }
    options.without.push_back(exit.head);
  }
  return {};
}

Result<Network> WithPictures(Result<Network> network) {
  if (!network || network->contract.takes_pictures()) return network;
  return tl::unexpected<Error>(*network->contract.no_picture);
}

}  // namespace

Result<Network> ReadNetwork(const std::filesystem::path& path, NetworkOptions options) {
  CardOptions card_options{options.side, !options.load.shapes.empty()};
  FOGLINE_TRY(Declared declared, ReadDeclared(path, card_options));
  if (declared.card) {
    Fix(declared.fixed, options.load);
    const PictureInput picture = declared.card->picture();
    const auto port = std::ranges::find(declared.ports.inputs, picture.tensor, &Port::name);
    if (!port->shape.IsStatic()) options.load.shapes.try_emplace(picture.tensor, picture.shape());
  }
  if (declared.card) FOGLINE_CHECK(LeaveOutHeads(declared, path.string(), options.load));
  FOGLINE_TRY(Model model, ReadModel(path, options));
  if (declared.card) FOGLINE_CHECK(CheckExits(declared.card->exits, model));
  for (const std::string& assumption : model.assumptions()) {
    LogInfo("{}: assuming {} (give --shape for another size)", path.string(), assumption);
  }
  if (declared.card) {
    // Once more, with every dimension known.
    auto inputs = model.inputs();
    for (const FixedInput& input : declared.fixed) inputs.push_back({input.tensor, {}, {}});
    declared.card = LoadCard(path, inputs, model.outputs(), card_options);
  }
  if (!declared.card) {
    ModelContract contract = MakeContract(model, declared.card.error());
    return Network{path, std::move(model), {}, std::move(contract)};
  }
  const bool named = !declared.card->labels.empty();
  ModelContract contract = MakeContract(model, *declared.card);
  contract.fixed = std::move(declared.fixed);
  if (contract.guessed && !contract.layout) {
    LogInfo(
        "{}: '{}' is read as a mask, by its shape; say kind = \"raw\" under [output] of its card "
        "for none",
        path.string(), contract.output().tensor);
  } else if (contract.guessed) {
    LogInfo(
        "{}: boxes are read as of layout {}, by the shapes of its outputs; say layout = under "
        "[output] of its card for another, kind = \"raw\" for none",
        path.string(), NameOf(*contract.layout));
  }
  if (!named && !declared.card->labels.empty()) {
    LogInfo(
        "{}: COCO's names are assumed for its {} classes, which no card names; say labels = under "
        "[output] of its card for others, labels = [] for numbers",
        path.string(), declared.card->labels.size());
  }
  for (const FixedInput& input : contract.fixed) {
    if (input.values.empty()) continue;
    LogInfo("{}: '{}' is {} at every run, by {}", path.string(), input.tensor,
            fmt::join(input.values, ","), input.from);
  }
  return Network{path, std::move(model), *std::move(declared.card), std::move(contract),
                 std::move(options.load)};
}

Result<Network> LoadNetwork(const std::filesystem::path& path, int side) {
  return WithPictures(ReadNetwork(path, {.side = side, .load = {}, .in_memory = false}));
}

Result<Network> CopyNetwork(const std::filesystem::path& path) {
  return WithPictures(ReadNetwork(path, {.side = 0, .load = {}, .in_memory = true}));
}

Result<std::string> SliceExit(const Network& network, const EarlyExit& exit) {
  LoadOptions options = network.loaded;
  std::erase(options.without, exit.head);
  FOGLINE_TRY(const Model shown, Model::Load(network.path, EngineShapes(), options));
  if (shown.hash() != network.model.hash()) {
    return Fail(ErrorCode::kConflict, network.path.string(), "was written over while it was read");
  }
  const std::vector<std::string> wanted{exit.at, exit.head};
  return SlicePiece(shown, {}, wanted);
}

Result<ModelCard> PeekCard(const std::filesystem::path& path) {
  FOGLINE_TRY(Declared declared, ReadDeclared(path, {}));
  return std::move(declared.card);
}

}  // namespace fogline
