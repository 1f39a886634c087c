// What the lab is to measure: a TOML file. docs/lab.md describes every key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "graph/cut.h"
#include "profile/link.h"

namespace fogline {

/// How a figure came about; every one in a report says which.
enum class Evidence {
  kReal,     // this machine, as fast as it is
  kLimited,  // this machine, held to a share of a core by the kernel
  kPaced,    // this machine, waiting in each step until a slower one would be done
};
std::string_view NameOf(Evidence evidence);

struct SuiteModel {
  std::string key;
  std::filesystem::path file;
  int side = 0;  // of the input in pixels; 0: as the card says
};

/// An edge device or a cloud.
struct SuiteMachine {
  std::string key, title;
  Evidence evidence = Evidence::kReal;
  std::string machine;  // paced: a name of the library or a .toml
  double cores = 1;     // limited
};

enum class Medium {
  kAuto,    // the kernel where it may be used, else user space
  kKernel,  // a network namespace of its own, with the kernel's shaping
  kUser,    // a relay (relay.h)
};

struct SuiteLink {
  std::string key;
  LinkProfile profile;
  double jitter_ms = 0;
  Medium medium = Medium::kAuto;
};

/// The two wires that are held against each other.
enum class WireKind {
  kJson,     // the paper's: numbers as text
  kFogline,  // frames, coded as the calibration advises
};
std::string_view NameOf(WireKind wire);

/// One chart: bars over cuts (and wires) with all else the same.
struct SuiteExperiment {
  std::string key, title;
  std::string paper;  // the paper's figure that it redraws ("7a"); those of one share a chart
  std::string view;   // what tells it from the others of that figure
  size_t model = 0, device = 0, cloud = 0, link = 0;  // in the suite's lists
  std::vector<WireKind> wires;
  std::vector<std::string> cuts;  // as FindCut takes them, the ends as "cloud-only" and "edge-only"
};

/// What the network is made of at a cut that is written so.
MechanismKind KindOf(std::string_view cut);

/// How many devices one core of a cloud serves.
struct SuiteCapacity {
  std::string key, title;
  size_t model = 0;
  WireKind wire = WireKind::kFogline;
  std::string cut;
  double wanted = 0;  // devices at one picture a second; 0: no wish
  double paper = 0;   // what the paper's stack served; 0: not said
};

struct Suite {
  std::string name, title;
  std::filesystem::path where;  // the file
  std::filesystem::path pictures;
  int count = 40;   // pictures a bar
  int quick = 4;    // of them with --quick
  int repeats = 1;  // of each bar; the median run counts
  int lanes = 3;    // paced experiments side by side
  double rate = 0;  // pictures a second; 0: the next one when the last one is stored
  std::vector<SuiteModel> models;
  std::vector<SuiteMachine> devices, clouds;
  std::vector<SuiteLink> links;
  std::vector<SuiteExperiment> experiments;
  std::vector<SuiteCapacity> capacities;
};

/// Reads a suite's text. Files that it names are looked for beside it, in `data` where that is
/// given, and among what comes with Fogline. kInvalid names the key at fault, and the nearest known
/// one for a key or a reference that is not known.
Result<Suite> ParseSuite(std::string_view toml, const std::filesystem::path& where,
                         const std::filesystem::path& data = {});

/// The suite of that name that comes with Fogline, or the file of that path.
Result<Suite> FindSuite(const std::string& name, const std::filesystem::path& data = {});

}  // namespace fogline
