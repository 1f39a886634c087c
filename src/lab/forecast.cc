#include "lab/forecast.h"

#include <algorithm>

#include "base/file.h"
#include "edge/mechanism.h"
#include "engine/shapes.h"
#include "profile/library.h"
#include "profile/measured.h"
#include "vision/network.h"

namespace fogline {
namespace {

/// Frame header and MQTT of an answer, which carries no tensor.
constexpr Bytes kAnswer{140};

Status LoadSide(const Model& model, const Forecaster::Side& side, Machine& machine,
                Timing& timing) {
  if (side.machine->evidence == Evidence::kPaced) {
    FOGLINE_TRY(machine, FindMachine(side.machine->machine, side.machine->key));
    timing = PredictTiming(model, machine);
    return {};
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(side.profile));
  FOGLINE_TRY(const MeasuredProfile profile,
              MeasuredProfile::ParseOf(model, text, side.profile.string()));
  FOGLINE_TRY(timing, TimingOf(model, profile, side.profile.string()));
  machine.name = profile.machine;
  machine.title = profile.cpu;
  machine.compute.threads = profile.threads;
  return {};
}

class ForecasterImpl final : public Forecaster {
 public:
  explicit ForecasterImpl(Network network) : network_(std::move(network)) {}

  Status Open(const Side& device, const Side& cloud, const LinkProfile& link) {
    FOGLINE_TRY(bundle_, FindBundle(network_, {}));
    scenario_.model = &network_.model;
    scenario_.contract = network_.contract;
    scenario_.bundle = bundle_ ? &*bundle_ : nullptr;
    scenario_.link = link;
    scenario_.operation.ignore_credits = true;
    FOGLINE_CHECK(LoadSide(network_.model, device, scenario_.edge, scenario_.edge_timing));
    FOGLINE_CHECK(LoadSide(network_.model, cloud, scenario_.cloud, scenario_.cloud_timing));
    return {};
  }

  const Model& model() const override { return network_.model; }
  Result<Cut> CutOf(const std::string& cut) const override { return FindCut(network_.model, cut); }

  Result<std::string> CodecOf(WireKind wire, const std::string& cut) const override {
    FOGLINE_TRY(const Cut found, CutOf(cut));
    if (found.is_edge_only()) return std::string();
    if (wire == WireKind::kJson) return "json";
    if (found.is_cloud_only()) return "jpeg:90";
    const CalibratedPair* pair = bundle_ ? CheapestPair(*bundle_, found.id) : nullptr;
    return pair != nullptr ? pair->codec : "f16";
  }

  Result<Forecast> Of(WireKind wire, const std::string& cut) const override {
    FOGLINE_TRY(const Cut found, CutOf(cut));
    FOGLINE_TRY(const std::string codec, CodecOf(wire, cut));
    Scenario scenario = scenario_;
    scenario.cuts = {found};
    if (!codec.empty()) scenario.codecs = {codec};
    for (const Candidate& c : CandidatesAt(scenario, 0)) {
      if (!codec.empty() && c.payload.codec != codec) continue;
      Forecast f;
      f.edge = c.latency.edge.value();
      f.encode = c.latency.encode.value();
      f.uplink = c.latency.uplink.value();
      // Over a recording the typical moment counts, not the mean rate.
      if (c.uplink) f.uplink = c.uplink->p50 + (scenario.link.rtt / 2).value();
      f.decode = c.latency.decode.value();
      f.cloud = c.latency.cloud.value();
      f.answer = (scenario.link.rtt / 2 + kAnswer / scenario.link.down).value();
      f.bytes = c.payload.bytes.value();
      f.month_euro = c.month.value();
      return f;
    }
    return Fail(ErrorCode::kUnsupported, network_.path.string(), "the plan knows no {} at {}",
                codec, cut);
  }

 private:
  const Network network_;
  std::optional<Bundle> bundle_;
  Scenario scenario_;
};

}  // namespace

Result<std::unique_ptr<Forecaster>> Forecaster::Make(const std::filesystem::path& model,
                                                     const Side& device, const Side& cloud,
                                                     const LinkProfile& link) {
  FOGLINE_TRY(Network network, LoadNetwork(model));
  auto forecaster = std::make_unique<ForecasterImpl>(std::move(network));
  FOGLINE_CHECK(forecaster->Open(device, cloud, link));
  return forecaster;
}

}  // namespace fogline
