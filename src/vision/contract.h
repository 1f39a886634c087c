// The contract of a model: what of its inputs is a picture, what its other inputs are given, and
// what its outputs mean. Asked once a model; everybody reads the answer and nobody looks at shapes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "graph/model.h"
#include "vision/card.h"
#include "vision/picture_input.h"

namespace fogline {

/// What an output says of a picture: scores of classes, boxes, a mask, numbers with names, or
/// nothing that anybody here knows.
enum class OutputKind { kClasses, kBoxes, kMask, kNumbers, kRaw };

/// "classes", "boxes", "mask", "numbers" or "raw".
std::string_view NameOf(OutputKind kind);

/// One output of a model.
struct OutputMeaning {
  std::string tensor;
  OutputKind kind = OutputKind::kRaw;
  size_t classes = 0;          // scores a picture, where they are of classes; else told apart
  bool probabilities = false;  // scores from 0 to 1; else logits
};

/// An input that is no picture and the same at every run.
struct FixedInput {
  std::string tensor;
  std::vector<double> values;  // empty: nothing reads it
  std::string from;            // "the card", "its name" or "unread"
};

struct ModelContract {
  PictureInput picture;             // with a size
  std::optional<Error> no_picture;  // why the daemons cannot feed the model pictures
  std::vector<FixedInput> fixed;    // its other inputs; constants of the model as loaded
  std::vector<OutputMeaning> outputs;
  size_t judged = 0;                // the output that results are read from
  std::optional<BoxLayout> layout;  // of boxes
  bool guessed = false;             // the layout, or that there is a mask: from the outputs' shapes
  int64_t weight_bytes = 0;         // as they are stored, each once

  bool takes_pictures() const { return !no_picture; }
  const OutputMeaning& output() const { return outputs[judged]; }
  /// Classes that the output tells apart; 0 when it tells none.
  size_t classes() const { return output().kind == OutputKind::kClasses ? output().classes : 0; }
  /// The picture as it travels: 8-bit RGB, rows from the top.
  Port pixels() const;
  /// "takes 'x', 224x224, 3 channels NCHW float32; gives 1000 classes (logits) in 'y'; 14.0 MB of
  /// weights".
  std::string ToString() const;
};

/// From a model without open dimensions and its card; `card` is told what the graph says of its
/// output and the card did not: an output behind a Softmax or Sigmoid holds probabilities.
ModelContract MakeContract(const Model& model, ModelCard& card);
/// Of a model that takes no picture, or whose card is at fault.
ModelContract MakeContract(const Model& model, Error no_picture);
/// Of a model without a card.
ModelContract MakeContract(const Model& model);

/// Scores a picture if `output` is by its shape a list of at least two of them, as 1×C, 1×C×1×1 or
/// C floating-point numbers are; else 0.
size_t ClassesByShape(const Port& output, const PictureInput& picture);

/// Whether a card's word stands for scores of classes.
bool IsClasses(ModelCard::Kind kind);

/// What the inputs that are no picture are given: the card's value, or what an input of that name
/// is wont to be (docs/graph.md). `unread` are those that nothing reads. kUnsupported names an
/// input of which neither says anything.
Result<std::vector<FixedInput>> FixOthers(const std::vector<Port>& inputs,
                                          const std::vector<std::string>& unread,
                                          const ModelCard& card);

}  // namespace fogline
