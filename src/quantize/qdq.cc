#include "quantize/qdq.h"

#include <algorithm>
#include <cmath>

namespace fogline::quantize {
namespace {

/// Rows and columns changed places.
template <typename T>
std::vector<T> Transposed(const std::vector<T>& values, size_t rows, size_t columns) {
  std::vector<T> other(values.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) other[c * rows + r] = values[r * columns + c];
  }
  return other;
}

template <typename T>
void Fill(onnx::TensorProto& tensor, int type, const std::vector<int64_t>& dims,
          const std::vector<T>& values) {
  tensor.set_data_type(type);
  for (const int64_t d : dims) tensor.add_dims(d);
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
}

class Writer {
 public:
  Writer(Net& net, const Scheme& scheme, const std::map<std::string, Affine8>& ranges,
         const std::map<std::string, IntegerWeights>& weights)
      : net_(net), scheme_(scheme), ranges_(ranges), weights_(weights) {}

  Status Write() {
    for (const Linear& linear : scheme_.linears) linears_[linear.node] = &linear;
    std::set<int> dropped;
    for (const auto& [node, behind] : scheme_.absorbed) dropped.insert(behind);
    for (const auto& port : net_.graph().input()) {
      if (scheme_.tensors.contains(port.name())) Quantise(port.name(), port.name());
    }
    const auto nodes = net_.graph().node();
    for (int i = 0; i < nodes.size(); ++i) {
      if (dropped.contains(i)) continue;
      FOGLINE_CHECK(Put(nodes.Get(i), i));
    }
    net_.graph().mutable_node()->Swap(&out_);
    net_.graph().clear_value_info();
    net_.Reindex();
    net_.Remove({});
    return {};
  }

 private:
  Status Put(onnx::NodeProto node, int i) {
    const bool integer = scheme_.integer.contains(i);
    for (std::string& input : *node.mutable_input()) {
      const auto at = integers_.find(input);
      if (at == integers_.end() || (!integer && !from_integer_.contains(input))) continue;
      std::string read = input;
      read += "_read";
      const int64_t channels = integer ? 0 : ChannelsOf(node, input);
      input = channels > 0 ? Dequantise(at->second, ParamsOf(input, channels), net_.Unique(read), 1)
                           : Dequantise(at->second, ParamsOf(input), net_.Unique(read));
    }
    if (integer && linears_.contains(i)) FOGLINE_CHECK(PutWeights(node, *linears_.at(i)));
    if (!integer) {
      std::vector<std::string> outputs(node.output().begin(), node.output().end());
      *out_.Add() = std::move(node);
      for (const std::string& name : outputs) {
        if (scheme_.tensors.contains(name)) Quantise(name, name);
      }
      return {};
    }
    const std::string output = scheme_.OutputOf(net_, i);
    if (!scheme_.tensors.contains(output)) {
      *out_.Add() = std::move(node);
      return {};
    }
    const std::string sums = net_.Unique(output + "_float");
    node.set_output(0, sums);
    *out_.Add() = std::move(node);
    from_integer_.insert(output);
    Quantise(output, sums);
    if (net_.IsOutput(output)) Dequantise(integers_.at(output), ParamsOf(output), output);
    return {};
  }

  /// Of what a weighted layer that stays float reads; 0 for all else. Engines round the weights of
  /// such a layer to 8 bits with one scale, unasked, where its input comes from one scale (ONNX
  /// Runtime from 1.20 on, WeightBiasQuantization): with the same scale written once a channel they
  /// leave it alone.
  int64_t ChannelsOf(const onnx::NodeProto& node, const std::string& input) const {
    const std::string& op = node.op_type();
    if (op != "Conv" && op != "ConvTranspose" && op != "Gemm") return 0;
    if (node.input(0) != input) return 0;
    const auto weights = net_.Floats(node.input(1));
    if (!weights || weights->dims.size() < 2) return 0;
    if (op == "Conv") return weights->dims[1] * IntOf(node, "group", 1);
    if (op == "ConvTranspose") return weights->dims[0];
    if (IntOf(node, "transA", 0) != 0) return 0;
    return weights->dims[IntOf(node, "transB", 0) != 0 ? 1 : 0];
  }

  /// The same once a channel.
  std::pair<std::string, std::string> ParamsOf(const std::string& tensor, int64_t channels) {
    const std::string& root = scheme_.Root(tensor);
    const auto [at, fresh] = channel_params_.try_emplace({root, channels});
    if (!fresh) return at->second;
    const Affine8& range = ranges_.at(root);
    const auto count = static_cast<size_t>(channels);
    at->second = {net_.Unique(root + "_scales"), net_.Unique(root + "_zeros")};
    net_.SetFloats(at->second.first, {{channels}, std::vector<float>(count, range.scale)});
    Fill(net_.Constant(at->second.second), onnx::TensorProto::UINT8, {channels},
         std::vector<uint8_t>(count, range.zero));
    return at->second;
  }

  /// Scale and zero point of a tensor, as constants that all with that scale read.
  std::pair<std::string, std::string> ParamsOf(const std::string& tensor) {
    const std::string& root = scheme_.Root(tensor);
    const auto [at, fresh] = params_.try_emplace(root);
    if (!fresh) return at->second;
    const Affine8& range = ranges_.at(root);
    at->second = {net_.Unique(root + "_scale"), net_.Unique(root + "_zero")};
    net_.SetFloats(at->second.first, {{}, {range.scale}});
    Fill(net_.Constant(at->second.second), onnx::TensorProto::UINT8, {},
         std::vector<uint8_t>{range.zero});
    return at->second;
  }

  void Quantise(const std::string& tensor, const std::string& from) {
    const auto [scale, zero] = ParamsOf(tensor);
    auto* node = out_.Add();
    node->set_op_type("QuantizeLinear");
    node->set_name(net_.Unique(tensor + "_quantize"));
    for (const std::string& name : {from, scale, zero}) node->add_input(name);
    node->add_output(integers_[tensor] = net_.Unique(tensor + "_uint8"));
  }

  std::string Dequantise(const std::string& from, const std::pair<std::string, std::string>& params,
                         const std::string& to, int axis = -1) {
    auto* node = out_.Add();
    node->set_op_type("DequantizeLinear");
    node->set_name(net_.Unique(to + "_dequantize"));
    for (const std::string& name : {from, params.first, params.second}) {
      if (!name.empty()) node->add_input(name);
    }
    if (axis >= 0) SetInt(*node, "axis", axis);
    node->add_output(to);
    return to;
  }

  Status PutWeights(onnx::NodeProto& node, const Linear& linear) {
    const IntegerWeights& weights = weights_.at(linear.name);
    const auto dims = net_.Floats(linear.weights)->dims;
    const auto outputs = static_cast<int64_t>(linear.outputs);
    const std::string stem = net_.Unique(linear.name + "_w8");
    const std::string scale = stem + "_scale", zero = stem + "_zero";
    Fill(net_.Constant(stem), onnx::TensorProto::INT8, dims,
         linear.transposed ? Transposed(weights.values, linear.outputs, linear.inputs)
                           : weights.values);
    net_.SetFloats(scale, {{outputs}, weights.scales});
    Fill(net_.Constant(zero), onnx::TensorProto::INT8, {outputs},
         std::vector<int8_t>(linear.outputs, 0));
    node.set_input(1, Dequantise(stem, {scale, zero}, stem + "_read", linear.transposed ? 1 : 0));
    return PutBias(node, linear, weights, stem);
  }

  Status PutBias(onnx::NodeProto& node, const Linear& linear, const IntegerWeights& weights,
                 const std::string& stem) {
    if (linear.op == "MatMul") return {};  // has none; nothing may be shifted
    Numbers bias{{}, std::vector<float>(linear.outputs, 0.0F)};
    if (!linear.bias.empty()) bias = *net_.Floats(linear.bias);
    const float input = ranges_.at(scheme_.Root(linear.input)).scale;
    std::vector<int32_t> sums(linear.outputs);
    Numbers scales{{static_cast<int64_t>(linear.outputs)}, std::vector<float>(linear.outputs)};
    for (size_t o = 0; o < linear.outputs; ++o) {
      scales.values[o] = input * weights.scales[o];
      sums[o] =
          static_cast<int32_t>(std::lrint((bias.values[o] + weights.shift[o]) / scales.values[o]));
    }
    const std::string name = net_.Unique(stem + "_bias"), scale = net_.Unique(name + "_scale");
    Fill(net_.Constant(name), onnx::TensorProto::INT32, scales.dims, sums);
    net_.SetFloats(scale, scales);
    while (node.input_size() < 3) node.add_input("");
    node.set_input(2, Dequantise(name, {scale, ""}, net_.Unique(name + "_read"), 0));
    return {};
  }

  Net& net_;
  const Scheme& scheme_;
  const std::map<std::string, Affine8>& ranges_;
  const std::map<std::string, IntegerWeights>& weights_;
  std::map<int, const Linear*> linears_;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> out_;
  std::map<std::string, std::string> integers_;  // by tensor: its uint8 one
  std::set<std::string> from_integer_;           // tensors that exist as integers alone
  std::map<std::string, std::pair<std::string, std::string>> params_;
  std::map<std::pair<std::string, int64_t>, std::pair<std::string, std::string>> channel_params_;
};

}  // namespace

std::vector<float> RowsOf(const Linear& linear, const Numbers& weights) {
  return linear.transposed ? Transposed(weights.values, linear.inputs, linear.outputs)
                           : weights.values;
}

Status WriteIntegers(Net& net, const Scheme& scheme, const std::map<std::string, Affine8>& ranges,
                     const std::map<std::string, IntegerWeights>& weights) {
  return Writer(net, scheme, ranges, weights).Write();
}

}  // namespace fogline::quantize
