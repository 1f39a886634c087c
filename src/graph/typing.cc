// Types and shapes of every tensor, asked of the engine: whatever it can run, it can type, which no
// separate shape inference keeps up with.
#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/text.h"
#include "graph/body_madds.h"
#include "graph/madds.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

using Types = std::map<std::string, TensorType>;

/// Operators whose output shape depends on values. What follows from them is an example only.
bool ShapesByValue(const std::string& op) {
  static constexpr std::array kOps = {
      "NonZero", "NonMaxSuppression", "Unique", "Compress", "Loop", "Scan", "If"};
  return std::ranges::find(kOps, op) != kOps.end();
}

constexpr int64_t kPictureChannels = 4;  // RGB and alpha at most

class Typer {
 public:
  Typer(ModelData& data, const ShapeSource& source, const LoadOptions& options)
      : data_(data), source_(source), options_(options) {}

  Status Type() {
    FOGLINE_CHECK(FixInputs());
    FOGLINE_CHECK(AskEngine());
    FOGLINE_CHECK(Fold());
    FillConstants(data_, known_);
    FillActivations();
    return {};
  }

 private:
  /// Decides the shape of every input, with what is open chosen.
  Status FixInputs() {
    std::vector<std::string> names;
    for (const Activation& a : data_.activations) {
      if (a.producer < 0) names.push_back(a.port.name);
    }
    const auto known = [&](const std::string& name, const char* what) -> Status {
      if (std::ranges::find(names, name) != names.end()) return {};
      return Fail(ErrorCode::kUsage, data_.where, "has no input '{}' to give a {}{}", name, what,
                  DidYouMean(name, names));
    };
    for (const auto& [name, shape] : options_.shapes) FOGLINE_CHECK(known(name, "shape"));
    for (const auto& [name, values] : options_.values) FOGLINE_CHECK(known(name, "value"));
    SizeSymbols();
    for (const auto& input : data_.proto.graph().input()) {
      if (data_.constants.contains(input.name())) continue;
      if (!input.type().has_tensor_type()) {
        return Fail(ErrorCode::kUnsupported, data_.where, "input '{}' is not a tensor",
                    input.name());
      }
      const auto& type = input.type().tensor_type();
      const auto given = options_.shapes.find(input.name());
      Shape shape;
      if (given != options_.shapes.end()) {
        shape = given->second;
      } else if (!type.has_shape()) {
        return Fail(ErrorCode::kUsage, data_.where,
                    "input '{}' declares no shape: give --shape {}=…", input.name(), input.name());
      }
      if (type.has_shape()) {
        FOGLINE_TRY(shape,
                    FitShape(input.name(), type.shape(), shape, given != options_.shapes.end()));
      } else {
        any_open_ = true;
      }
      if (!shape.IsStatic()) {
        return Fail(ErrorCode::kUsage, data_.where, "--shape {}={} leaves a dimension open",
                    input.name(), shape.ToString());
      }
      fixed_[input.name()] = shape;
      data_.inputs.push_back({input.name(), static_cast<DType>(type.elem_type()), shape});
    }
    return {};
  }

  /// One size for each name of an open dimension: what --shape says of it for any input, else 1
  /// where it is a batch and the size of pictures where it is not.
  void SizeSymbols() {
    for (const auto& input : data_.proto.graph().input()) {
      if (data_.constants.contains(input.name())) continue;
      const auto& dims = input.type().tensor_type().shape().dim();
      const auto given = options_.shapes.find(input.name());
      const bool fits = given != options_.shapes.end() &&
                        given->second.rank() == static_cast<size_t>(dims.size());
      for (int d = 0; d < dims.size(); ++d) {
        const std::string& name = dims[d].dim_param();
        if (name.empty()) continue;
        const auto [symbol, fresh] = symbols_.try_emplace(name, SymbolSize{1, false});
        const int64_t asked = fits ? given->second[static_cast<size_t>(d)] : -1;
        if (asked >= 0 && !symbol->second.given) {
          symbol->second = {asked, true};
        } else if (!symbol->second.given && d > 0 && !IsBatch(name)) {
          symbol->second.size = options_.open_size;
        }
      }
    }
  }

  static bool IsBatch(std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name == "bs" || name.find("batch") != std::string::npos;
  }

  Result<Shape> FitShape(const std::string& name, const onnx::TensorShapeProto& declared,
                         const Shape& given, bool is_given) {
    const auto rank = static_cast<size_t>(declared.dim_size());
    if (rank > Shape::kMaxRank) {
      return Fail(ErrorCode::kUnsupported, data_.where, "input '{}' has {} dimensions", name, rank);
    }
    if (is_given && given.rank() != rank) {
      return Fail(ErrorCode::kUsage, data_.where,
                  "--shape {}={} has {} dimensions where the input has {}", name, given.ToString(),
                  given.rank(), rank);
    }
    std::array<int64_t, Shape::kMaxRank> dims{};
    bool guessed = false;
    for (size_t d = 0; d < rank; ++d) {
      const auto& dim = declared.dim(static_cast<int>(d));
      const bool open = !dim.has_dim_value() || dim.dim_value() < 0;
      any_open_ |= open;
      const int64_t asked = is_given ? given[d] : -1;
      const auto same = symbols_.find(open ? dim.dim_param() : std::string());
      const int64_t guess = same != symbols_.end() ? same->second.size
                            : d == 0               ? 1
                                                   : options_.open_size;
      if (!open && asked >= 0 && asked != dim.dim_value()) {
        return Fail(ErrorCode::kUsage, data_.where,
                    "--shape {}={} does not fit: dimension {} of the input is fixed at {}", name,
                    given.ToString(), d, dim.dim_value());
      }
      dims[d] = !open ? dim.dim_value() : asked >= 0 ? asked : guess;
      const bool is_guess = open && asked < 0 && (same == symbols_.end() || !same->second.given);
      if (is_guess) guesses_.insert(name);
      if (is_guess && guess != 1) {
        guessed = true;
        data_.assumptions.push_back(fmt::format(
            "{}: {} = {}", name,
            dim.dim_param().empty() ? fmt::format("dimension {}", d) : dim.dim_param(), guess));
      }
    }
    // A picture's size can be guessed, that of a tensor within a network cannot: a suffix that
    // `split` wrote, taken at 224 x 224, would be a thousand times the work it is.
    const bool picture = rank != 4 || dims[1] <= kPictureChannels || dims[3] <= kPictureChannels;
    if (guessed && !picture) {
      return Fail(ErrorCode::kUsage, data_.where,
                  "the size of input '{}' is open, and with {} channels it is no picture: give "
                  "--shape {}=1x{}xHEIGHTxWIDTH",
                  name, dims[1], name, dims[1]);
    }
    return Shape(std::span<const int64_t>(dims.data(), rank));
  }

  /// The model with the tensors `wanted` as its outputs. `stand_ins`: bulky weights become inputs,
  /// since only their shapes matter for the shapes of others.
  Result<std::string> Probe(const std::vector<std::string>& wanted, bool fixed, bool stand_ins) {
    onnx::ModelProto probe = data_.proto;
    probe.clear_training_info();
    probe.clear_metadata_props();
    auto* graph = probe.mutable_graph();
    graph->clear_initializer();
    graph->clear_output();
    graph->clear_value_info();
    graph->clear_quantization_annotation();
    for (const std::string& name : wanted) graph->add_output()->set_name(name);
    std::set<std::string> listed;
    for (auto& input : *graph->mutable_input()) {
      listed.insert(input.name());
      const auto shape = fixed_.find(input.name());
      if (!fixed || shape == fixed_.end()) continue;
      auto* dims = input.mutable_type()->mutable_tensor_type()->mutable_shape();
      dims->clear_dim();
      for (const int64_t d : shape->second) dims->add_dim()->set_dim_value(d);
    }
    std::vector<int> kept;
    const auto& initializers = data_.proto.graph().initializer();
    for (int i = 0; i < initializers.size(); ++i) {
      const auto& tensor = initializers.Get(i);
      if (!stand_ins || data_.weights[i].size() < kLiftedFrom) {
        kept.push_back(i);
      } else if (listed.insert(tensor.name()).second) {
        auto* input = graph->add_input();
        input->set_name(tensor.name());
        auto* type = input->mutable_type()->mutable_tensor_type();
        type->set_elem_type(tensor.data_type());
        for (const int64_t d : tensor.dims()) {
          type->mutable_shape()->add_dim()->set_dim_value(d);
        }
      }
    }
    return WriteModel(data_, probe, kept);
  }

  Result<Types> Ask(const std::vector<std::string>& wanted, bool fixed, bool run,
                    bool needs_values) {
    static const std::map<std::string, RunInput> kNoRun;
    std::map<std::string, RunInput> inputs;
    for (const auto& [name, shape] : fixed_) {
      const auto values = options_.values.find(name);
      inputs[name] = {shape,
                      values == options_.values.end() ? std::vector<double>() : values->second};
    }
    const auto ask = [&](bool stand_ins) -> Result<Types> {
      FOGLINE_TRY(const std::string model, Probe(wanted, fixed, stand_ins));
      return source_(std::as_bytes(std::span(model.data(), model.size())), run ? inputs : kNoRun);
    };
    if (!needs_values) {
      if (auto types = ask(true)) return types;
      // Some kernels insist on constant weights.
    }
    auto types = ask(false);
    if (!types) types.error().where = data_.where;
    return types;
  }

  /// Where sizes were guessed, a failure may be the guess's: then it says so and what to give.
  Result<Types> Hinted(Result<Types> types) const {
    if (types || guesses_.empty() || types.error().code == ErrorCode::kUsage) return types;
    std::string guessed, flags;
    for (const std::string& name : guesses_) {
      const std::string& shape = fixed_.at(name).ToString();
      guessed += fmt::format("{}{} as {}", guessed.empty() ? "" : ", ", name, shape);
      flags += fmt::format(" --shape {}=…", name);
    }
    return Fail(
        ErrorCode::kUsage, data_.where,
        "does not run with the sizes that were guessed for its open dimensions ({}): give{}; "
        "the engine says: {}",
        guessed, flags, types.error().message);
  }

  Status AskEngine() {
    std::vector<std::string> wanted;
    for (const int i : data_.proto_order) {
      for (const std::string& name : data_.proto.graph().node(i).output()) {
        if (!name.empty()) wanted.push_back(name);
      }
    }
    if (any_open_) {
      FOGLINE_TRY(open_, Ask(wanted, false, false, false));
    }
    FOGLINE_TRY(known_, Hinted(Ask(wanted, true, false, false)));

    // Tensors that hang on values, not only on shapes.
    std::set<int> by_value;
    bool any_by_value = false;
    for (const Node& node : data_.nodes) {
      const bool taints = ShapesByValue(node.op) || std::ranges::any_of(node.inputs, [&](int id) {
                            return by_value.contains(id);
                          });
      any_by_value |= taints;
      if (taints) by_value.insert(node.outputs.begin(), node.outputs.end());
    }

    std::vector<std::string> unknown;
    int64_t bytes = 0;
    for (const std::string& name : wanted) {
      const TensorType& type = known_[name];
      if (type.dtype == DType::kUndefined) continue;
      if (type.has_shape && type.shape.IsStatic()) {
        bytes += Port{name, type.dtype, type.shape}.Bytes().value_or(0);
        continue;
      }
      unknown.push_back(name);
      if (const int id = Find(name); id >= 0 && by_value.contains(id)) by_value_.insert(name);
    }
    if (unknown.empty()) return {};
    constexpr int64_t kMostToRun = int64_t{4} << 30;
    if (bytes > kMostToRun) {
      return Fail(ErrorCode::kExhausted, data_.where,
                  "must run once to find the shape of '{}', which would take {}: give a smaller "
                  "--shape",
                  unknown.front(), HumanBytes(static_cast<double>(bytes)));
    }
    FOGLINE_TRY(Types ran, Hinted(Ask(unknown, true, true, any_by_value)));
    for (const std::string& name : unknown) known_[name] = ran[name];
    return {};
  }

  /// Arithmetic on shapes that are certain for these inputs is done for good: its tensors are no
  /// activations, and never cross.
  Status Fold() {
    const auto certain = [this](const std::string& name) -> std::optional<Shape> {
      if (const auto input = fixed_.find(name); input != fixed_.end()) return input->second;
      const auto type = known_.find(name);
      if (type == known_.end() || by_value_.contains(name)) return std::nullopt;
      return type->second.has_shape && type->second.shape.IsStatic()
                 ? std::optional(type->second.shape)
                 : std::nullopt;
    };
    FOGLINE_TRY(const bool folded, FoldShapes(data_, certain));
    // What was open in the file is no longer: the layers behind are right for these sizes alone.
    data_.one_size = folded && any_open_;
    return {};
  }

  int Find(const std::string& name) const {
    const auto found = data_.activation_index.find(name);
    return found == data_.activation_index.end() ? -1 : found->second;
  }

  void FillActivations() {
    for (Activation& a : data_.activations) {
      if (a.producer < 0) {
        a.port = *std::ranges::find(data_.inputs, a.port.name, &Port::name);
        continue;
      }
      const TensorType& type = known_[a.port.name];
      a.port.dtype = type.dtype;
      a.port.shape = type.shape;
      a.data_dependent = by_value_.contains(a.port.name);
      TensorType open = any_open_ && !data_.one_size ? open_[a.port.name] : type;
      if (any_open_ && !data_.one_size && !open.has_shape) {
        open = type;
        for (size_t d = 0; d < open.shape.rank(); ++d) open.shape[d] = -1;
        open.symbols.assign(open.shape.rank(), "");
      }
      if (a.data_dependent && (!any_open_ || data_.one_size)) {
        for (size_t d = 0; d < open.shape.rank(); ++d) open.shape[d] = -1;
      }
      data_.open_types[a.port.name] = std::move(open);
    }
    for (const auto& output : data_.proto.graph().output()) {
      if (const int id = Find(output.name()); id >= 0) {
        data_.outputs.push_back(data_.activations[id].port);
      } else {
        const TensorType& type = known_[output.name()];
        data_.outputs.push_back({output.name(), type.dtype, type.shape});
      }
    }
    for (size_t i = 0; i < data_.nodes.size(); ++i) {
      const Madds inside = CountBodies(data_, i, source_);
      data_.nodes[i].madds = CountMadds(data_, i) + inside.count;
      data_.nodes[i].madds_at_least = inside.at_least;
      data_.madds += data_.nodes[i].madds;
      data_.madds_at_least |= inside.at_least;
    }
  }

  ModelData& data_;
  const ShapeSource& source_;
  const LoadOptions& options_;
  struct SymbolSize {
    int64_t size = 1;
    bool given = false;
  };
  std::map<std::string, SymbolSize> symbols_;  // open dimensions that have a name
  std::set<std::string> guesses_;              // inputs with a dimension that nobody gave
  bool any_open_ = false;
  std::map<std::string, Shape> fixed_;
  Types open_, known_;
  std::set<std::string> by_value_;  // tensors whose shape the inputs' values decide
};

}  // namespace

Status TypeTensors(ModelData& data, const ShapeSource& types, const LoadOptions& options) {
  return Typer(data, types, options).Type();
}

}  // namespace fogline
