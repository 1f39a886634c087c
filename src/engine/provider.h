// What else than the processor runs a process's networks: the engine's execution providers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fogline {

struct Provider {
  std::string name;                            // "cuda"; empty: the processor
  std::map<std::string, std::string> options;  // as the provider itself names them
  std::filesystem::path
      cache;  // where it keeps what it compiles, from start to start; empty: nowhere

  /// "cuda:device_id=1"; "cpu".
  std::string ToString() const;
  bool operator==(const Provider&) const = default;
};

/// Names that ParseProvider() takes, sorted; "cpu" is one of them.
std::vector<std::string> ProviderNames();

/// NAME or NAME:KEY=VALUE,KEY=VALUE. kUsage for a name that no engine has, or a cache for a
/// provider that keeps nothing; `flag` is to blame.
Result<Provider> ParseProvider(std::string_view text, const std::filesystem::path& cache,
                               const std::string& flag);

/// For the whole process, before its first network is opened: sessions that are optimised are
/// opened with it, on trial as every network (trial.h), and compared with the processor's outputs
/// before they run a picture (CheckSame). Where the engine library lacks the provider, or a network
/// fails on it or differs, one line says why, and the network runs on the processor.
void UseProvider(const Provider& provider);

/// What UseProvider() was last told; by default the processor.
Provider ProviderInUse();

/// Whether options ask it to compute in 16 bits or fewer, so that it may differ by as much.
bool IsCoarse(const Provider& provider);

}  // namespace fogline
