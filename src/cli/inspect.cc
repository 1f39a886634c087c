#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "graph/cut.h"
#include "pages/inspect_page.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct InspectArgs : Common {
  ModelArgs model;
  std::filesystem::path html;
  bool all = false, layers = false;
};

Json ToJson(const Port& port) {
  return {{"name", port.name},
          {"shape", std::vector<int64_t>(port.shape.begin(), port.shape.end())},
          {"dtype", DTypeName(port.dtype)}};
}

Json ToJson(const std::vector<Port>& ports) {
  Json list = Json::array();
  for (const Port& port : ports) list.push_back(ToJson(port));
  return list;
}

Json ToJson(const Cut& cut) {
  Json tensors = Json::array();
  for (const Port& port : cut.tensors) {
    Json tensor = ToJson(port);
    tensor["bytes"] = port.Bytes().value_or(0);
    tensors.push_back(std::move(tensor));
  }
  return {{"index", cut.index < 0 ? Json() : Json(cut.index)},
          {"name", cut.name},
          {"alias", cut.alias.empty() ? Json() : Json(cut.alias)},
          {"id", fmt::format("{:016x}", cut.id)},
          {"tensors", std::move(tensors)},
          {"bytes", cut.bytes},
          {"edge_madds", cut.edge_madds},
          {"cloud_madds", cut.cloud_madds},
          {"edge_params", cut.edge_params},
          {"edge_weight_bytes", cut.edge_weight_bytes},
          {"cloud_weight_bytes", cut.cloud_weight_bytes},
          {"edge_layers", cut.edge_nodes},
          {"dominated", cut.dominated},
          {"data_dependent", cut.data_dependent}};
}

Json ToJson(const ModelContract& contract) {
  Json outputs = Json::array();
  for (const OutputMeaning& output : contract.outputs) {
    outputs.push_back({{"name", output.tensor},
                       {"kind", NameOf(output.kind)},
                       {"classes", output.classes},
                       {"probabilities", output.probabilities}});
  }
  Json fixed = Json::object();
  for (const FixedInput& input : contract.fixed) fixed[input.tensor] = input.values;
  const PictureInput& p = contract.picture;
  Json picture = {{"name", p.tensor},
                  {"channels", p.channels},
                  {"width", p.width},
                  {"height", p.height},
                  {"channels_last", p.channels_last},
                  {"batch", p.batched ? Json(p.batch) : Json()},
                  {"dtype", DTypeName(p.dtype)}};
  const bool pictures = contract.takes_pictures();
  return {{"picture", pictures ? std::move(picture) : Json()},
          {"no_picture", pictures ? Json() : Json(contract.no_picture->message)},
          {"constants", std::move(fixed)},
          {"outputs", std::move(outputs)},
          {"judged", contract.judged},
          {"layout", contract.layout ? Json(NameOf(*contract.layout)) : Json()},
          {"layout_guessed", contract.guessed}};
}

Json ToJson(const ModelArgs& args, const Network& network, const std::vector<Cut>& cuts) {
  const Model& model = network.model;
  Json layers = Json::array();
  for (const Node& node : model.nodes()) {
    Json outputs = Json::array();
    for (const int id : node.outputs) outputs.push_back(ToJson(model.activations()[id].port));
    layers.push_back({{"name", node.name},
                      {"op", node.op},
                      {"outputs", std::move(outputs)},
                      {"madds", node.madds},
                      {"madds_at_least", node.madds_at_least},
                      {"params", node.params},
                      {"weight_bytes", node.weight_bytes},
                      {"block", node.block < 0 ? Json() : Json(node.block)}});
  }
  Json list = Json::array();
  for (const Cut& cut : cuts) list.push_back(ToJson(cut));
  return {{"model",
           {{"path", args.path.string()},
            {"sha256", ToHex(model.hash())},
            {"opset", model.opset()},
            {"nodes", model.nodes().size()},
            {"params", model.params()},
            {"weight_bytes", model.weight_bytes()},
            {"madds", model.madds()},
            {"madds_at_least", model.madds_at_least()},
            {"inputs", ToJson(model.inputs())},
            {"outputs", ToJson(model.outputs())},
            {"contract", ToJson(network.contract)}}},
          {"layers", std::move(layers)},
          {"cuts", std::move(list)}};
}

/// So much of the work at most is before a cut that is worth naming: behind the last layers little
/// is left to give away.
constexpr double kMostWork = 0.9;

/// The cut with so much work before it where the fewest bytes cross; null where there is none.
const Cut* NarrowestOf(const Model& model, const std::vector<Cut>& cuts) {
  const Cut* narrowest = nullptr;
  for (const Cut& cut : cuts) {
    const bool before = narrowest == nullptr || cut.bytes < narrowest->bytes;
    const bool early =
        static_cast<double>(cut.edge_madds) <= kMostWork * static_cast<double>(model.madds());
    if (cut.is_split() && !cut.data_dependent && early && before) narrowest = &cut;
  }
  return narrowest;
}

/// What the table comes to, and what to do next.
std::string Conclusion(const std::string& path, const Model& model, const std::vector<Cut>& cuts) {
  std::string text = "\n";
  const Cut* const cut = NarrowestOf(model, cuts);
  if (cut != nullptr && model.madds() > 0) {
    text += fmt::format(
        "With at most {:.0f} % of the work on the device, the fewest bytes cross at cut {}{}: {} "
        "before any codec, behind {:.0f} %.\n",
        100 * kMostWork, cut->index < 0 ? cut->name : std::to_string(cut->index),
        cut->alias.empty() ? "" : " · " + cut->alias, HumanBytes(static_cast<double>(cut->bytes)),
        100 * static_cast<double>(cut->edge_madds) / static_cast<double>(model.madds()));
  }
  return text + fmt::format(
                    "Next, what codecs make of it, and where the line should run (every layer: "
                    "--layers):\n"
                    "  fogline calibrate {0} --images PICTURES\n"
                    "  fogline plan {0} --edge raspberry-pi-4 --cloud t2.micro --link 4g\n",
                    path);
}

void Print(const InspectArgs& args, const Network& network, const std::vector<Cut>& cuts) {
  const std::string path = args.model.path.string();
  const TextStyle style = StdoutStyle();
  const Model& model = network.model;
  std::string about = fmt::format(
      "{}: opset {}, {} layers, {} parameters, {}{} MAdds, {}\n", path, model.opset(),
      model.nodes().size(), HumanCount(static_cast<double>(model.params())),
      model.madds_at_least() ? "at least " : "", HumanCount(static_cast<double>(model.madds())),
      HumanBytes(static_cast<double>(model.bytes().size())));
  for (const Port& port : model.inputs()) about += fmt::format("  in   {}\n", Describe(port));
  for (const Port& port : model.outputs()) about += fmt::format("  out  {}\n", Describe(port));
  about += fmt::format("  {}\n", network.contract.ToString());
  fmt::print("{}", FitLines(about, style.width));
  if (args.layers) fmt::print("\n{}", LayerTable(model).ToText(style));
  fmt::print("\n{}{}", CutTable(model, cuts, &style).ToText(style),
             FitLines(Conclusion(path, model, cuts), style.width));
}

Status Inspect(const InspectArgs& args) {
  FOGLINE_TRY(const Network network, ReadNetwork(args.model));
  const Model& model = network.model;
  CutOptions options;
  options.all = args.all;
  FOGLINE_TRY(const std::vector<Cut> cuts, ListCuts(model, options));
  if (!args.html.empty()) {
    FOGLINE_CHECK(
        WriteFile(args.html, InspectPage(args.model.path.filename().string(), model, cuts)));
  }
  if (args.json) {
    fmt::print("{}\n", Dump(ToJson(args.model, network, cuts)));
  } else if (args.html.empty()) {
    Print(args, network, cuts);
  } else {
    fmt::print("{}: {} cuts, written to {}\n", args.model.path.string(), cuts.size(),
               args.html.string());
  }
  return {};
}

}  // namespace

void AddInspect(CommandLine& line) {
  Command command = line.Add("inspect", "Shows a network's layers and every cut");
  auto args = std::make_shared<InspectArgs>();
  AddModelArgs(command, args->model);
  command.Add("--html", args->html, "write a page with the charts to this file").Type("FILE");
  command.AddFlag("--layers", args->layers, "list every layer too");
  command.AddFlag("--all", args->all, "list cuts too that others dominate (may be very many)");
  AddCommon(command, *args);
  command
      .Example("fogline inspect models/litter.onnx",
               "every cut: what crosses, and how the work is shared out")
      .Example("fogline inspect mine.onnx --shape image=1x3x224x224 --html cuts.html",
               "a network with open dimensions, as a page with charts");
  SetAction(command, args, [args] { return Inspect(*args); });
}

}  // namespace fogline::cli
