// The builder itself: its name keeps it out of the library and in the tests.
#include "graph/test_model.h"

#include <cstring>
#include <span>

namespace fogline::test {
namespace {

void FillType(onnx::ValueInfoProto& info, const std::vector<std::string>& dims, int dtype) {
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(dtype);
  auto* shape = tensor->mutable_shape();
  for (const std::string& dim : dims) {
    auto* to = shape->add_dim();
    if (!dim.empty() && dim.find_first_not_of("0123456789") == std::string::npos) {
      to->set_dim_value(std::stoll(dim));
    } else if (!dim.empty()) {
      to->set_dim_param(dim);
    }
  }
}

}  // namespace

TestModel::TestModel(int64_t opset, int64_t ir_version) {
  model_.set_ir_version(ir_version);
  auto* import = model_.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  graph().set_name("test");
}

TestModel& TestModel::Input(const std::string& name, const std::vector<std::string>& dims,
                            int dtype) {
  auto* input = graph().add_input();
  input->set_name(name);
  FillType(*input, dims, dtype);
  return *this;
}

TestModel& TestModel::Output(const std::string& name, int dtype) {
  auto* output = graph().add_output();
  output->set_name(name);
  output->mutable_type()->mutable_tensor_type()->set_elem_type(dtype);
  return *this;
}

TestModel& TestModel::Weight(const std::string& name, const std::vector<int64_t>& dims,
                             float scale) {
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  int64_t count = 1;
  for (const int64_t d : dims) {
    tensor->add_dims(d);
    count *= d;
  }
  std::string raw(static_cast<size_t>(count) * sizeof(float), '\0');
  uint32_t state = static_cast<uint32_t>(std::hash<std::string>()(name));
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    const float value = scale * (static_cast<float>(state >> 8) / 8388608.0F - 1.0F);
    std::memcpy(raw.data() + i * static_cast<int64_t>(sizeof value), &value, sizeof value);
  }
  tensor->set_raw_data(raw);
  return *this;
}

TestModel& TestModel::Ints(const std::string& name, const std::vector<int64_t>& values) {
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::INT64);
  tensor->add_dims(static_cast<int64_t>(values.size()));
  for (const int64_t value : values) tensor->add_int64_data(value);
  return *this;
}

onnx::NodeProto& TestModel::Node(const std::string& op, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs, const std::string& name) {
  auto* node = graph().add_node();
  node->set_op_type(op);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  return *node;
}

TestModel& TestModel::Conv(const std::string& input, const std::string& output, int64_t in,
                           int64_t out, int64_t k, int64_t group, int64_t stride) {
  Weight(output + "_w", {out, in / group, k, k});
  auto& node = Node("Conv", {input, output + "_w"}, {output}, output + "_conv");
  SetInt(node, "group", group);
  SetInts(node, "pads", {k / 2, k / 2, k / 2, k / 2});
  SetInts(node, "strides", {stride, stride});
  return *this;
}

std::vector<std::byte> TestModel::Bytes() const {
  const std::string text = model_.SerializeAsString();
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute->add_ints(value);
}

}  // namespace fogline::test
