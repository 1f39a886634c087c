#include "cli/model_args.h"

#include "vision/network.h"

namespace fogline::cli {
namespace {

Result<LoadOptions> ParseShapes(const ModelArgs& args) {
  LoadOptions options;
  for (const std::string& text : args.shapes) {
    const size_t equals = text.rfind('=');
    const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
    auto shape = ParseShape(equals == std::string::npos ? text : text.substr(equals + 1));
    if (!shape) {
      return Fail(ErrorCode::kUsage, "--shape " + text, "{}", shape.error().message);
    }
    if (!options.shapes.try_emplace(name, *shape).second) {
      return Fail(ErrorCode::kUsage, "--shape " + text, "is the second shape for the same input");
    }
  }
  return options;
}

}  // namespace

void AddModelArgs(CLI::App& command, ModelArgs& args) {
  command.add_option("MODEL", args.path, "an ONNX model")->required();
  command
      .add_option("--shape", args.shapes,
                  "shape of an input with open dimensions, as in image=1x3x160x160")
      ->type_name("INPUT=SHAPE");
}

Result<Model> LoadModel(const ModelArgs& args) {
  FOGLINE_TRY(LoadOptions options, ParseShapes(args));
  FOGLINE_TRY(const DeclaredPorts declared, ReadPorts(args.path));
  if (const auto unnamed = options.shapes.find(""); unnamed != options.shapes.end()) {
    if (declared.inputs.size() != 1 || options.shapes.size() != 1) {
      return Fail(ErrorCode::kUsage, "--shape " + unnamed->second.ToString(),
                  "needs the input's name in front: {} has {} inputs", args.path.string(),
                  declared.inputs.size());
    }
    options.shapes = {{declared.inputs[0].name, unnamed->second}};
  }
  return fogline::LoadModel(args.path, std::move(options));
}

std::string Describe(const Port& port) {
  return fmt::format("{} {} {}", port.name, DTypeName(port.dtype), port.shape.ToString());
}

}  // namespace fogline::cli
