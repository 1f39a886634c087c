// Stretches of a model between two cuts: what calibration measures codecs with.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/session.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// The layers between two cuts as a network of its own. Any thread may run it.
class Segment {
 public:
  /// From the model's input to the cut.
  static Result<Segment> Before(const Model& model, const Cut& cut);
  /// From the cut to the model's outputs.
  static Result<Segment> After(const Model& model, const Cut& cut);
  /// From one cut to another with a strict superset of its edge side.
  static Result<Segment> Between(const Model& model, const Cut& from, const Cut& to);

  /// The tensors at its end for those at its beginning, in the order of Cut::tensors, of the
  /// model's inputs or of its outputs. Those that are at both are handed on.
  Result<std::vector<Tensor>> Run(std::span<const Tensor> tensors) const;

 private:
  static Result<Segment> Open(Result<std::string> slice, const std::string& where,
                              const std::vector<Port>& from, const std::vector<Port>& to);

  std::unique_ptr<Session> session_;  // null where no layer lies between
  std::vector<size_t> feeds_;         // for each of the session's inputs, which tensor
  struct Source {
    bool made = false;  // by the session; else handed on
    size_t index = 0;
  };
  std::vector<Source> results_;
};

}  // namespace fogline
