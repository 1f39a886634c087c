// Small ONNX models, written out node by node: for the tests of this room.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fogline::test {

/// Builds one model; every call adds to it. Weights get small values that differ from each other.
class TestModel {
 public:
  explicit TestModel(int64_t opset = 13, int64_t ir_version = 7);

  /// A dimension that is not a number is symbolic; "" leaves it open without a name.
  TestModel& Input(const std::string& name, const std::vector<std::string>& dims,
                   int dtype = onnx::TensorProto::FLOAT);
  TestModel& Output(const std::string& name, int dtype = onnx::TensorProto::FLOAT);
  TestModel& Weight(const std::string& name, const std::vector<int64_t>& dims, float scale = 0.1F);
  TestModel& Ints(const std::string& name, const std::vector<int64_t>& values);
  /// The node is the last one added, to be given attributes.
  onnx::NodeProto& Node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& name = "");
  /// Conv with weights of its own: [out, in / group, k, k], same padding.
  TestModel& Conv(const std::string& input, const std::string& output, int64_t in, int64_t out,
                  int64_t k = 3, int64_t group = 1, int64_t stride = 1);

  onnx::ModelProto& proto() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  std::vector<std::byte> Bytes() const;

 private:
  onnx::ModelProto model_;
};

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value);
void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);

}  // namespace fogline::test
