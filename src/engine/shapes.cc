#include "engine/shapes.h"

#include <vector>

#include "engine/ort.h"
#include "engine/trial.h"
#include "engine/zeros.h"

namespace fogline {
namespace {

using Types = std::map<std::string, TensorType>;

/// The engine invents names such as "unk__7" for dimensions that it cannot name.
bool IsInvented(std::string_view symbol) { return symbol.starts_with("unk__"); }

TensorType ToType(const Ort::TypeInfo& type) {
  TensorType to;
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return to;
  const auto info = type.GetTensorTypeAndShapeInfo();
  to.dtype = static_cast<DType>(info.GetElementType());
  const std::vector<int64_t> dims = info.GetShape();
  if (dims.size() > Shape::kMaxRank) {
    to.dtype = DType::kUndefined;  // more dimensions than a Shape holds: it cannot be handled
    return to;
  }
  to.shape = Shape(dims);
  // The engine reports an unknown rank as rank 0, so that a scalar must be looked at to be known.
  to.has_shape = !dims.empty();
  std::vector<const char*> symbols(dims.size());
  if (!dims.empty()) info.GetSymbolicDimensions(symbols.data(), symbols.size());
  for (const char* symbol : symbols) {
    to.symbols.emplace_back(symbol == nullptr || IsInvented(symbol) ? "" : symbol);
  }
  return to;
}

Status RunOnce(Ort::Session& session, const std::map<std::string, RunInput>& inputs, Types& types) {
  std::vector<std::string> names;
  for (const auto& [name, type] : types) names.push_back(name);
  FOGLINE_TRY(const auto out, RunOnZeros(session, names, inputs));
  for (size_t i = 0; i < out.size(); ++i) {
    if (!out[i].IsTensor()) continue;
    const auto info = out[i].GetTensorTypeAndShapeInfo();
    const std::vector<int64_t> dims = info.GetShape();
    if (dims.size() > Shape::kMaxRank) continue;
    TensorType& type = types[names[i]];
    type.dtype = static_cast<DType>(info.GetElementType());
    type.shape = Shape(dims);
    type.has_shape = true;
    type.symbols.resize(dims.size());
  }
  return {};
}

Result<Types> TypesOf(std::span<const std::byte> model,
                      const std::map<std::string, RunInput>& run_on) {
  constexpr const char* kWhere = "model";
  Tried tried{
      .path = {}, .bytes = model, .where = kWhere, .run = !run_on.empty(), .inputs = run_on};
  FOGLINE_CHECK(SafeLevel(tried, Level::kNone).map([](const Survived&) {}));
  try {
    Ort::SessionOptions to = ToEngine({}, Level::kNone);
    // One run of one model needs neither an arena nor a plan of its memory.
    to.DisableCpuMemArena();
    to.DisableMemPattern();
    Ort::Session session(Environment(), model.data(), model.size(), to);
    Types types;
    Ort::AllocatorWithDefaultOptions allocator;
    for (size_t i = 0; i < session.GetOutputCount(); ++i) {
      types[session.GetOutputNameAllocated(i, allocator).get()] =
          ToType(session.GetOutputTypeInfo(i));
    }
    if (!run_on.empty()) FOGLINE_CHECK(RunOnce(session, run_on, types));
    return types;
  } catch (const Ort::Exception& e) {
    return tl::unexpected<Error>(FromEngine(e, kWhere));
  } catch (const std::exception& e) {
    return tl::unexpected<Error>(FromThrown(e, kWhere));
  }
}

}  // namespace

ShapeSource EngineShapes() { return TypesOf; }

}  // namespace fogline
