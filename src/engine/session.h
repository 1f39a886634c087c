// Running a (sub)model. The only room that includes ONNX Runtime; its exceptions end here.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "engine/shared_weights.h"
#include "graph/model.h"

namespace fogline {

struct SessionOptions {
  int threads = 1;       // intra-op; 0 lets the engine use every core
  bool optimize = true;  // false: no fusion, no folding, for bit-exact comparisons
  /// A network that we wrote ourselves out of one that was tried: opened without a child's trial.
  bool untried = false;
  /// Where networks of one model have their weights together; null: each has its own. Opening takes
  /// twice as long with it. For networks in memory.
  std::shared_ptr<SharedWeights> shared = nullptr;
  /// Values for symbolic dimensions by name ("batch" → 1); those not named stay open.
  std::map<std::string, int64_t> free_dimensions;
};

/// One loaded network. Run() may be called from several threads at once.
class Session {
 public:
  virtual ~Session() = default;

  /// Inputs and outputs in the model's order, initialisers left out. Open dimensions are -1.
  virtual const std::vector<Port>& inputs() const = 0;
  virtual const std::vector<Port>& outputs() const = 0;

  /// Runs the network on one tensor an input, in the order of inputs(), and gives its outputs in
  /// the order of outputs(). dtypes and ranks must match and sizes must meet the static dimensions:
  /// anything else is kInvalid, never undefined behaviour. The outputs' memory belongs to the
  /// engine and is shared, not copied.
  virtual Result<std::vector<Tensor>> Run(std::span<const TensorView> inputs) = 0;

  /// Bytes of its weights that lie in SessionOptions::shared.
  virtual size_t shared_bytes() const = 0;

  /// What runs it, as Provider::ToString() has it: "cpu" where a provider was wanted but failed.
  virtual std::string provider() const = 0;
};

/// Loads a serialised ONNX model. `where` names it in errors. kInvalid for what is no model,
/// kUnsupported for what the engine cannot run. With a provider in use (provider.h) that is proven
/// first, on two made-up inputs, which takes the network's memory twice for a while.
Result<std::unique_ptr<Session>> OpenSession(std::span<const std::byte> model,
                                             const std::string& where,
                                             const SessionOptions& options = {});

/// The same from a file, so that weights in external files beside it are found.
Result<std::unique_ptr<Session>> OpenSession(const std::filesystem::path& model,
                                             const SessionOptions& options = {});

/// The whole of a loaded model, as its halves are of it: from its file, of which the engine needs
/// no second copy, unless the graph differs from it (local functions) or there is none.
Result<std::unique_ptr<Session>> OpenSession(const Model& model,
                                             const SessionOptions& options = {});

/// The network as the engine rewrote it before running it, serialised: what it fused, and what not.
Result<std::string> Rewritten(std::span<const std::byte> model, const std::string& where);

/// "ONNX Runtime 1.21.0".
std::string EngineName();

}  // namespace fogline
