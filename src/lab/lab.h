// Experiments for real: a suite's bars measured one after the other, each beside its forecast.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/bar.h"
#include "lab/capacity.h"
#include "lab/suite.h"

namespace fogline {

struct LabOptions {
  std::string suite;           // a name or a .toml
  std::filesystem::path data;  // where files are that the suite names and that do not come along
  std::filesystem::path out;   // everything goes here; what is there already is not measured again
  bool quick = false;          // few pictures, for a look
};

/// A model as figures 4 and 5 show it.
struct ModelFacts {
  struct CutFacts {
    std::string cut, name;
    double bytes = 0;  // as dense arrays
    int layers = 0;    // before it
    double edge_madds = 0, cloud_madds = 0;
  };
  std::string key;
  std::vector<std::pair<std::string, double>> layers;  // name, bytes of what it gives
  std::vector<CutFacts> cuts;
};

struct LabResult {
  Suite suite;
  bool quick = false;
  std::string machine, date;  // this machine's processor; ISO 8601
  double pipeline_ms = 0;     // Forecast::pipeline
  std::vector<Bar> bars;      // in the order of the suite
  std::vector<PlanChoice> choices;
  std::vector<ModelFacts> models;
  std::vector<Capacity> capacities;
  size_t measured = 0, found = 0;  // bars of this run, and of earlier ones
  std::vector<std::string> notes;  // what could not be had as asked
};

/// Runs what is not there yet. A stop ends it with kCancelled between two bars; the next run goes
/// on from there.
Result<LabResult> RunLab(const LabOptions& options);

}  // namespace fogline
