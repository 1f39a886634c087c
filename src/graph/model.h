// An ONNX model as a graph of layers: what each one costs and which tensors run between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// What an engine says of one tensor of a model.
struct TensorType {
  DType dtype = DType::kUndefined;   // kUndefined: no dense tensor (a sequence, an optional)
  Shape shape;                       // -1 where a dimension is open
  bool has_shape = false;            // false: not even the rank is known
  std::vector<std::string> symbols;  // a name or "" a dimension, as the model gives it ("batch")
};

/// One input of a run that finds shapes.
struct RunInput {
  Shape shape;
  std::vector<double> values;  // none: zeros; one: all elements; else one an element
};

/// Types every tensor of a model that has been rewritten to make each of them an output. With
/// `run_on` empty nothing is executed; otherwise it gives every input, and what stays open is found
/// by running the model once.
using ShapeSource = std::function<Result<std::map<std::string, TensorType>>(
    std::span<const std::byte> model_with_every_tensor_an_output,
    const std::map<std::string, RunInput>& run_on)>;

struct LoadOptions {
  /// Shapes for inputs whose dimensions are open, by input name. What is open and not given is 1
  /// for the first dimension (the batch) and `open_size` for the others; dimensions of one name are
  /// of one size.
  std::map<std::string, Shape> shapes;
  /// What inputs hold while shapes are found by running the model, where zeros would take another
  /// branch or make another shape.
  std::map<std::string, std::vector<double>> values;
  int64_t open_size = 224;
  /// Inputs that are none any more, by name: constants of these values, repeated where the input
  /// holds more of them. Empty for an input that nothing reads: it is left out.
  std::map<std::string, std::vector<double>> fixed;
  /// Outputs that are none, with the layers that nothing else needs: the heads of early exits,
  /// which would cross at every cut behind them.
  std::vector<std::string> without;
};

/// A tensor that depends on the model's inputs: what can cross from edge to cloud.
struct Activation {
  Port port;                    // shape as loaded (batch 1 unless given)
  int producer = -1;            // index in Model::nodes(); -1 for an input of the model
  std::vector<int> readers;     // indices in Model::nodes(), ascending, each once
  bool is_output = false;       // the model gives it as an output
  bool data_dependent = false;  // its shape depends on values (NonZero …): port.shape is an example

  /// Bytes of one such tensor; 0 when it is no dense tensor.
  int64_t bytes() const { return port.Bytes().value_or(0); }
};

/// One layer. Whatever depends on constants only (weights, Identity over weights, shapes in
/// Constant nodes) is no layer but part of the layers that read it.
struct Node {
  std::string name;  // the model's; the first output's name when it has none
  std::string op;    // "Conv"; with its domain unless it is ONNX's: "com.microsoft.FusedConv"
  std::vector<int> inputs;      // activations read, each once, those captured by subgraphs included
  std::vector<int> outputs;     // activations made
  int64_t madds = 0;            // multiply-accumulates of one run; see madds.h for the formulas
  bool madds_at_least = false;  // there are more: it holds what runs an unknown number of times
  int64_t params = 0;           // elements of the floating-point or quantised constants it reads
  int64_t weight_bytes = 0;  // of the same constants, as they are stored: int8 weights are 1 byte
  int block = -1;            // index in Model::blocks(), or -1
};

/// MobileNetV2's building block (Sandler et al. 2018, section 3.3 and figure 4): expand by 1x1,
/// depthwise k x k, project by 1x1 without an activation.
struct Block {
  bool residual = false;  // stride 1 with a shortcut: the paper's "inverted residual block"
  int output = -1;        // activation that leaves the block
};

/// Inputs and outputs as a model file declares them, open dimensions as -1.
struct DeclaredPorts {
  std::vector<Port> inputs;  // initialisers left out
  std::vector<Port> outputs;
  std::vector<std::string> unread;  // inputs that no layer and no output reads
};
/// Reads only these, without asking an engine: enough to learn which shapes to load a model with.
Result<DeclaredPorts> ReadPorts(const std::filesystem::path& path);

struct ModelData;

/// A loaded model. Immutable after Load(): any number of threads may read one Model, and copies
/// share their data. Holds the file mapped, and the weights stay there: only the structure is
/// parsed into memory.
class Model {
 public:
  /// Reads the structure from `path` and the tensors' types from `types`. kNotFound for a missing
  /// file, kInvalid for what is no model or contradicts itself (a cycle, a tensor that nothing
  /// makes; the node is named), kUnsupported for what the engine cannot run, kUsage for a shape
  /// that does not fit an input.
  static Result<Model> Load(const std::filesystem::path& path, const ShapeSource& types,
                            const LoadOptions& options = {});
  /// The same from memory; `where` names the model in errors. External weights are looked for
  /// in `folder`.
  static Result<Model> Parse(std::vector<std::byte> bytes, const std::string& where,
                             const ShapeSource& types, const LoadOptions& options = {},
                             const std::filesystem::path& folder = {});

  const std::string& where() const;
  /// Of all of its bytes, external weights too: its name on the wire and in bundles.
  const Sha256& hash() const;
  /// Size of the model file, without external weights.
  size_t file_bytes() const;
  /// The file's bytes, as long as a copy of this Model lives.
  std::span<const std::byte> bytes() const;
  /// The file that it was loaded from; empty for a model parsed from memory.
  const std::filesystem::path& path() const;
  /// Gives back the memory that holds the mapped weights until they are read again.
  void ReleasePages() const;
  /// True when weights lie in other files, so that bytes() alone is not the model.
  bool has_external_weights() const;
  /// True when this Model is not what its file says: it has layers in the place of local functions
  /// (engines have died of those), or inputs that became constants. SliceWhole writes what it is.
  bool rewritten() const;
  /// Of ONNX's own operator set; 0 when the model imports none.
  int64_t opset() const;

  /// In the model's order, initialisers left out; shapes as loaded, so without open dimensions.
  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  /// In a topological order that keeps the file's order wherever that is one.
  const std::vector<Node>& nodes() const;
  /// The model's inputs first, then the nodes' outputs in the order of nodes().
  const std::vector<Activation>& activations() const;
  const std::vector<Block>& blocks() const;
  /// Index in activations(), -1 for no such activation.
  int FindActivation(const std::string& name) const;
  int64_t madds() const;
  /// True when some layer has more than it says, so that madds() is the least there can be.
  bool madds_at_least() const;
  /// Elements of all the constants that layers read, each counted once.
  int64_t params() const;
  /// Bytes of the same constants by their own element types, before they are dequantised.
  int64_t weight_bytes() const;
  /// One line for each open dimension whose size was assumed: "image: height = 224".
  const std::vector<std::string>& assumptions() const;

  /// For the rest of this room, which alone knows what is inside.
  explicit Model(std::shared_ptr<const ModelData> data) : data_(std::move(data)) {}
  const ModelData& data() const { return *data_; }

 private:
  std::shared_ptr<const ModelData> data_;
};

}  // namespace fogline
