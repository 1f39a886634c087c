#include "cli/edge_metrics.h"

#include "web/metrics.h"

namespace fogline::cli {

std::string EdgeMetrics(const EdgeReport& r) {
  MetricsWriter writer;
  const auto one = [&](const char* name, const char* help, Metric::Kind kind, double value) {
    writer.Family(name, help, kind);
    writer.Sample("device", r.device, value);
  };
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    one(name, help, Metric::kCounter, static_cast<double>(value));
  };
  const auto gauge = [&](const char* name, const char* help, double value) {
    one(name, help, Metric::kGauge, value);
  };
  counter("fogline_edge_pictures_total", "Pictures taken and understood.", r.images);
  counter("fogline_edge_skipped_total", "Pictures that were damaged.", r.skipped);
  counter("fogline_edge_overtaken_total", "Pictures passed over for newer ones.", r.overtaken);
  counter("fogline_edge_unplaced_total", "Pictures without a position.", r.unplaced);
  counter("fogline_edge_unreported_total", "Negative pictures, not sent.", r.unreported);
  counter("fogline_edge_sent_total", "Frames made.", r.sent);
  counter("fogline_edge_local_total", "Frames run here while the cloud was silent.", r.local);
  counter("fogline_edge_stored_total", "Frames that the cloud has stored.", r.stored);
  counter("fogline_edge_duplicates_total", "Repeats of frames stored before.", r.duplicates);
  counter("fogline_edge_refused_total", "Frames refused for ever by the cloud or the broker.",
          r.refused);
  gauge("fogline_edge_dead_letters", "Refused frames in the spool's dead-letter folder.",
        static_cast<double>(r.dead));
  counter("fogline_edge_dead_letters_dropped_total", "Refused frames that it had no room for.",
          r.dead_dropped);
  gauge("fogline_edge_waiting_frames", "Frames that the cloud cannot take yet.",
        static_cast<double>(r.waiting));
  counter("fogline_edge_dropped_total", "Frames given up for want of room.", r.dropped);
  counter("fogline_edge_stale_total", "Frames given up past their deadline.", r.stale);
  counter("fogline_edge_unspooled_total", "Frames sent without a copy on disk.", r.unspooled);
  gauge("fogline_edge_connected", "1 with a broker, 0 without.", r.connected ? 1 : 0);
  gauge("fogline_edge_window_frames", "Frames under way.", static_cast<double>(r.window));
  gauge("fogline_edge_spool_frames", "Frames on disk.", static_cast<double>(r.kept));
  gauge("fogline_edge_spool_bytes", "What they take.", static_cast<double>(r.kept_bytes));
  writer.Family("fogline_edge_latency_seconds", "From reading a picture to its stored answer.",
                Metric::kGauge);
  writer.Sample("quantile", "0.5", r.total_ms.p50 / 1000);
  writer.Sample("quantile", "0.95", r.total_ms.p95 / 1000);
  writer.Sample("quantile", "0.99", r.total_ms.p99 / 1000);
  return writer.Take();
}

}  // namespace fogline::cli
