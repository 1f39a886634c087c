// The best line between edge and cloud, its proof, and where it moves.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fogline/model.h"

namespace fogline::v1 {

/// What a plan is made for. Names are those of `fogline plan`, whose flags errors name.
struct PlanRequest {
  std::string edge, cloud;  // a machine of the library, a .toml, or a measured profile (.json)
  std::string link;         // "4g", "4g,up=3Mbps", "up=8Mbps,down=30Mbps,rtt=40ms", a file
  std::string bundle;       // what calibration found; empty: the .bundle beside the model, if any
  std::string objective = "latency";  // or cost, energy, throughput, "latency=1,cost=200"
  std::string codecs;                 // "f32,f16"; empty: all that apply but JSON
  std::string deliver = "cloud";      // or "edge"
  std::string not_before;             // nothing before this cut or tensor leaves the edge
  bool never_send_input = false;
  bool strict = false;  // the cheapest, whatever the times cannot tell from it
  std::optional<double> max_latency_ms, max_latency_p95_ms;
  std::optional<double> min_agreement, min_accuracy;  // 0…1
  std::optional<double> max_cost;                     // euro a device and month
  std::optional<double> max_memory_mb;                // of the edge
  std::optional<double> max_data_gb;                  // sent a device and month
  std::optional<double> max_disagreement;             // of early exits, 0…0.5
  std::optional<double> images_per_second;            // a device's, for money
  double cloud_load = 0;                              // share of the cloud taken by others, 0…1
  double electricity = 0.20;                          // euro a kWh
};

/// One cut with one codec, and what a picture costs that goes this way.
struct Candidate {
  int cut = -1;  // index in Model::Cuts(); -1 for one that is not listed
  std::string cut_name, alias;
  Mechanism mechanism = Mechanism::kSplit;
  std::string codec;
  std::string route;  // what `fogline edge --route` takes
  double edge_ms = 0, encode_ms = 0, uplink_ms = 0, decode_ms = 0, cloud_ms = 0, downlink_ms = 0;
  double latency_ms = 0;  // all of them
  double latency_p95_ms = 0;
  double bytes = 0;       // sent a picture
  double energy_mj = 0;   // of the edge, a picture
  double euro_month = 0;  // a device
  double edge_memory_bytes = 0;
  double objective = 0;               // its price under the objective
  std::optional<double> agreement;    // with the unsplit model, 0…1; none: not known
  bool runnable = false;              // edge and cloud run it today
  std::vector<std::string> violates;  // limits, by the flag that sets them
};

/// The best candidate between two uplinks.
struct PlanStep {
  double from_mbps = 0, to_mbps = 0;
  size_t candidate = 0;  // in Plan::candidates()
};

struct PlanImpl;

/// A plan. A handle to what never changes.
class Plan {
 public:
  FOGLINE_API Candidate best() const;
  /// Every allowed cut with every allowed codec, cut by cut.
  FOGLINE_API std::vector<Candidate> candidates() const;
  /// What is cheapest at every uplink, slowest first.
  FOGLINE_API std::vector<PlanStep> envelope() const;
  /// Nothing within the proof's scope costs less, under the objective.
  FOGLINE_API double lower_bound() const;
  /// The proof in words.
  FOGLINE_API std::string proof() const;

  /// All of it, as `fogline plan --json` prints it.
  FOGLINE_API std::string Json() const;
  /// What `fogline edge --mechanism auto` may choose from. kUsage unless the objective is
  /// latency.
  FOGLINE_API Result<std::string> Policy() const;
  /// A self-contained page.
  FOGLINE_API std::string Html() const;

  explicit Plan(std::shared_ptr<const PlanImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const PlanImpl> impl_;
};

/// kConflict where limits cannot be met: the message names the one in the way and the closest
/// that can be had. kNotFound for a machine or link that there is not, with the nearest names.
FOGLINE_API Result<Plan> MakePlan(const Model& model, const PlanRequest& request);

/// Names of the library's machines and links.
FOGLINE_API std::vector<std::string> Machines();
FOGLINE_API std::vector<std::string> Links();

struct ProfileOptions {
  int threads = 1;      // of the engine
  double seconds = 60;  // of timed runs in all
  std::string machine;  // a library name, which brings power and price along; empty: this host
  /// Told after each cut, 0…1. False ends it with kCancelled.
  std::function<bool(double)> progress;
};

/// One cut's halves as they were timed. 0 where a half is empty.
struct ProfiledCut {
  std::string cut_name;
  double prefix_ms = 0, prefix_p95_ms = 0, suffix_ms = 0, suffix_p95_ms = 0;
};

/// How long this machine takes for a model.
struct Profile {
  std::string machine;
  double whole_ms = 0, whole_p95_ms = 0;
  std::vector<ProfiledCut> cuts;
  std::string json;  // the file that PlanRequest::edge and cloud take
};

/// Times both halves of every cut on this machine.
FOGLINE_API Result<Profile> MeasureProfile(const Model& model, const ProfileOptions& options = {});

}  // namespace fogline::v1
