#include "cli/edge_metrics.h"

#include <algorithm>

#include "web/metrics.h"

namespace fogline::cli {
namespace {

/// What steering chose, and what it believes of the line.
void AddRoutes(MetricsWriter& writer, std::span<const EdgeReport> reports) {
  const auto steered = [](const EdgeReport& r) { return !r.routes.empty(); };
  if (std::ranges::none_of(reports, steered)) return;
  writer.Family("fogline_edge_route_pictures_total", "Pictures by the route that steering chose.",
                Metric::kCounter);
  for (const EdgeReport& r : reports) {
    for (const auto& [route, pictures] : r.routes) {
      writer.Sample({{"device", r.device}, {"route", route}}, static_cast<double>(pictures));
    }
  }
  writer.Family("fogline_edge_uplink_bits_per_second", "What steering takes the uplink for.",
                Metric::kGauge);
  for (const EdgeReport& r : reports) writer.Sample("device", r.device, r.uplink_mbps * 1e6);
  writer.Family("fogline_edge_cloud_stretch",
                "How much longer than alone the cloud takes, as steering sees it.", Metric::kGauge);
  for (const EdgeReport& r : reports) writer.Sample("device", r.device, r.cloud_stretch);
}

/// How it stands with streams and videos.
void AddStreams(MetricsWriter& writer, std::span<const EdgeReport> reports) {
  const auto watched = [](const EdgeReport& r) { return r.source.has_value(); };
  if (std::ranges::none_of(reports, watched)) return;
  writer.Family("fogline_edge_source_giving",
                "1 while a stream gives pictures, 0 while it does not.", Metric::kGauge);
  for (const EdgeReport& r : reports) {
    if (r.source) writer.Sample("device", r.device, r.source->giving ? 1 : 0);
  }
  writer.Family("fogline_edge_source_losses_total",
                "Times that a stream gave nothing more and was begun anew, by why.",
                Metric::kCounter);
  for (const EdgeReport& r : reports) {
    if (!r.source) continue;
    for (size_t i = 0; i < kTroubles; ++i) {
      writer.Sample({{"device", r.device}, {"reason", NameOf(static_cast<Trouble>(i))}},
                    static_cast<double>(r.source->losses[i]));
    }
  }
}

/// What others have not taken yet.
void AddUnread(MetricsWriter& writer, std::span<const EdgeReport> reports) {
  writer.Family("fogline_edge_unsent_bytes", "Bytes that the broker has not taken.",
                Metric::kGauge);
  for (const EdgeReport& r : reports) {
    writer.Sample("device", r.device, static_cast<double>(r.unsent_bytes));
  }
  writer.Family("fogline_edge_answer_bytes", "Lines of --answers that wait for their reader.",
                Metric::kGauge);
  writer.Sample(reports.empty() ? 0 : static_cast<double>(reports.front().answer_bytes));
}

}  // namespace

std::string EdgeMetrics(std::span<const EdgeReport> reports) {
  MetricsWriter writer;
  const auto family = [&](const char* name, const char* help, Metric::Kind kind,
                          uint64_t EdgeReport::*value) {
    writer.Family(name, help, kind);
    for (const EdgeReport& r : reports) {
      writer.Sample("device", r.device, static_cast<double>(r.*value));
    }
  };
  const auto counter = [&](const char* name, const char* help, uint64_t EdgeReport::*value) {
    family(name, help, Metric::kCounter, value);
  };
  const auto gauge = [&](const char* name, const char* help, uint64_t EdgeReport::*value) {
    family(name, help, Metric::kGauge, value);
  };
  counter("fogline_edge_pictures_total", "Pictures taken and understood.", &EdgeReport::images);
  counter("fogline_edge_skipped_total", "Pictures that were damaged.", &EdgeReport::skipped);
  counter("fogline_edge_overtaken_total", "Pictures passed over for newer ones.",
          &EdgeReport::overtaken);
  AddStreams(writer, reports);
  counter("fogline_edge_unplaced_total", "Pictures without a position.", &EdgeReport::unplaced);
  counter("fogline_edge_unreported_total", "Negative pictures, not sent.", &EdgeReport::unreported);
  counter("fogline_edge_early_total", "Pictures done with at an early exit.", &EdgeReport::early);
  counter("fogline_edge_audited_total",
          "Pictures that were sure at an early exit and were sent on all the same.",
          &EdgeReport::audited);
  counter("fogline_edge_unchanged_total",
          "Pictures like the last stored one, of which its result was said again.",
          &EdgeReport::unchanged);
  counter("fogline_edge_unchanged_audited_total",
          "Pictures as little changed that went their way all the same.",
          &EdgeReport::unchanged_audited);
  counter("fogline_edge_unchanged_differ_total",
          "Of those, pictures that got another class than the one that they are like.",
          &EdgeReport::unchanged_differ);
  counter("fogline_edge_switches_total", "Pictures that went another route than the one before.",
          &EdgeReport::switches);
  counter("fogline_edge_probes_total", "Of those, pictures that were to tell what a route costs.",
          &EdgeReport::probes);
  AddRoutes(writer, reports);
  counter("fogline_edge_sent_total", "Frames made.", &EdgeReport::sent);
  counter("fogline_edge_local_total", "Frames run here while the cloud was silent.",
          &EdgeReport::local);
  counter("fogline_edge_stored_total", "Frames that the cloud has stored.", &EdgeReport::stored);
  counter("fogline_edge_duplicates_total", "Repeats of frames stored before.",
          &EdgeReport::duplicates);
  counter("fogline_edge_refused_total", "Frames refused for ever by the cloud or the broker.",
          &EdgeReport::refused);
  gauge("fogline_edge_dead_letters", "Refused frames in the spool's dead-letter folder.",
        &EdgeReport::dead);
  counter("fogline_edge_dead_letters_dropped_total", "Refused frames that it had no room for.",
          &EdgeReport::dead_dropped);
  gauge("fogline_edge_waiting_frames", "Frames that the cloud cannot take yet.",
        &EdgeReport::waiting);
  counter("fogline_edge_dropped_total", "Frames given up for want of room.", &EdgeReport::dropped);
  counter("fogline_edge_stale_total", "Frames given up past their deadline.", &EdgeReport::stale);
  counter("fogline_edge_unspooled_total", "Frames sent without a copy on disk.",
          &EdgeReport::unspooled);
  writer.Family("fogline_edge_connected", "1 with a broker, 0 without.", Metric::kGauge);
  for (const EdgeReport& r : reports) writer.Sample("device", r.device, r.connected ? 1 : 0);
  gauge("fogline_edge_window_frames", "Frames under way.", &EdgeReport::window);
  gauge("fogline_edge_spool_frames", "Frames on disk.", &EdgeReport::kept);
  gauge("fogline_edge_spool_bytes", "What they take.", &EdgeReport::kept_bytes);
  AddUnread(writer, reports);
  writer.Family("fogline_edge_latency_seconds", "From reading a picture to its stored answer.",
                Metric::kGauge);
  for (const EdgeReport& r : reports) {
    for (const auto& [quantile, ms] :
         {std::pair{"0.5", r.total_ms.p50}, {"0.95", r.total_ms.p95}, {"0.99", r.total_ms.p99}}) {
      // Of a single device by quantile alone, as it has always been.
      if (reports.size() == 1) {
        writer.Sample("quantile", quantile, ms / 1000);
      } else {
        writer.Sample({{"device", r.device}, {"quantile", quantile}}, ms / 1000);
      }
    }
  }
  return writer.Take();
}

}  // namespace fogline::cli
