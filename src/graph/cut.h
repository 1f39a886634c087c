// Every place where a model can be divided between edge and cloud.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "graph/model.h"

namespace fogline {

/// What a cut makes of the network: one of the paper's three ways to run it.
enum class MechanismKind { kEdgeOnly, kSplit, kCloudOnly };

/// "edge-only", "split" or "cloud-only".
const char* NameOf(MechanismKind kind);

/// A division of the layers into an edge side that needs nothing of the cloud side (a downward
/// closed set of nodes), and the tensors that cross. Either determines the other.
struct Cut {
  int index = -1;     // in ListCuts(model); -1 for a cut that is not listed by default
  uint64_t id = 0;    // first 8 bytes, big-endian, of SHA-256 of the tensors' names joined by '\n'
  std::string name;   // as FindCut takes it: "input", "output", or the tensors that cross
  std::string alias;  // "split13" where the paper's positions are known (blocks.h), else empty
  std::vector<Port> tensors;     // in the order of Model::activations()
  std::vector<int> activations;  // the same as indices; empty for an output that is a constant
  std::vector<bool> edge;        // by node: true on the edge side
  int edge_nodes = 0;
  int64_t bytes = 0;               // of all tensors, as dense arrays
  int64_t edge_madds = 0;          // of the layers on the edge side
  int64_t cloud_madds = 0;         // of all others
  int64_t edge_params = 0;         // elements of the constants that the edge side reads
  int64_t edge_weight_bytes = 0;   // of the same, as they are stored
  int64_t cloud_weight_bytes = 0;  // of the constants that the cloud side reads
  bool dominated = false;          // see ListCuts
  bool data_dependent = false;     // bytes is an example: a tensor's shape depends on values

  /// Wherever the cut stands in a list, and whatever its tensors are called.
  MechanismKind mechanism() const;
  bool is_edge_only() const { return mechanism() == MechanismKind::kEdgeOnly; }
  bool is_split() const { return mechanism() == MechanismKind::kSplit; }
  bool is_cloud_only() const { return mechanism() == MechanismKind::kCloudOnly; }
};

/// Cut::id of the cut where exactly these tensors cross, in the order of Model::activations().
uint64_t IdOfCut(std::span<const std::string> tensors);

/// Where the first cut of this kind stands in `cuts`; nullopt when there is none.
std::optional<size_t> IndexOf(std::span<const Cut> cuts, MechanismKind kind);

struct CutOptions {
  /// Every valid cut instead of the useful ones; kExhausted where a stretch between two
  /// single-tensor cuts holds more than 100,000.
  bool all = false;
  /// A stretch between two neighbouring single-tensor cuts that holds more cuts than this is
  /// listed by the sweep of its topological order only.
  size_t most_per_stretch = 4096;
};

/// The model's cuts, first to last: cut 0 is cloud-only (the model's inputs cross), the last one
/// edge-only (its outputs cross). Every cut at which one tensor crosses is listed; of those at
/// which several cross, the ones that are not dominated. A cut is dominated when both a cut with
/// fewer layers on the edge (a strict subset of its edge side) and one with more (a strict
/// superset) send no more bytes: whichever side is the cheaper place for the layers between, one
/// of the two is at least as good. See docs/graph.md.
/// Cuts through what is no dense tensor of known element size are left out, and those within an
/// integer layer (between a DequantizeLinear, the layer and its QuantizeLinear).
Result<std::vector<Cut>> ListCuts(const Model& model, const CutOptions& options = {});

/// The cut that `spec` names, which is one of
///   12                      the index in ListCuts(model): a plain number is never anything else
///   edge-only, cloud-only   the two ends, whatever tensors are called
///   output, input           the same two
///   split13                 an alias
///   r30,r34                 the tensors that cross, whether that cut is listed or not
///   tensor:3,tensor:output  tensors for certain, for names that are numbers or words of the above
/// kUsage for a spec with two meanings, with both spellings, and for tensors that are no cut, with
/// the layer that stands in the way; kNotFound for an unknown tensor, with the nearest names.
Result<Cut> FindCut(const Model& model, std::string_view spec);

/// The one tensor that `spec` names, written as above: what crosses at a cut, or a tensor at which
/// nothing can be cut. Its index in Model::activations().
Result<int> FindTensor(const Model& model, std::string_view spec);

/// The cut at which exactly these activations cross. kUsage when there is none, as FindCut.
Result<Cut> CutAt(const Model& model, std::vector<int> activations);

}  // namespace fogline
