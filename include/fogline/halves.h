// A model in pieces: each an ONNX model of its own, and running it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fogline/model.h"

namespace fogline::v1 {

struct SessionOptions {
  int threads = 1;       // of one run; 0: every core
  bool optimize = true;  // false: no fusion, for comparisons bit by bit
};

struct SessionImpl;

/// An open network. A handle; Run may be called from several threads at once.
class Session {
 public:
  /// In the network's order; open dimensions are -1.
  FOGLINE_API const std::vector<TensorSpec>& inputs() const;
  FOGLINE_API const std::vector<TensorSpec>& outputs() const;
  /// Runs on one tensor an input, in the order of inputs(); gives one an output. kInvalid, naming
  /// the input, for a tensor of another dtype or shape. The outputs' memory is the engine's,
  /// shared and not copied.
  FOGLINE_API Result<std::vector<Tensor>> Run(const std::vector<TensorView>& inputs) const;

  explicit Session(std::shared_ptr<const SessionImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const SessionImpl> impl_;
};

/// A piece of a model as serialised ONNX. A handle.
class Piece {
 public:
  FOGLINE_API std::string_view bytes() const;
  FOGLINE_API Status Write(const std::string& path) const;
  FOGLINE_API Result<Session> Open(const SessionOptions& options = {}) const;

  Piece(std::shared_ptr<const std::string> bytes, std::string where)
      : bytes_(std::move(bytes)), where_(std::move(where)) {}

 private:
  std::shared_ptr<const std::string> bytes_;
  std::string where_;  // names it in errors
};

struct Halves {
  Piece edge, cloud;
};

/// Cuts a model in two: the model's inputs in at the edge, the cut's tensors across, the model's
/// outputs out in the cloud. Names and open dimensions stay. kUsage for cuts that leave one side
/// empty; kExhausted past the 2 GB that one ONNX file can hold.
FOGLINE_API Result<Halves> Split(const Model& model, const Cut& cut);

/// How the halves differ from the whole on random inputs.
struct Proof {
  double max_abs = 0;
  double max_rel = 0;          // of an output's largest value
  bool bit_identical = false;  // with optimisation off
  bool holds = false;          // no more than rounding explains, optimised and not
};
/// Runs the whole and both halves, one after the other.
FOGLINE_API Result<Proof> CheckSplit(const Model& model, const Cut& cut);

/// What leads from some tensors to others, which need not be cuts; without `from` from the
/// model's inputs, without `to` to its outputs. Tensors are named as FindCut takes them. kUsage,
/// naming the tensor, where `to` needs what `from` does not give or does not need what it gives.
FOGLINE_API Result<Piece> PieceOf(const Model& model, const std::vector<std::string>& from,
                                  const std::vector<std::string>& to);

}  // namespace fogline::v1
