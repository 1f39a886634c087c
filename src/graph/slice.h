// A model cut in two: each half a model of its own.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// Serialised ONNX of the edge half: the model's inputs that the edge side or the cut needs in, the
/// cut's tensors out, in the order of Cut::tensors. Holds the edge side's nodes and what constants
/// they read; names, operator sets, metadata and open dimensions stay as in the whole. Weights from
/// external files are inlined. kUsage for cut 0, which has no edge half; kExhausted past the 2 GB
/// that one ONNX file can hold.
Result<std::string> SlicePrefix(const Model& model, const Cut& cut);

/// Serialised ONNX of the layers that lead from some tensors to others, in at `from` and out at
/// `to`, in these orders; neither need cross at any cut together. Without `from` it takes those of
/// the model's inputs that it needs; without `to` it gives the model's outputs. kNotFound for a
/// name that is no tensor; kUsage, naming the tensor at fault, where `to` needs an input of the
/// model that `from` does not give, where it does not need what `from` gives, where one is named
/// twice, and where no layer lies between.
Result<std::string> SlicePiece(const Model& model, std::span<const std::string> from,
                               std::span<const std::string> to);

/// The same of tensors written as FindTensor takes them: "split10", "tensor:3".
Result<std::string> SlicePieceAt(const Model& model, std::span<const std::string> from,
                                 std::span<const std::string> to);

/// Serialised ONNX of the whole network as the graph has it: local functions in the place of their
/// calls, weights of other files within.
Result<std::string> SliceWhole(const Model& model);

/// Serialised ONNX of the cloud half: the cut's tensors in, the model's outputs out. kUsage for the
/// last cut, which has no cloud half.
Result<std::string> SliceSuffix(const Model& model, const Cut& cut);

/// Serialised ONNX of what lies between two cuts: those of `from`'s tensors in that it reads, those
/// of `to`'s out that it makes; tensors that cross at both are in neither. kUsage unless `from` has
/// a strict subset of `to`'s edge side.
Result<std::string> SliceBetween(const Model& model, const Cut& from, const Cut& to);

}  // namespace fogline
