// Whether a history is one in which no frame was lost or stored twice: what a device was told, held
// against what the store has.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fogline {

using Name = std::pair<uint64_t, uint64_t>;  // run and sequence

/// Of one device.
struct History {
  std::vector<Name> stored;  // as the store has them, in the order of their ids
  std::vector<Name> told;    // which the device was told are stored, or has reason to believe
};

/// What is wrong, a line each; nothing where every frame is stored once. Sequences are given
/// without holes, so that one below another of its run that is not there was lost.
inline std::vector<std::string> Violations(const History& history) {
  std::vector<std::string> found;
  const auto say = [&](const Name& name, const char* what) {
    found.push_back(fmt::format("frame {:016x} {} {}", name.first, name.second, what));
  };
  std::map<uint64_t, std::set<uint64_t>> runs;
  for (const Name& name : history.stored) {
    if (!runs[name.first].insert(name.second).second) say(name, "is stored twice");
  }
  for (const auto& [run, sequences] : runs) {
    for (uint64_t sequence = 0; sequence < *sequences.rbegin(); ++sequence) {
      if (!sequences.contains(sequence)) say({run, sequence}, "is lost: later ones are stored");
    }
  }
  std::set<Name> told;
  for (const Name& name : history.told) {
    if (!runs.contains(name.first) || !runs.at(name.first).contains(name.second)) {
      say(name, "is lost: its device was told that it is stored");
    }
    if (!told.insert(name).second) say(name, "is told of twice");
  }
  return found;
}

}  // namespace fogline
