// What a cloud keeps of a model beside the networks that it opens of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "graph/cut.h"
#include "vision/cascade.h"
#include "vision/network.h"

namespace fogline {

/// What is known of a model once it was loaded, without its weights. Immutable.
struct KnownModel {
  /// `cuts` as ListCuts gives them.
  KnownModel(const Network& network, std::vector<Cut> cuts);

  /// The cut of that id if it is listed, else null.
  const Cut* Listed(uint64_t cut) const;
  /// The activations that these TensorIds name, ascending. kInvalid unless they and no others are
  /// what Cut::id is made of: then the model has no such cut.
  Result<std::vector<int>> Named(uint64_t cut, std::span<const uint32_t> tensors) const;

  std::filesystem::path path;
  Sha256 hash{};
  ModelCard card;
  ModelContract contract;
  std::vector<Cut> cuts;
  std::optional<Cascade> cascade;  // in which it is the big one

 private:
  std::vector<std::string> names_;                // of its activations
  std::unordered_map<uint32_t, int> activation_;  // by TensorId
};

}  // namespace fogline
