// The read-only API: detections, hexagons, what there is, how long it took.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/stats.h"
#include "base/text.h"
#include "profile/library.h"
#include "web/site.h"

namespace fogline {
namespace {

constexpr int64_t kMostRows = 10'000;
constexpr size_t kMostCells = 30'000;
constexpr int64_t kMostBins = 1'000;
constexpr size_t kStatsRows = 2'000;
/// Predictions that one request may have worked out; those for other devices follow when it is
/// asked again.
constexpr size_t kMostFresh = 16;

std::string Tallies(const std::vector<ValueTally>& tallies) {
  std::string out = "[";
  for (const ValueTally& tally : tallies) {
    fmt::format_to(std::back_inserter(out),
                   "{}{{\"name\":{},\"count\":{},\"positives\":{},\"bytes\":{},\"first\":{},"
                   "\"last\":{}}}",
                   out.size() > 1 ? "," : "", JsonQuote(tally.text), tally.count, tally.positives,
                   tally.payload_bytes, tally.first_us / 1000, tally.last_us / 1000);
  }
  return out + "]";
}

std::string Quantiles(const std::vector<double>& samples) {
  return fmt::format("{{\"p50\":{:.4g},\"p95\":{:.4g},\"n\":{}}}", Quantile(samples, 0.5),
                     Quantile(samples, 0.95), samples.size());
}

}  // namespace

/// A box compares rounded positions when positions leave rounded; otherwise ever smaller boxes
/// would give the true position away. round(x) >= s is x >= (ceil(s) - 1/2), in units of the grid.
Filter Site::Blur(Filter filter) const {
  if (!privacy_.decimals || !filter.box) return filter;
  const double scale = std::pow(10.0, *privacy_.decimals);
  const auto low = [&](double edge) { return (std::ceil(edge * scale - 1e-6) - 0.5) / scale; };
  const auto high = [&](double edge) { return (std::floor(edge * scale + 1e-6) + 0.5) / scale; };
  filter.box = Box{low(filter.box->west), low(filter.box->south), high(filter.box->east),
                   high(filter.box->north)};
  return filter;
}

Result<HttpResponse> Site::Config(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  HttpResponse response;
  const bool tiles = IsTileAddress(options_.basemap);
  response.body = fmt::format(
      "{{\"title\":{},\"epoch\":\"{}\",\"thumbnails\":{},\"decimals\":{},"
      "\"basemap\":{{\"kind\":\"{}\",\"url\":{},\"attribution\":{}}}}}\n",
      JsonQuote(options_.title), store_.epoch(), privacy_.thumbnails,
      privacy_.decimals ? fmt::to_string(*privacy_.decimals) : "null",
      options_.basemap.empty() ? "land"
      : tiles                  ? "tiles"
                               : "pmtiles",
      JsonQuote(tiles ? options_.basemap : "/basemap.pmtiles"),
      JsonQuote(options_.basemap_attribution));
  return response;
}

Result<uint64_t> Site::Untimed(const Filter& filter) {
  if (!filter.ByTime()) return 0;
  return timelines_.Untimed(Blur(filter));
}

Result<HttpResponse> Site::Detections(const HttpRequest&, Parameters& parameters) {
  FOGLINE_TRY(Filter filter, parameters.ReadFilter());
  FOGLINE_TRY(const std::string order, parameters.Choice("order", {"newest", "oldest"}));
  FOGLINE_TRY(const std::string format, parameters.Choice("format", {"json", "geojson", "csv"}));
  FOGLINE_TRY(const int64_t limit, parameters.Integer("limit", 1, kMostRows, 500));
  FOGLINE_CHECK(parameters.Finish());
  // What is stored meanwhile is left to the stream that starts here: no hole, no double.
  FOGLINE_TRY(const uint64_t last_id, store_.LastId());
  filter.before_id = std::min(filter.before_id, last_id + 1);
  FOGLINE_TRY(
      const auto rows,
      store_.Query(Blur(filter), order == "newest" ? Order::kNewestFirst : Order::kOldestFirst,
                   static_cast<size_t>(limit)));
  HttpResponse response;
  std::string& out = response.body;
  // No row at or below it will come any more: a page that asks from further back has a hole.
  FOGLINE_TRY(const uint64_t forgotten, store_.ForgottenId());
  response.headers.emplace_back("Fogline-Oldest", fmt::to_string(forgotten + 1));
  FOGLINE_TRY(const uint64_t untimed, Untimed(filter));
  response.headers.emplace_back("Fogline-Untimed", fmt::to_string(untimed));
  if (format == "csv") {
    response.type = "text/csv; charset=utf-8";
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"detections.csv\"");
    out = CsvHeader();
    for (const StoredDetection& row : rows) AppendCsv(out, row, privacy_);
    return response;
  }
  const bool geo = format == "geojson";
  if (geo) {
    response.type = "application/geo+json";
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"detections.geojson\"");
    out = "{\"type\":\"FeatureCollection\",\"features\":[";
  } else {
    out = fmt::format(
        "{{\"epoch\":\"{}\",\"oldest\":{},\"last_id\":{},\"more\":{},\"untimed\":{},"
        "\"detections\":[",
        store_.epoch(), forgotten + 1, last_id, rows.size() == static_cast<size_t>(limit), untimed);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ",\n";
    geo ? AppendGeoJson(out, rows[i], privacy_) : AppendJson(out, rows[i], privacy_);
  }
  out += "]}\n";
  return response;
}

Result<HttpResponse> Site::Events(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_TRY(const std::string after, parameters.Text("after"));
  FOGLINE_CHECK(parameters.Finish());
  HttpResponse response;
  response.type = "text/event-stream";
  response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would hold events back
  // A browser that reconnects says where it was; the address holds only where the page began.
  response.events_after = request.last_event_id.empty() ? after : request.last_event_id;
  return response;
}

Result<HttpResponse> Site::BasemapTiles(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  if (!basemap_) return Fail(ErrorCode::kNotFound, "", "this server has no base map");
  return basemap_->Read(request);
}

Result<HttpResponse> Site::FleetNow(const HttpRequest&, Parameters& parameters) {
  // Strangers name machines of the library; files are the operator's to give.
  PredictBy by = options_.predict;
  FOGLINE_TRY(const std::string edge_asked, parameters.Text("edge"));
  FOGLINE_TRY(const std::string cloud, parameters.Text("cloud"));
  FOGLINE_TRY(const std::string link, parameters.Text("link"));
  const bool files = edge_asked.empty() && cloud.empty() && link.empty();
  if (!files) {
    by = {};
    by.edge = edge_asked;
    if (!cloud.empty()) by.cloud = cloud;
    if (!link.empty()) by.link = link;
    if (!by.edge.empty()) {
      FOGLINE_CHECK(FindLibraryMachine(by.edge, "edge").map([](const auto&) {}));
    }
    FOGLINE_CHECK(FindLibraryMachine(by.cloud, "cloud").map([](const auto&) {}));
    FOGLINE_CHECK(FindLibraryLink(by.link, "link").map([](const auto&) {}));
  }
  FOGLINE_CHECK(parameters.Finish());
  HttpResponse response;
  std::string& out = response.body;
  out = fleet_.Json();
  out.erase(out.rfind('}'));
  out += ",\"figures\":[";
  if (options_.metrics) {
    bool first = true;
    for (const Metric& metric : options_.metrics()) {
      const bool one_of_many = !metric.label.empty();
      if (one_of_many && metric.value == 0) continue;
      const std::string help =
          one_of_many ? fmt::format("{}: {}", metric.help, metric.label_value) : metric.help;
      fmt::format_to(std::back_inserter(out), "{}{{\"name\":{},\"help\":{},\"value\":{}}}",
                     first ? "" : ",", JsonQuote(metric.name), JsonQuote(help), metric.value);
      first = false;
    }
  }
  fmt::format_to(std::back_inserter(out),
                 "],\"predicted_by\":{{\"edge\":{},\"cloud\":{},\"link\":{}}},\"predictions\":[",
                 JsonQuote(by.edge), JsonQuote(by.cloud), JsonQuote(by.link));
  bool first = true;
  size_t fresh = kMostFresh;
  for (const FleetMemory::Way& way : fleet_.Ways()) {
    const auto own = by.devices.find(way.device);
    const std::string& edge = own == by.devices.end() ? by.edge : own->second;
    if (edge.empty()) continue;
    out += first ? "" : ",";
    out += PredictionJson(way, edge, predictor_.Predict(way, by, files, fresh));
    first = false;
  }
  out += "]}\n";
  return response;
}

Result<HttpResponse> Site::Health(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const uint64_t last_id, store_.LastId());
  HttpResponse response;
  response.body = fmt::format("{{\"status\":\"ok\",\"last_id\":{}}}\n", last_id);
  return response;
}

Result<HttpResponse> Site::Hexagons(const HttpRequest&, Parameters& parameters) {
  FOGLINE_TRY(Filter filter, parameters.ReadFilter());
  FOGLINE_TRY(int64_t level, parameters.Integer("level", 0, HexGrid::kMaxLevel, 3));
  FOGLINE_TRY(const int64_t points, parameters.Integer("points", 0, kMostRows, 0));
  FOGLINE_CHECK(parameters.Finish());
  if (privacy_.decimals) {
    // No hexagon narrower than the grid that positions are rounded to: 16·2^level ≤ 360·10^d.
    const double finest = std::log2(360.0 / 16 * std::pow(10.0, *privacy_.decimals));
    level = std::min(level, static_cast<int64_t>(std::max(0.0, finest)));
  }
  filter = Blur(filter);
  FOGLINE_TRY(const uint64_t last_id, store_.LastId());
  filter.before_id = std::min(filter.before_id, last_id + 1);
  FOGLINE_TRY(const uint64_t forgotten, store_.ForgottenId());
  FOGLINE_TRY(const uint64_t untimed, Untimed(filter));
  FOGLINE_TRY(const auto cells, store_.Hexagons(filter, static_cast<int>(level)));
  if (cells.size() > kMostCells) {
    return Fail(ErrorCode::kUsage, "level", "{} is too fine for this box: {} hexagons, at most {}",
                level, cells.size(), kMostCells);
  }
  const HexGrid grid(static_cast<int>(level));
  HttpResponse response;
  std::string& out = response.body;
  uint64_t total = 0;
  for (const HexCount& cell : cells) total += cell.count;
  out = fmt::format(
      "{{\"epoch\":\"{}\",\"oldest\":{},\"last_id\":{},\"level\":{},\"total\":{},"
      "\"untimed\":{},\"cells\":[",
      store_.epoch(), forgotten + 1, last_id, level, total, untimed);
  bool first = true;
  for (const HexCount& cell : cells) {
    const LonLat center = grid.Center(cell.cell);
    fmt::format_to(std::back_inserter(out), "{}[{:.8g},{:.8g},{},{},{:.3g},{}]", first ? "" : ",",
                   center.lon, center.lat, cell.count, cell.positives, cell.max_score,
                   cell.newest_us / 1000);
    first = false;
  }
  out += ']';
  // Few enough to be drawn one by one: the rows themselves come along, which saves a round trip.
  if (total > 0 && total <= static_cast<uint64_t>(points)) {
    if (!filter.box) filter.box = Box{};
    FOGLINE_TRY(const auto rows, store_.Query(filter, Order::kNewestFirst, total));
    out += ",\"detections\":[";
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i > 0) out += ",\n";
      AppendJson(out, rows[i], privacy_);
    }
    out += ']';
  }
  out += "}\n";
  return response;
}

Result<HttpResponse> Site::Inventory(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const fogline::Inventory stock, store_.Stock());
  HttpResponse response;
  response.body = fmt::format(
      "{{\"epoch\":\"{}\",\"count\":{},\"oldest\":{},\"last_id\":{},\"first\":{},\"last\":{},"
      "\"devices\":{},"
      "\"labels\":{},\"mechanisms\":{},\"models\":{}}}\n",
      store_.epoch(), stock.count, stock.forgotten_id + 1, stock.last_id, stock.first_us / 1000,
      stock.last_us / 1000, Tallies(stock.devices), Tallies(stock.labels),
      Tallies(stock.mechanisms), Tallies(stock.models));
  return response;
}

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
  one("fogline_http_connections", "Connections open", Metric::kGauge, counters_.connections);
  one("fogline_streams", "Event streams open", Metric::kGauge, counters_.streams);
  one("fogline_streams_opened_total", "Event streams opened", Metric::kCounter,
      counters_.streams_opened);
  one("fogline_streams_dropped_total", "Event streams dropped because the client was too slow",
      Metric::kCounter, counters_.streams_dropped);
  one("fogline_slow_requests_total", "Connections cut off before their request was whole",
      Metric::kCounter, counters_.slow_requests);
  one("fogline_turned_away_total", "Requests told to come back, since too many waited",
      Metric::kCounter, counters_.turned_away);
  one("fogline_event_bytes_total", "Bytes of events sent", Metric::kCounter, counters_.event_bytes);
  one("fogline_store_errors_total", "Questions that the store did not answer", Metric::kCounter,
      counters_.store_errors);
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
  std::string& out = response.body;
  out = fmt::format("{{\"rows\":{},\"mechanisms\":[", rows.size());
  bool first = true;
  for (const auto& [name, mechanism] : mechanisms) {
    fmt::format_to(std::back_inserter(out),
                   "{}{{\"name\":{},\"bytes\":{},\"total_ms\":{},\"without_waits_ms\":{},"
                   "\"stages_ms\":{{",
                   first ? "" : ",", JsonQuote(name), Quantiles(mechanism.bytes),
                   Quantiles(mechanism.total), Quantiles(mechanism.without_waits));
    first = false;
    bool first_stage = true;
    for (const StageField& stage : kStages) {
      const auto samples = mechanism.stages.find(stage.name);
      if (samples == mechanism.stages.end()) continue;
      fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", first_stage ? "" : ",", stage.name,
                     Quantiles(samples->second));
      first_stage = false;
    }
    out += "}}";
  }
  out += "]}\n";
  return response;
}

Result<HttpResponse> Site::Thumbnail(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  if (!privacy_.thumbnails) return Fail(ErrorCode::kNotFound, "", "pictures are not shown here");
  std::string_view number = parameters.path();
  number.remove_prefix(std::string_view("/api/thumbnails/").size());
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  if (error != std::errc() || end != number.data() + number.size()) {
    return Fail(ErrorCode::kNotFound, "", "no such picture");
  }
  auto jpeg = store_.Thumbnail(id);
  if (!jpeg && jpeg.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound, "", "no such picture");
  }
  if (!jpeg) return Forward(std::move(jpeg));
  HttpResponse response;
  response.type = "image/jpeg";
  response.compressible = false;
  response.body.assign(reinterpret_cast<const char*>(jpeg->data()), jpeg->size());
  response.headers.emplace_back("Cache-Control", "private, max-age=86400");
  return response;
}

Result<HttpResponse> Site::Timeline(const HttpRequest&, Parameters& parameters) {
  // The whole time, unless `from` and `to` say which part; they bound the line, and so the filter.
  FOGLINE_TRY(const Filter filter, parameters.ReadFilter());
  FOGLINE_TRY(const int64_t bins, parameters.Integer("bins", 1, kMostBins, 120));
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const TimelineCache::Line* line,
              timelines_.Count(Blur(filter), static_cast<size_t>(bins)));
  const auto& counts = line->counts.bins;
  HttpResponse response;
  std::string& out = response.body;
  out = fmt::format("{{\"from\":{},\"to\":{},\"untimed\":{},\"bins\":[", line->from_us / 1000,
                    line->to_us / 1000, line->counts.untimed);
  for (size_t i = 0; i < counts.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}[{},{}]", i > 0 ? "," : "", counts[i].count,
                   counts[i].positives);
  }
  out += "]}\n";
  return response;
}

}  // namespace fogline
