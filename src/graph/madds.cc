#include "graph/madds.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "graph/model_data.h"

namespace fogline {
namespace {

class LayerCounter {
 public:
  LayerCounter(const ModelData& data, size_t index)
      : data_(data), proto_(data.proto.graph().node(data.proto_nodes[index])) {}

  int64_t Count() const {
    const std::string_view op = proto_.op_type();
    if (op == "Conv" || op == "ConvInteger" || op == "FusedConv") return Conv(In(0), In(1));
    if (op == "QLinearConv") return Conv(In(0), In(3));
    if (op == "ConvTranspose") return Times(Size(In(0)), Tail(In(1)));
    if (op == "Gemm" || op == "FusedGemm") return Gemm();
    if (op == "MatMul" || op == "MatMulInteger" || op == "FusedMatMul") return MatMul(In(0));
    if (op == "QLinearMatMul") return MatMul(In(0));
    if (op == "DynamicQuantizeMatMul" || op == "MatMulIntegerToFloat") return MatMul(In(0));
    if (op == "Einsum") return Einsum();
    if (op == "RNN") return Recurrent(1);
    if (op == "GRU") return Recurrent(3);
    if (op == "LSTM") return Recurrent(4);
    if (op == "Attention" && proto_.domain() == "com.microsoft") return Attention();
    return 0;
  }

 private:
  /// The shape of an operand, activation or constant; null when it has none.
  const Shape* Find(const std::string& name) const {
    if (const auto a = data_.activation_index.find(name); a != data_.activation_index.end()) {
      return &data_.activations[a->second].port.shape;
    }
    const auto c = data_.read_constant_index.find(name);
    return c == data_.read_constant_index.end() ? nullptr
                                                : &data_.read_constants[c->second].port.shape;
  }
  const Shape* In(int i) const { return i < proto_.input_size() ? Find(proto_.input(i)) : nullptr; }
  const Shape* Out() const { return proto_.output_size() > 0 ? Find(proto_.output(0)) : nullptr; }

  static int64_t Size(const Shape* shape) {
    return shape == nullptr ? 0 : shape->Elements().value_or(0);
  }
  static int64_t Times(int64_t a, int64_t b) {
    int64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
  }
  /// Elements of a weight for one index of its first dimension.
  static int64_t Tail(const Shape* weight) {
    return weight == nullptr || weight->empty() || (*weight)[0] <= 0 ? 0
                                                                     : Size(weight) / (*weight)[0];
  }
  int64_t Attribute(std::string_view name, int64_t otherwise) const {
    for (const auto& attribute : proto_.attribute()) {
      if (attribute.name() == name) return attribute.i();
    }
    return otherwise;
  }

  int64_t Conv(const Shape* input, const Shape* weight) const {
    if (input == nullptr) return 0;
    return Times(Size(Out()), Tail(weight));
  }

  int64_t Gemm() const {
    const Shape* a = In(0);
    if (a == nullptr || a->rank() != 2) return 0;
    return Times(Size(Out()), (*a)[Attribute("transA", 0) != 0 ? 0 : 1]);
  }

  int64_t MatMul(const Shape* a) const {
    if (a == nullptr || a->empty()) return 0;
    const bool transposed = a->rank() > 1 && Attribute("transA", 0) != 0;
    return Times(Size(Out()), (*a)[a->rank() - (transposed ? 2 : 1)]);
  }

  int64_t Einsum() const {
    std::string equation;
    for (const auto& attribute : proto_.attribute()) {
      if (attribute.name() == "equation") equation = attribute.s();
    }
    std::erase(equation, ' ');
    std::map<char, int64_t> sizes;
    size_t at = 0;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const Shape* shape = In(i);
      const size_t end = equation.find_first_of(",-", at);
      const std::string labels = equation.substr(at, end - at);
      // An ellipsis stands for a number of dimensions that is not written down.
      if (shape == nullptr || labels.size() != shape->rank() || end == std::string::npos) return 0;
      for (size_t d = 0; d < labels.size(); ++d) sizes[labels[d]] = (*shape)[d];
      at = end + 1;
    }
    if (proto_.input_size() < 2) return 0;
    int64_t product = 1;
    for (const auto& [label, size] : sizes) product = Times(product, size);
    return product;
  }

  int64_t Recurrent(int64_t gates) const {
    const Shape* x = In(0);
    const Shape* w = In(1);
    const Shape* r = In(2);
    if (x == nullptr || w == nullptr || r == nullptr || x->rank() != 3 || w->rank() != 3 ||
        r->rank() != 3) {
      return 0;
    }
    const int64_t hidden = (*r)[2];
    return Times(Times((*w)[0], Times((*x)[0], (*x)[1])), Times(gates * hidden, (*x)[2] + hidden));
  }

  int64_t Attention() const {
    const Shape* x = In(0);
    const Shape* w = In(1);
    if (x == nullptr || w == nullptr || x->rank() != 3 || w->rank() != 2) return 0;
    const int64_t steps = Times((*x)[0], (*x)[1]);
    const int64_t width = (*w)[1] / 3;
    return Times(steps, Size(w)) + Times(2, Times(Times(steps, (*x)[1]), width));
  }

  const ModelData& data_;
  const onnx::NodeProto& proto_;
};

}  // namespace

int64_t CountMadds(const ModelData& data, size_t index) {
  return LayerCounter(data, index).Count();
}

bool SumsProducts(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 18> kOps{"Conv",
                                                         "ConvInteger",
                                                         "FusedConv",
                                                         "QLinearConv",
                                                         "ConvTranspose",
                                                         "Gemm",
                                                         "FusedGemm",
                                                         "MatMul",
                                                         "MatMulInteger",
                                                         "FusedMatMul",
                                                         "QLinearMatMul",
                                                         "DynamicQuantizeMatMul",
                                                         "MatMulIntegerToFloat",
                                                         "Einsum",
                                                         "RNN",
                                                         "GRU",
                                                         "LSTM",
                                                         "Attention"};
  return std::ranges::find(kOps, node.op_type()) != kOps.end();
}

}  // namespace fogline
