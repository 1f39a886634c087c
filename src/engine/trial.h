// A network is opened for the first time where its death costs nothing: in a process of its own.
// The engine asserts, crashes or never ends on some networks, which no exception tells of.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/last_words.h"
#include "engine/provider.h"
#include "graph/model.h"

namespace fogline {

/// How far the engine rewrites a network before it runs it, from the fastest to the safest.
enum class Level : uint8_t { kAll, kExtended, kBasic, kNone };
inline constexpr std::array kLevels{Level::kAll, Level::kExtended, Level::kBasic, Level::kNone};
/// "all", "extended", "basic", "none".
std::string_view LevelName(Level level);

struct TrialOptions {
  /// The program that calls RunTrial() with the words that follow its own; empty: networks are
  /// opened untried.
  std::vector<std::string> program;
  /// A file that remembers from process to process what was found; empty: none.
  std::filesystem::path memory;
  std::chrono::milliseconds at_most = std::chrono::minutes(2);
};

/// For the whole process, before the first network is opened. Deaths in a run are remembered too.
void SetTrials(TrialOptions options);

/// Where a user's programs may keep what was found: $CACHE_DIRECTORY (systemd), $XDG_CACHE_HOME or
/// ~/.cache. Empty where there is no such place.
std::filesystem::path TrialMemory();

/// What is tried: a network in a file, or in memory when the path is empty.
struct Tried {
  std::filesystem::path path;
  std::span<const std::byte> bytes;
  std::string where;  // names it in errors and in the log
  bool run = true;    // on zeros, after it was opened
  /// What to run on, by input. What is open and not given is 1 for the first dimension and 224 for
  /// others; values that are not given are zeros.
  std::map<std::string, RunInput> inputs;
  Provider provider = {};  // none: the processor
};

/// How a network may be opened, and what is said should the process die of running it all the same.
struct Survived {
  Level level;
  Epitaph epitaph;
};

/// The fastest level, from `fastest` on, that the engine survives this network at: tried in a child
/// process, level by level, unless it is known. A network that the engine refuses in its own words
/// counts as survived, for opening it costs no more than an error. One in whose run an earlier
/// process died is opened unoptimised from then on, and after a second such death not at all. With
/// a provider one level is tried, and one such death ends it. kUnavailable when the engine dies at
/// every level (after the second time it is not tried again, until the network or the engine is
/// another), kExhausted when it does not fit into memory. Thread-safe.
Result<Survived> SafeLevel(const Tried& tried, Level fastest);

/// Before the words of a provider and of its cache's folder, in the words that RunTrial() is given.
inline constexpr const char* kOnProvider = "--provider";

/// The child's part: tries one network at one level and says on stdout that it lives. Returns the
/// exit status.
int RunTrial(std::span<const std::string> words);

}  // namespace fogline
