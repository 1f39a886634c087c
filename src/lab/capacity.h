// How many devices at one picture a second one core of a cloud serves.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/load.h"
#include "lab/suite.h"

namespace fogline {

/// A rising load, and the last step that held.
struct Capacity {
  size_t entry = 0;  // in Suite::capacities
  std::string codec;
  double frame_bytes = 0;  // mean
  double devices = 0;      // the most that were served
  bool pinned = false;  // the cloud had one core, and that core to itself as far as we could help
  std::vector<LoadStep> steps;
  LoadStep at;  // the step that held `devices`
};

/// A step holds when what was offered was stored, 98 of 100 answers came within a second, and no
/// backlog grew.
bool Holds(const LoadStep& step);

/// Where one core's time goes at the last step that held, in microseconds a frame, and what gave in
/// when it did not hold any more.
struct CapacityCost {
  double total_us = 0, decode_us = 0, suffix_us = 0, rest_us = 0;
  std::string limit;
};
CapacityCost CostOf(const Capacity& capacity);

struct CapacityOptions {
  double step_seconds = 3;
  double first = 0;     // devices of the first step; 0: a third of the entry's wish or the paper's
                        // figure, at least 20
  double most = 0;      // devices at which to stop; 0: when a step fails
  int refinements = 3;  // bisections between the last step that held and the first that did not
  std::function<void(const LoadStep&)> progress;
};

/// Starts a broker, and a cloud with one worker held to the last core; everything else keeps off
/// that core where there is another.
Result<Capacity> MeasureCapacity(const Suite& suite, size_t entry,
                                 const std::filesystem::path& model, const CapacityOptions& options,
                                 const std::filesystem::path& log);

/// A run as a file of the lab keeps it, and back; false for another fingerprint or no such text.
std::string CapacityJson(const Capacity& capacity, const std::string& fingerprint);
bool ReadCapacity(const std::string& json, const std::string& fingerprint, Capacity& out);

}  // namespace fogline
