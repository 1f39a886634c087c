// A network that is being rewritten: ONNX's graph with its weights, and who makes and reads what.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline::quantize {

/// A constant of floating-point numbers.
struct Numbers {
  std::vector<int64_t> dims;
  std::vector<float> values;
};

/// Not thread-safe. After nodes were added, removed or rewired, Reindex() before asking again.
class Net {
 public:
  /// kInvalid for what is no ONNX model.
  static Result<Net> Parse(const std::string& bytes, const std::string& where);

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  const onnx::GraphProto& graph() const { return model_.graph(); }
  const std::string& where() const { return where_; }

  void Reindex();
  /// Index of the node that makes a tensor; -1 for inputs and constants.
  int Producer(const std::string& tensor) const;
  /// Indices of the nodes that read it, ascending, each once.
  const std::vector<int>& Readers(const std::string& tensor) const;
  bool IsInput(const std::string& tensor) const { return inputs_.contains(tensor); }
  bool IsOutput(const std::string& tensor) const { return outputs_.contains(tensor); }
  bool IsConstant(const std::string& tensor) const { return constants_.contains(tensor); }
  /// Read by one node alone and no output: what makes it may be rewritten together with that node.
  bool ReadOnce(const std::string& tensor) const;

  /// A float32 constant's values; kNotFound for another tensor.
  Result<Numbers> Floats(const std::string& name) const;
  /// Makes or replaces a constant.
  void SetFloats(const std::string& name, const Numbers& numbers);
  void SetInts(const std::string& name, const std::vector<int64_t>& values);
  onnx::TensorProto& Constant(const std::string& name);
  /// A name that nothing has yet, `wanted` where it is free; it is taken from now on.
  std::string Unique(const std::string& wanted);

  /// Whoever reads `from`, the outputs excepted, reads `to`. Call Reindex() afterwards.
  void Rewire(const std::string& from, const std::string& to);
  /// Without these nodes and without the constants that nothing reads any more; reindexes.
  void Remove(const std::set<int>& nodes);

  /// kExhausted past the 2 GB of a file.
  Result<std::string> Write() const;

 private:
  onnx::ModelProto model_;
  std::string where_;
  std::map<std::string, int> producers_;
  std::map<std::string, std::vector<int>> readers_;
  std::map<std::string, int> constants_;
  std::set<std::string> inputs_, outputs_, taken_;
};

/// "layer 'x' (Conv)".
std::string Describe(const onnx::NodeProto& node);
/// The node's name, or its first output's.
const std::string& NameOf(const onnx::NodeProto& node);
/// An attribute, or null.
const onnx::AttributeProto* Attribute(const onnx::NodeProto& node, std::string_view name);
int64_t IntOf(const onnx::NodeProto& node, std::string_view name, int64_t otherwise);
float FloatOf(const onnx::NodeProto& node, std::string_view name, float otherwise);
std::vector<int64_t> IntsOf(const onnx::NodeProto& node, std::string_view name);
void DropAttribute(onnx::NodeProto& node, std::string_view name);
void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value);

}  // namespace fogline::quantize
