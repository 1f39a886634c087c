#include "web/cloud_metrics.h"

#include <algorithm>

#include "base/binomial.h"

namespace fogline {
namespace {

/// A commit that failed says something of the store for so long, when nothing more is sent.
constexpr int64_t kFailureCountsUs = 60'000'000;

void AddRemembered(const CloudHeld& held, const CloudRemembers& remembers,
                   std::vector<Metric>& metrics) {
  metrics.push_back({"fogline_cloud_window_frames",
                     "Frames between receipt and answer, of the device that has most",
                     Metric::kGauge, static_cast<double>(held.window.frames)});
  metrics.push_back({"fogline_cloud_window_bytes", "What they take, of the device that has most",
                     Metric::kGauge, static_cast<double>(held.window.bytes)});
  for (const auto& [what, count] : {std::pair{"watched devices", remembers.watched},
                                    {"devices in trouble", remembers.troubles},
                                    {"costs", remembers.costs},
                                    {"decoders", remembers.decoders},
                                    {"failures", remembers.failures}}) {
    metrics.push_back({"fogline_cloud_remembered", "Things that are remembered of what came in",
                       Metric::kGauge, static_cast<double>(count), "what", what});
  }
}

/// How the sample of pictures that devices were sure of agrees with the whole network. Drawn by
/// chance, it says without bias what the others would have said.
void AddAudits(const CloudStats& s, std::vector<Metric>& metrics) {
  const auto audited = static_cast<int64_t>(s.audited.load());
  if (audited == 0) return;
  const auto differ = std::min(audited, static_cast<int64_t>(s.audits_differ.load()));
  // Each bound by itself at 97.5 %: both hold at 95 %.
  constexpr double kConfidence = 0.975;
  metrics.insert(
      metrics.end(),
      {{"fogline_audited_total",
        "Pictures that a device was sure of at an early exit and that were run to the end too",
        Metric::kCounter, static_cast<double>(audited)},
       {"fogline_audits_differ_total", "Those of them of which the whole network said otherwise",
        Metric::kCounter, static_cast<double>(differ)},
       {"fogline_audit_disagreement_low",
        "Share of sure pictures of which the whole network says otherwise, at least, with 95 % "
        "confidence",
        Metric::kGauge, ChanceAtLeast(differ, audited, kConfidence)},
       {"fogline_audit_disagreement_high", "The same, at most", Metric::kGauge,
        ChanceAtMost(differ, audited, kConfidence)}});
}

}  // namespace

std::function<std::vector<Metric>()> CloudMetrics::Ask() const {
  return [place = place_]() -> std::vector<Metric> {
    const std::lock_guard lock(place->mutex);
    if (place->cloud == nullptr) return {};
    const CloudStats& s = place->cloud->stats();
    const CloudHeld held = place->cloud->held();
    const auto gauge = [](const char* name, const char* help, uint64_t value) {
      return Metric{name, help, Metric::kGauge, static_cast<double>(value)};
    };
    const auto counter = [](const char* name, const char* help, uint64_t value) {
      return Metric{name, help, Metric::kCounter, static_cast<double>(value)};
    };
    std::vector<Metric> metrics{
        gauge("fogline_cloud_waiting", "Frames waiting for a worker", s.waiting),
        gauge("fogline_cloud_waiting_bytes", "Frames waiting for a worker, in memory",
              held.waiting),
        gauge("fogline_cloud_result_bytes", "Results waiting for a commit, in memory",
              held.results),
        gauge("fogline_cloud_network_bytes", "Models and open networks, in memory", held.networks),
        gauge("fogline_cloud_unsent_bytes", "Answers that the broker has not taken, in memory",
              held.unsent),
        counter("fogline_cloud_received_total", "Frames received", s.received),
        counter("fogline_cloud_stored_total", "Frames stored", s.stored),
        counter("fogline_cloud_commits_total", "Commits to the store, each of one frame or many",
                s.commits),
        counter("fogline_cloud_duplicates_total", "Frames stored before", s.duplicates),
        counter("fogline_cloud_refused_total", "Frames refused", s.refused),
        counter("fogline_cloud_retried_total", "Frames to be sent again: no fault of their own",
                s.retried),
        counter("fogline_cloud_times_not_believed_total",
                "Capture times before 2000 or after tomorrow, stored as unknown",
                s.times_not_believed),
        counter("fogline_cloud_thumbnails_left_out_total",
                "Small pictures that are not kept: not asked for, or no JPEG of the size they say",
                s.thumbnails_left_out),
        counter("fogline_cloud_put_off_total",
                "Frames to be sent again since their device had enough waiting", s.put_off),
        counter("fogline_cloud_limited_total",
                "Frames beyond a device's rate or its share of the workers, not looked at",
                s.limited),
    };
    AddRemembered(held, place->cloud->remembers(), metrics);
    AddAudits(s, metrics);
    for (const AuditWatch::Standing& one : place->cloud->audits()) {
      metrics.push_back({"fogline_audit_alarm",
                         "1: sure pictures that were audited get another class more often than was "
                         "promised",
                         Metric::kGauge, one.alarm ? 1.0 : 0.0, "gate",
                         one.model + " at " + one.gate});
    }
    if (const HardKeeper* hard = place->cloud->hard()) {
      metrics.push_back(counter("fogline_hard_kept_total", "Pictures kept that networks find hard",
                                hard->kept()));
      metrics.push_back(counter("fogline_hard_left_out_total",
                                "Hard pictures that there was no room for, that came too fast, or "
                                "that could not be written",
                                hard->left_out()));
    }
    if (const RawKeeper* raw = place->cloud->raw()) {
      metrics.push_back(
          counter("fogline_raw_kept_total", "Files of raw outputs written", raw->kept()));
      metrics.push_back(counter("fogline_raw_left_out_total",
                                "Files of raw outputs that there was no room for, or that could "
                                "not be written",
                                raw->left_out()));
    }
    for (size_t code = 0; code < kReasons; ++code) {
      Metric metric = counter("fogline_cloud_unstored_total",
                              "Frames refused (invalid, unsupported) or to be sent again (others)",
                              s.unstored[code]);
      metric.label = "reason";
      metric.label_value = ReasonWord(static_cast<ErrorCode>(code));
      metrics.push_back(std::move(metric));
    }
    return metrics;
  };
}

std::function<CloudState()> CloudMetrics::AskState() const {
  return [place = place_] {
    const std::lock_guard lock(place->mutex);
    CloudState state;
    if (place->cloud == nullptr) return state;
    state.runs = true;
    state.connected = place->cloud->connected();
    state.committed_us = place->cloud->stats().committed_us;
    const int64_t failed_us = place->cloud->stats().commit_failed_us;
    state.commit_failed =
        failed_us != 0 && Clock::Real().WallMicros() - failed_us < kFailureCountsUs;
    return state;
  };
}

}  // namespace fogline
