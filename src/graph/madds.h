// Multiply-accumulates of one layer, from its operator and shapes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onnx {
class NodeProto;
}

namespace fogline {

struct ModelData;

/// MAdds of data.nodes[index]. Counted are the multiply-accumulates of layers that sum products, as
/// Sandler et al. 2018 (MobileNetV2, table 4: 300 M at 224) and the page that the paper takes its
/// figures from (machinethink.net/blog/how-fast-is-my-model) count them; biases, activations,
/// pooling and element-wise layers count 0.
///
///   Conv                      |output| · C_in/group · k_h·k_w…  (weights [C_out, C_in/group, k…])
///   ConvTranspose             |input| · C_out/group · k_h·k_w…  (weights [C_in, C_out/group, k…])
///   Gemm                      M · N · K
///   MatMul                    |output| · K, K = last dimension of the first operand
///   Einsum                    product of the sizes of all labels (two operands)
///   RNN, GRU, LSTM            directions · steps · batch · gates·hidden · (input + hidden)
///   Attention (com.microsoft) projections batch·steps·in·out + twice batch·steps²·width of V
/// Quantised forms (QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger, …) count as their float
/// forms. What is inside If, Loop and Scan: body_madds.h.
int64_t CountMadds(const ModelData& data, size_t index);

/// False for operators that count 0 by this table.
bool SumsProducts(const onnx::NodeProto& node);

}  // namespace fogline
