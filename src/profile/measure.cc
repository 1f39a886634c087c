#include "profile/measure.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <thread>

#include "base/cpu.h"
#include "base/stats.h"
#include "engine/session.h"
#include "engine/verify.h"
#include "graph/slice.h"
#include "profile/library.h"

namespace fogline {
namespace {

Result<std::vector<TensorView>> Pick(const Session& session, const Feeds& tensors,
                                     const std::string& where) {
  std::vector<TensorView> views;
  for (const Port& port : session.inputs()) {
    const auto it = tensors.find(port.name);
    if (it == tensors.end()) {
      return Fail(ErrorCode::kInternal, where, "its half wants a tensor '{}' that nothing gave",
                  port.name);
    }
    views.push_back(it->second.view());
  }
  return views;
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

/// Times halves, each run beside a run of the whole model, so that what slows both alike (a clock
/// that throttles, a neighbour on the machine) can be taken out afterwards.
class Timer {
 public:
  Timer(const MeasureOptions& options, const Clock& clock, double seconds_a_half)
      : options_(options), clock_(clock), share_ms_(seconds_a_half * 1000) {}

  /// The last cut's prefix is the whole model, its external weights included.
  Status OpenWhole(const Model& model, const Cut& last, Feeds inputs) {
    where_ = model.where();
    FOGLINE_TRY(const std::string whole, SlicePrefix(model, last));
    FOGLINE_TRY(whole_, OpenSession(std::as_bytes(std::span(whole.data(), whole.size())), where_,
                                    Settings()));
    whole_inputs_ = std::move(inputs);
    FOGLINE_TRY(whole_views_, Pick(*whole_, whole_inputs_, where_));
    return {};
  }

  /// Times a half on `tensors` by name, and adds its last outputs to them. `drift` is the whole's
  /// median meanwhile.
  Result<MeasuredHalf> Run(const std::string& half, const std::string& where, Feeds& tensors,
                           Milliseconds& drift) {
    FOGLINE_TRY(const auto session,
                OpenSession(std::as_bytes(std::span(half.data(), half.size())), where, Settings()));
    FOGLINE_TRY(const std::vector<TensorView> inputs, Pick(*session, tensors, where));
    std::vector<Tensor> last;
    FOGLINE_TRY(const Series times, Alternate(*session, inputs, &last));
    for (size_t i = 0; i < last.size(); ++i) {
      tensors[session->outputs()[i].name] = std::move(last[i]);
    }
    drift = Milliseconds(Summarize(times.whole).p50);
    return ToHalf(times.half);
  }

  /// What runs the whole.
  std::string provider() const { return whole_->provider(); }

  /// Of every run of the whole so far.
  MeasuredHalf Whole() const { return ToHalf(all_whole_); }

 private:
  struct Series {
    std::vector<double> half, whole;
  };

  SessionOptions Settings() const {
    SessionOptions settings;
    settings.threads = options_.threads;
    return settings;
  }

  Result<Series> Alternate(Session& session, const std::vector<TensorView>& inputs,
                           std::vector<Tensor>* last) {
    if (options_.cool_down_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(options_.cool_down_ms));
    }
    Series series;
    double spent = 0;
    constexpr int kWarmUp = 2;
    for (int run = -kWarmUp; run < options_.max_runs; ++run) {
      if (run >= options_.min_runs && spent >= share_ms_) break;
      const Nanos start = clock_.Steady();
      FOGLINE_TRY(*last, session.Run(inputs));
      const Nanos middle = clock_.Steady();
      FOGLINE_CHECK(whole_->Run(whole_views_).map([](const auto&) {}));
      const Nanos end = clock_.Steady();
      if (run < 0) continue;
      series.half.push_back(Millis(middle - start));
      series.whole.push_back(Millis(end - middle));
      spent += Millis(end - start);
    }
    all_whole_.insert(all_whole_.end(), series.whole.begin(), series.whole.end());
    return series;
  }

  static MeasuredHalf ToHalf(const std::vector<double>& times) {
    const Summary summary = Summarize(times);
    return {Milliseconds(summary.p50), Milliseconds(summary.p95),
            summary.p50 > 0 ? (summary.p95 - summary.p50) / summary.p50 : 0,
            static_cast<int>(times.size())};
  }

  const MeasureOptions& options_;
  const Clock& clock_;
  double share_ms_;
  std::string where_;
  std::unique_ptr<Session> whole_;
  Feeds whole_inputs_;
  std::vector<TensorView> whole_views_;
  std::vector<double> all_whole_;
};

}  // namespace

Result<MeasuredProfile> Measure(const Model& model, const std::vector<Cut>& cuts,
                                const MeasureOptions& options, const Clock& clock) {
  MeasuredProfile profile;
  char host[256] = "this machine";
  gethostname(host, sizeof host - 1);
  profile.machine = options.machine.empty() ? host : options.machine;
  profile.cpu = CpuName();
  profile.engine = EngineName();
  profile.date = Now();
  profile.threads = options.threads;
  profile.model_name = model.where();
  profile.model = model.hash();
  for (const Port& port : model.inputs()) profile.shapes[port.name] = port.shape;

  const Feeds inputs = RandomFeeds(model.inputs(), 1);
  const double halves = 2.0 * static_cast<double>(cuts.size());
  Timer timer(options, clock, options.budget_s / std::max(1.0, halves));
  FOGLINE_TRY(const Cut whole, FindCut(model, NameOf(MechanismKind::kEdgeOnly)));
  FOGLINE_CHECK(timer.OpenWhole(model, whole, inputs));
  profile.provider = timer.provider();
  std::vector<std::pair<MeasuredHalf*, Milliseconds>> drifts;
  profile.cuts.reserve(cuts.size());  // drifts points into it
  for (size_t i = 0; i < cuts.size(); ++i) {
    if (options.stop && options.stop()) {
      return Fail(ErrorCode::kCancelled, "profile", "stopped after {} of {} cuts", i, cuts.size());
    }
    const Cut& cut = cuts[i];
    MeasuredCut& measured = profile.cuts.emplace_back(MeasuredCut{cut.id, cut.name, {}, {}});
    Feeds tensors = inputs;
    const std::string where = fmt::format("{} cut at {}", model.where(), cut.name);
    Milliseconds drift;
    if (!cut.is_cloud_only()) {
      FOGLINE_TRY(const std::string half, SlicePrefix(model, cut));
      FOGLINE_TRY(measured.prefix, timer.Run(half, where, tensors, drift));
      drifts.emplace_back(&*measured.prefix, drift);
    }
    if (!cut.is_edge_only()) {
      FOGLINE_TRY(const std::string half, SliceSuffix(model, cut));
      FOGLINE_TRY(measured.suffix, timer.Run(half, where, tensors, drift));
      drifts.emplace_back(&*measured.suffix, drift);
    }
    if (options.progress) options.progress(i + 1, cut);
  }
  profile.whole = timer.Whole();
  for (const auto& [half, meanwhile] : drifts) {
    if (meanwhile <= Milliseconds(0)) continue;
    const double factor = profile.whole.p50 / meanwhile;
    half->p50 = half->p50 * factor;
    half->p95 = half->p95 * factor;
  }
  FOGLINE_TRY(const Machine yardstick, FindMachine("t2.micro", "profile"));
  Reconcile(model, cuts, PredictTiming(model, yardstick).layers, profile);
  return profile;
}

}  // namespace fogline
