// What a Model holds, for the files of this room only: the one header that knows ONNX's protobuf.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "graph/cut.h"
#include "graph/lift.h"
#include "graph/model.h"

namespace fogline {

/// Where a constant tensor comes from. Exactly one is ≥ 0.
struct ConstantSource {
  int initializer = -1;  // graph.initializer
  int sparse = -1;       // graph.sparse_initializer
  int node = -1;         // graph.node: computes it from other constants
};

/// A constant tensor that layers read.
struct Constant {
  Port port;
  int64_t params = 0;  // its elements, 0 for settings such as shapes, axes and clip bounds
  int64_t bytes = 0;   // of these, as stored
};

/// The cuts that ListCuts gives without options, made when first asked for.
struct UsualList {
  mutable std::once_flag once;
  mutable std::vector<Cut> cuts;
};

struct ModelData {
  std::string where;
  std::filesystem::path path;
  std::vector<MappedFile>
      files;  // the model's and those of external weights: lifted views point in
  std::vector<std::byte> memory;     // instead of the first file, for a model parsed from memory
  std::span<const std::byte> bytes;  // the model's, in one of the two
  Sha256 hash{};
  int64_t opset = 0;
  bool rewritten = false;
  bool one_size = false;  // open dimensions were closed: halves are right for these sizes alone

  onnx::ModelProto proto;             // without the data that `weights` points to
  std::vector<LiftedWeight> weights;  // by initialiser
  std::deque<std::string> headers;    // record headers of external weights, which weights point to

  std::unordered_map<std::string, ConstantSource> constants;
  std::unordered_map<std::string, int> activation_index;
  std::vector<Constant> read_constants;  // those that layers read
  std::unordered_map<std::string, int> read_constant_index;
  std::unordered_map<std::string, TensorType> open_types;  // with open dimensions kept

  std::vector<Port> inputs, outputs;
  std::vector<Node> nodes;
  std::vector<int> proto_nodes;  // nodes[i] is proto.graph().node(proto_nodes[i])
  std::vector<int> proto_order;  // all of proto.graph().node() in a topological order
  std::vector<std::vector<int>> node_constants;  // read_constants of nodes[i], captured ones too
  std::vector<Activation> activations;
  std::vector<Block> blocks;
  std::vector<std::string> assumptions;
  int64_t madds = 0;
  bool madds_at_least = false;
  int64_t params = 0;
  int64_t weight_bytes = 0;

  UsualList usual;
};

/// Fills nodes, activations (names and edges, no types) and constants from the protobuf.
Status BuildTopology(ModelData& data);

/// Fills types and shapes of everything by asking `types`.
Status TypeTensors(ModelData& data, const ShapeSource& types, const LoadOptions& options);

/// Fills types and sizes of the constants in, those that nodes make by `known`.
void FillConstants(ModelData& data, std::map<std::string, TensorType>& known);

/// Makes constants of the shapes that layers ask for (Shape, Size) of tensors whose shape is
/// `certain`, and builds the topology anew: what is reckoned from them is then constant too. False,
/// with nothing changed, where there are none, or where no layer would be left.
Result<bool> FoldShapes(ModelData& data,
                        const std::function<std::optional<Shape>(const std::string&)>& certain);

/// Takes weights in external files into `data.weights`, mapped from `folder`.
Status MapExternalWeights(ModelData& data, const std::filesystem::path& folder);

/// Refuses a Git LFS pointer, which stands where a file is that was not fetched.
Status CheckFetched(std::span<const std::byte> bytes, const std::string& file);

/// Refuses initialisers whose data is not what their shape promises.
Status CheckWeights(const ModelData& data);

/// Names that a node reads: its own inputs, then what its subgraphs capture from outside.
std::vector<std::string> NamesRead(const onnx::NodeProto& node);

/// Names that any node reads, and the outputs.
std::unordered_set<std::string> NamesRead(const onnx::GraphProto& graph);

/// Makes constants of the inputs that `options.fixed` names, so that nothing else need know that
/// they were inputs. kUsage for a name or a number of values that does not fit.
Status FixInputs(ModelData& data, const LoadOptions& options);

/// Takes away the outputs that `options.without` names, and the layers that led to them alone.
/// kUsage for a name that is no output, and where none would be left.
Status LeaveOutOutputs(ModelData& data, const LoadOptions& options);

/// "layer 'x' (Conv)": how errors name a node.
std::string Describe(const onnx::NodeProto& node);
std::string NodeName(const onnx::NodeProto& node);

/// Serialises `model`, whose graph holds no initialisers, with those of `data` chosen by index put
/// back, weights and all.
Result<std::string> WriteModel(const ModelData& data, const onnx::ModelProto& model,
                               const std::vector<int>& initializers);

}  // namespace fogline
