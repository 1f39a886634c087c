#include "cli/model_args.h"

#include <charconv>
#include <optional>

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

/// A number, "true" or "false".
std::optional<double> ParseValue(std::string_view text) {
  if (text == "true") return 1;
  if (text == "false") return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status ParseValues(const ModelArgs& args, LoadOptions& options) {
  for (const std::string& text : args.values) {
    const auto bad = [&](const char* why) {
      return Fail(ErrorCode::kUsage, "--value " + text, "{}", why);
    };
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return bad("needs the input's name in front, as in use_big=true");
    }
    auto [at, fresh] = options.values.try_emplace(text.substr(0, equals));
    if (!fresh) return bad("is the second value for the same input");
    for (std::string_view rest = std::string_view(text).substr(equals + 1);;) {
      const size_t comma = rest.find(',');
      const auto value = ParseValue(rest.substr(0, comma));
      if (!value) return bad("is no number, true or false, nor a list of them: size=640,480");
      at->second.push_back(*value);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return {};
}

}  // namespace

void AddModelArgs(Command& command, ModelArgs& args) {
  command.Add("MODEL", args.path, "an ONNX model").Required();
  command
      .Add("--shape", args.shapes,
           "shape of an input with open dimensions, as in image=1x3x160x160")
      .Type("INPUT=SHAPE");
  command
      .Add("--value", args.values,
           "what an input holds where it decides a branch or a shape, as in use_big=true or "
           "size=640,480 (default: zeros)")
      .Type("INPUT=VALUE[,VALUE…]");
}

Result<Network> ReadNetwork(const ModelArgs& args) {
  FOGLINE_TRY(LoadOptions options, ParseShapes(args));
  FOGLINE_CHECK(ParseValues(args, options));
  FOGLINE_TRY(const DeclaredPorts declared, ReadPorts(args.path));
  if (const auto unnamed = options.shapes.find(""); unnamed != options.shapes.end()) {
    if (declared.inputs.size() != 1 || options.shapes.size() != 1) {
      return Fail(ErrorCode::kUsage, "--shape " + unnamed->second.ToString(),
                  "needs the input's name in front: {} has {} inputs", args.path.string(),
                  declared.inputs.size());
    }
    options.shapes = {{declared.inputs[0].name, unnamed->second}};
  }
  return fogline::ReadNetwork(args.path,
                              {.side = 0, .load = std::move(options), .in_memory = false});
}

std::string Describe(const Port& port) {
  return fmt::format("{} {} {}", port.name, DTypeName(port.dtype), port.shape.ToString());
}

}  // namespace fogline::cli
