#include "quantize/net.h"

#include <fmt/format.h>

#include <cstring>

namespace fogline::quantize {

Result<Net> Net::Parse(const std::string& bytes, const std::string& where) {
  Net net;
  net.where_ = where;
  if (!net.model_.ParseFromString(bytes)) {
    return Fail(ErrorCode::kInvalid, where, "is no ONNX model");
  }
  net.Reindex();
  return net;
}

void Net::Reindex() {
  producers_.clear();
  readers_.clear();
  constants_.clear();
  inputs_.clear();
  outputs_.clear();
  const auto& g = graph();
  for (int i = 0; i < g.initializer_size(); ++i) constants_[g.initializer(i).name()] = i;
  for (const auto& port : g.input()) {
    if (!constants_.contains(port.name())) inputs_.insert(port.name());
  }
  for (const auto& port : g.output()) outputs_.insert(port.name());
  for (int i = 0; i < g.node_size(); ++i) {
    for (const std::string& name : g.node(i).output()) producers_[name] = i;
    for (const std::string& name : g.node(i).input()) {
      auto& readers = readers_[name];
      if (!name.empty() && (readers.empty() || readers.back() != i)) readers.push_back(i);
    }
  }
  for (const auto& [name, i] : producers_) taken_.insert(name);
  for (const auto& [name, i] : constants_) taken_.insert(name);
  taken_.insert(inputs_.begin(), inputs_.end());
}

int Net::Producer(const std::string& tensor) const {
  const auto found = producers_.find(tensor);
  return found == producers_.end() ? -1 : found->second;
}

const std::vector<int>& Net::Readers(const std::string& tensor) const {
  static const std::vector<int> kNone;
  const auto found = readers_.find(tensor);
  return found == readers_.end() ? kNone : found->second;
}

bool Net::ReadOnce(const std::string& tensor) const {
  return Readers(tensor).size() == 1 && !IsOutput(tensor);
}

Result<Numbers> Net::Floats(const std::string& name) const {
  const auto found = constants_.find(name);
  if (found == constants_.end() ||
      graph().initializer(found->second).data_type() != onnx::TensorProto::FLOAT) {
    return Fail(ErrorCode::kNotFound, where_, "has no float32 constant '{}'", name);
  }
  const auto& tensor = graph().initializer(found->second);
  Numbers numbers;
  numbers.dims.assign(tensor.dims().begin(), tensor.dims().end());
  if (tensor.has_raw_data()) {
    numbers.values.resize(tensor.raw_data().size() / sizeof(float));
    std::memcpy(numbers.values.data(), tensor.raw_data().data(),
                numbers.values.size() * sizeof(float));
  } else {
    numbers.values.assign(tensor.float_data().begin(), tensor.float_data().end());
  }
  return numbers;
}

onnx::TensorProto& Net::Constant(const std::string& name) {
  const auto found = constants_.find(name);
  if (found != constants_.end()) return *graph().mutable_initializer(found->second);
  constants_[name] = graph().initializer_size();
  taken_.insert(name);
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  return *tensor;
}

void Net::SetFloats(const std::string& name, const Numbers& numbers) {
  auto& tensor = Constant(name);
  tensor.Clear();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t d : numbers.dims) tensor.add_dims(d);
  tensor.set_raw_data(numbers.values.data(), numbers.values.size() * sizeof(float));
}

void Net::SetInts(const std::string& name, const std::vector<int64_t>& values) {
  auto& tensor = Constant(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  tensor.set_raw_data(values.data(), values.size() * sizeof(int64_t));
}

std::string Net::Unique(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

void Net::Rewire(const std::string& from, const std::string& to) {
  for (const int i : Readers(from)) {
    for (std::string& name : *graph().mutable_node(i)->mutable_input()) {
      if (name == from) name = to;
    }
  }
}

void Net::Remove(const std::set<int>& nodes) {
  google::protobuf::RepeatedPtrField<onnx::NodeProto> kept;
  std::set<std::string> read(outputs_.begin(), outputs_.end());
  for (int i = 0; i < graph().node_size(); ++i) {
    if (nodes.contains(i)) continue;
    kept.Add()->Swap(graph().mutable_node(i));
    const auto& inputs = kept[kept.size() - 1].input();
    read.insert(inputs.begin(), inputs.end());
  }
  graph().mutable_node()->Swap(&kept);
  google::protobuf::RepeatedPtrField<onnx::TensorProto> constants;
  for (auto& tensor : *graph().mutable_initializer()) {
    if (read.contains(tensor.name())) constants.Add()->Swap(&tensor);
  }
  graph().mutable_initializer()->Swap(&constants);
  Reindex();
}

Result<std::string> Net::Write() const {
  std::string bytes;
  if (!model_.SerializeToString(&bytes)) {
    return Fail(ErrorCode::kExhausted, where_, "is past the 2 GB of a file");
  }
  return bytes;
}

const std::string& NameOf(const onnx::NodeProto& node) {
  return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
}

std::string Describe(const onnx::NodeProto& node) {
  return fmt::format("layer '{}' ({})", NameOf(node), node.op_type());
}

const onnx::AttributeProto* Attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t IntOf(const onnx::NodeProto& node, std::string_view name, int64_t otherwise) {
  const auto* attribute = Attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->i();
}

float FloatOf(const onnx::NodeProto& node, std::string_view name, float otherwise) {
  const auto* attribute = Attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->f();
}

std::vector<int64_t> IntsOf(const onnx::NodeProto& node, std::string_view name) {
  const auto* attribute = Attribute(node, name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

void DropAttribute(onnx::NodeProto& node, std::string_view name) {
  for (int i = node.attribute_size(); i-- > 0;) {
    if (node.attribute(i).name() == name) node.mutable_attribute()->DeleteSubrange(i, 1);
  }
}

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value) {
  DropAttribute(node, name);
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

}  // namespace fogline::quantize
