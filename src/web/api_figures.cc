// What the server measures: figures for Prometheus, and how long detections took.
#include <cmath>
#include <map>

#include "base/json_writer.h"
#include "base/stats.h"
#include "web/site.h"

namespace fogline {
namespace {

constexpr size_t kStatsRows = 2'000;

void PutQuantiles(JsonWriter& json, std::string_view key, const std::vector<double>& samples) {
  json.Object(key, [&] {
    json.Put("p50", Rounded{Quantile(samples, 0.5), 4});
    json.Put("p95", Rounded{Quantile(samples, 0.95), 4});
    json.Put("n", samples.size());
  });
}

}  // namespace

Result<HttpResponse> Site::Metrics(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const fogline::Inventory stock, store_.Stock());
  MetricsWriter out;
  const auto one = [&](std::string_view name, std::string_view help, Metric::Kind kind,
                       uint64_t value) {
    out.Family(name, help, kind);
    out.Sample(static_cast<double>(value));
  };
  one("fogline_detections_stored", "Detections in the store", Metric::kGauge, stock.count);
  one("fogline_detections_forgotten", "Highest id of a detection that was forgotten",
      Metric::kGauge, stock.forgotten_id);
  out.Family("fogline_detections_by_mechanism", "Detections in the store by mechanism",
             Metric::kGauge);
  for (const ValueTally& tally : stock.mechanisms) {
    out.Sample("mechanism", tally.text, static_cast<double>(tally.count));
  }
  out.Family("fogline_payload_bytes_by_mechanism", "Bytes that crossed the network by mechanism",
             Metric::kGauge);
  for (const ValueTally& tally : stock.mechanisms) {
    out.Sample("mechanism", tally.text, static_cast<double>(tally.payload_bytes));
  }
  one("fogline_devices", "Devices that have ever sent", Metric::kGauge, stock.devices.size());
  out.Family("fogline_http_responses_total", "HTTP answers by status", Metric::kCounter);
  for (size_t status = 0; status < counters_.responses.size(); ++status) {
    const uint64_t count = counters_.responses[status];
    if (count > 0) out.Sample("status", fmt::to_string(status), static_cast<double>(count));
  }
  using Limited = WebCounters::Limited;
  one("fogline_http_connections", "Connections open", Metric::kGauge,
      counters_.Held(Limited::kConnections));
  one("fogline_http_answer_bytes", "Answers and events that wait to be taken, in memory",
      Metric::kGauge, counters_.Held(Limited::kBytes));
  out.Family("fogline_http_limited_total",
             "Times that a client was turned away, by what was used up", Metric::kCounter);
  for (size_t i = 0; i < WebCounters::kLimits; ++i) {
    out.Sample("limit", WebCounters::kLimitNames[i], static_cast<double>(counters_.limited[i]));
  }
  one("fogline_streams", "Event streams open", Metric::kGauge, counters_.Held(Limited::kStreams));
  one("fogline_streams_opened_total", "Event streams opened", Metric::kCounter,
      counters_.streams_opened);
  one("fogline_streams_dropped_total", "Event streams dropped because the client was too slow",
      Metric::kCounter, counters_.streams_dropped);
  one("fogline_slow_requests_total", "Connections cut off before their request was whole",
      Metric::kCounter, counters_.slow_requests);
  one("fogline_turned_away_total", "Requests told to come back (503)", Metric::kCounter,
      counters_.turned_away);
  one("fogline_event_bytes_total", "Bytes of events sent", Metric::kCounter, counters_.event_bytes);
  one("fogline_store_errors_total", "Questions that the store did not answer", Metric::kCounter,
      counters_.store_errors);
  const StoreHeld held = store_.Held();
  one("fogline_store_mirrored_rows", "Rows that are mirrored in memory to be counted",
      Metric::kGauge, held.mirrored_rows);
  one("fogline_store_mirrored_bytes", "What they take, about", Metric::kGauge, held.mirrored_bytes);
  one("fogline_store_name_bytes", "Names of devices and labels that connections remember",
      Metric::kGauge, held.name_bytes);
  out.Family("fogline_web_remembered", "Things that the server remembers", Metric::kGauge);
  for (const auto& [what, count] : {std::pair{"time lines", timelines_.lines()},
                                    {"devices of the fleet", fleet_.devices()},
                                    {"predictions", predictor_.predictions()},
                                    {"networks of the planner", planner_.networks()}}) {
    out.Sample("what", what, static_cast<double>(count));
  }
  if (options_.metrics) {
    std::string family;
    for (const Metric& metric : options_.metrics()) {
      if (metric.name != family) out.Family(metric.name, metric.help, metric.kind);
      family = metric.name;
      if (metric.label.empty()) {
        out.Sample(metric.value);
      } else {
        out.Sample(metric.label, metric.label_value, metric.value);
      }
    }
  }
  HttpResponse response;
  response.type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = out.Take();
  return response;
}

Result<HttpResponse> Site::Stats(const HttpRequest&, Parameters& parameters) {
  FOGLINE_TRY(const Filter filter, parameters.ReadFilter());
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const auto rows, store_.Query(Blur(filter), Order::kNewestFirst, kStatsRows));
  struct Mechanism {
    std::vector<double> bytes, total, without_waits;
    std::map<std::string_view, std::vector<double>> stages;
  };
  std::map<std::string, Mechanism> mechanisms;
  for (const StoredDetection& row : rows) {
    const Detection& d = row.detection;
    Mechanism& mechanism = mechanisms[d.mechanism];
    mechanism.bytes.push_back(d.payload_bytes);
    mechanism.total.push_back(d.stages.Total());
    mechanism.without_waits.push_back(d.stages.WithoutWaits());
    for (const StageField& stage : kStages) {
      const float time = d.stages.*stage.time_ms;
      if (std::isfinite(time)) mechanism.stages[stage.name].push_back(time);
    }
  }
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("rows", rows.size());
    json.List("mechanisms", mechanisms, [&](const auto& entry) {
      const Mechanism& mechanism = entry.second;
      json.Object([&] {
        json.Put("name", entry.first);
        PutQuantiles(json, "bytes", mechanism.bytes);
        PutQuantiles(json, "total_ms", mechanism.total);
        PutQuantiles(json, "without_waits_ms", mechanism.without_waits);
        json.Object("stages_ms", [&] {
          for (const StageField& stage : kStages) {
            const auto samples = mechanism.stages.find(stage.name);
            if (samples != mechanism.stages.end()) PutQuantiles(json, stage.name, samples->second);
          }
        });
      });
    });
  });
  response.body += '\n';
  return response;
}

}  // namespace fogline
