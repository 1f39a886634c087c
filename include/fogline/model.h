// An ONNX model as layers, the tensors between them, and the places where it can be cut.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fogline/cut.h"
#include "fogline/findings.h"
#include "fogline/result.h"
#include "fogline/tensor.h"

namespace fogline::v1 {

/// What is not in the file. What is open and not given here is of the size of the model's card
/// (MODEL.toml beside it), else 1 for the batch and 224.
struct LoadOptions {
  std::map<std::string, std::vector<int64_t>> shapes;  // of inputs with open dimensions, by name
  std::map<std::string, std::vector<double>> values;   // of inputs that choose a branch or a shape
};

/// One layer: what runs. What depends on constants alone is part of the layers that read it.
struct Layer {
  std::string name;
  std::string op;  // "Conv"
  std::vector<TensorSpec> outputs;
  int64_t madds = 0;         // multiply-adds of one run
  int64_t params = 0;        // elements of the constants it reads
  int64_t weight_bytes = 0;  // of these, as they are stored
};

/// A picture made ready for a model.
struct Picture {
  Tensor input;               // what the model takes
  int width = 0, height = 0;  // of the upright picture, in pixels
};

struct ModelImpl;

/// A loaded model with its card. A handle: copies share what they stand for, which never changes,
/// so that any number of threads may use one. Holds the file mapped: nobody may write over it
/// meanwhile.
class Model {
 public:
  /// kNotFound for a missing file, kInvalid for what is no model, kUnsupported for what the
  /// engine cannot run, kUsage for a shape that does not fit an input. The engine is asked for
  /// shapes here: a network of which it dies ends the process; `fogline inspect` tries that in a
  /// child first.
  FOGLINE_API static Result<Model> Load(const std::string& path, const LoadOptions& options = {});

  FOGLINE_API const std::string& path() const;
  /// SHA-256 of all of its bytes, weights in other files included, in hexadecimal digits.
  FOGLINE_API std::string sha256() const;
  /// Without open dimensions: as they were loaded.
  FOGLINE_API const std::vector<TensorSpec>& inputs() const;
  FOGLINE_API const std::vector<TensorSpec>& outputs() const;
  FOGLINE_API std::vector<Layer> Layers() const;
  FOGLINE_API int64_t madds() const;
  FOGLINE_API int64_t params() const;
  FOGLINE_API int64_t weight_bytes() const;
  /// One line for each open dimension whose size was assumed.
  FOGLINE_API std::vector<std::string> assumptions() const;

  /// First cloud-only, last edge-only, between them every useful cut in order; with `all` also
  /// those that others dominate (kExhausted beyond 100,000 between two single tensors).
  FOGLINE_API Result<std::vector<Cut>> Cuts(bool all = false) const;
  /// "12", "edge-only", "cloud-only", "split13", or the tensors that cross, as "r30,r34". kUsage
  /// for what is no cut, with the layer that stands in the way; kNotFound for an unknown tensor,
  /// with the nearest names.
  FOGLINE_API Result<Cut> FindCut(const std::string& spec) const;

  /// A self-contained page of its layers and cuts, as `fogline inspect --html` writes it.
  FOGLINE_API Result<std::string> Html() const;

  /// Reads a picture file (JPEG, PNG, WebP, HEIC, AVIF), turns it upright and makes of it what
  /// the model takes, as its card says. kUnsupported for a model that takes no pictures.
  FOGLINE_API Result<Picture> ReadPicture(const std::string& path) const;
  /// What the network's outputs, in the order of outputs(), say of that picture. kConflict where
  /// they do not fit the card or hold NaN.
  FOGLINE_API Result<Findings> Judge(const std::vector<Tensor>& outputs,
                                     const Picture& picture) const;

  explicit Model(std::shared_ptr<const ModelImpl> impl) : impl_(std::move(impl)) {}
  const ModelImpl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const ModelImpl> impl_;
};

}  // namespace fogline::v1
