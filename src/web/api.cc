// The read-only API: detections, hexagons, what there is, how long it took.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "profile/library.h"
#include "vision/exif_block.h"
#include "web/row_pages.h"
#include "web/site.h"

namespace fogline {
namespace {

constexpr int64_t kMostRows = 10'000;
constexpr size_t kMostCells = 30'000;
constexpr int64_t kMostBins = 1'000;
/// Predictions that one request may have worked out; those for other devices follow when it is
/// asked again.
constexpr size_t kMostFresh = 16;

void PutTallies(JsonWriter& json, std::string_view key, const std::vector<ValueTally>& tallies) {
  json.List(key, tallies, [&](const ValueTally& tally) {
    json.Object([&] {
      json.Put("name", tally.text);
      json.Put("count", tally.count);
      json.Put("positives", tally.positives);
      json.Put("bytes", tally.payload_bytes);
      json.Put("first", ShownMs(tally.first_us));
      json.Put("last", ShownMs(tally.last_us));
    });
  });
}

/// A machine or link as visitors see it: where an operator's file lies is the operator's business.
std::string NameShown(const std::string& given) { return given.substr(given.rfind('/') + 1); }

}  // namespace

/// Hexagons and boxes are of rounded positions when positions leave rounded; otherwise ever smaller
/// ones would give the true position away. round(x) >= s is x >= (ceil(s) - 1/2), in units of the
/// grid.
Filter Site::Blur(Filter filter) const {
  filter.decimals = privacy_.decimals;
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
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("title", options_.title);
    json.Put("epoch", store_.epoch());
    json.Put("thumbnails", privacy_.thumbnails);
    privacy_.decimals ? json.Put("decimals", *privacy_.decimals) : json.Put("decimals", nullptr);
    json.Object("basemap", [&] {
      json.Put("kind", basemap_choice_.name());
      json.Put("url", basemap_choice_.url);
      json.Put("attribution", basemap_choice_.attribution);
    });
  });
  response.body += '\n';
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
  // No row at or below it will come any more: a page that asks from further back has a hole.
  FOGLINE_TRY(const uint64_t forgotten, store_.ForgottenId());
  FOGLINE_TRY(const uint64_t untimed, Untimed(filter));
  HttpResponse response;
  std::string& out = response.body;
  const auto read = [&](const std::function<void(const StoredDetection&)>& put) {
    return ReadRows(store_, Blur(filter),
                    order == "newest" ? Order::kNewestFirst : Order::kOldestFirst,
                    static_cast<size_t>(limit), [&](const StoredDetection& row) {
                      put(row);
                      return out.size();
                    });
  };
  Result<RowsRead> rows;
  JsonWriter json(out);
  if (format == "csv") {
    response.type = "text/csv; charset=utf-8";
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"detections.csv\"");
    out = CsvHeader();
    rows = read([&](const StoredDetection& row) { AppendCsv(out, row, privacy_); });
  } else if (format == "geojson") {
    response.type = "application/geo+json";
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"detections.geojson\"");
    json.Object([&] {
      json.Put("type", "FeatureCollection");
      json.Array("features", [&] {
        rows = read([&](const StoredDetection& row) { PutFeature(json, row, privacy_); });
      });
    });
    out += '\n';
  } else {
    json.Object([&] {
      json.Put("epoch", store_.epoch());
      json.Put("oldest", forgotten + 1);
      json.Put("last_id", last_id);
      json.Put("untimed", untimed);
      json.Array("detections", [&] {
        rows = read([&](const StoredDetection& row) { PutDetection(json, row, privacy_); });
      });
      json.Put("more", rows && rows->more);
    });
    out += '\n';
  }
  if (!rows) return Forward(std::move(rows));
  response.headers.emplace_back("Fogline-Oldest", fmt::to_string(forgotten + 1));
  response.headers.emplace_back("Fogline-Untimed", fmt::to_string(untimed));
  if (rows->more) response.headers.emplace_back("Fogline-More", fmt::to_string(rows->last_id));
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
  JsonWriter json = JsonWriter::Within(out, false);
  json.Array("figures", [&] {
    if (!options_.metrics) return;
    for (const Metric& metric : options_.metrics()) {
      const bool one_of_many = !metric.label.empty();
      if (one_of_many && metric.value == 0) continue;
      json.Object([&] {
        json.Put("name", metric.name);
        json.Put("help", one_of_many ? fmt::format("{}: {}", metric.help, metric.label_value)
                                     : std::string(metric.help));
        json.Put("value", metric.value);
      });
    }
  });
  json.Object("predicted_by", [&] {
    json.Put("edge", NameShown(by.edge));
    json.Put("cloud", NameShown(by.cloud));
    json.Put("link", NameShown(by.link));
  });
  size_t fresh = kMostFresh;
  json.List("predictions", fleet_.Ways(), [&](const FleetMemory::Way& way) {
    const auto own = by.devices.find(way.device);
    const std::string& edge = own == by.devices.end() ? by.edge : own->second;
    if (edge.empty()) return;
    PutPrediction(json, way, NameShown(edge), predictor_.Predict(way, by, files, fresh));
  });
  out += "}\n";
  return response;
}

Result<HttpResponse> Site::Found(const HttpRequest&, Parameters& parameters) {
  FOGLINE_TRY(Filter filter, parameters.ReadFilter());
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const uint64_t counted, store_.CountedId());
  filter.before_id = std::min(filter.before_id, counted + 1);
  FOGLINE_TRY(const auto tallies, store_.Found(Blur(filter)));
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.List("found", tallies, [&](const FoundTally& tally) {
      json.Object([&] {
        json.Put("label", tally.label);
        json.Put("pictures", tally.pictures);
        json.Put("boxes", tally.boxes);
      });
    });
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::Health(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const uint64_t last_id, store_.LastId());
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("status", "ok");
    json.Put("last_id", last_id);
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::Ready(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  std::optional<CloudState> cloud;
  if (options_.cloud) cloud = options_.cloud();
  const Readiness found = readiness_.Ask(cloud);
  HttpResponse response;
  response.status = found.ready() ? 200 : 503;
  response.body = found.ToJson();
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
  // Of a large store that was opened a moment ago only the beginning may be known.
  FOGLINE_TRY(uint64_t counted, store_.CountedId());
  counted = std::min(counted, last_id);
  filter.before_id = std::min(filter.before_id, counted + 1);
  FOGLINE_TRY(const uint64_t forgotten, store_.ForgottenId());
  FOGLINE_TRY(const uint64_t untimed, Untimed(filter));
  FOGLINE_TRY(const auto cells, store_.Hexagons(filter, static_cast<int>(level)));
  if (cells.size() > kMostCells) {
    return Fail(ErrorCode::kUsage, "level", "{} is too fine for this box: {} hexagons, at most {}",
                level, cells.size(), kMostCells);
  }
  const HexGrid grid(static_cast<int>(level));
  uint64_t total = 0;
  for (const HexCount& cell : cells) total += cell.count;
  // Few enough to be drawn one by one: the rows themselves come along, which saves a round trip.
  const bool with_rows = total > 0 && total <= static_cast<uint64_t>(points);
  std::string rows;
  bool whole = false;
  if (with_rows) {
    if (!filter.box) filter.box = Box{};
    JsonWriter list(rows);
    Result<RowsRead> read;
    list.Array([&] {
      read = ReadRows(store_, filter, Order::kNewestFirst, total, [&](const StoredDetection& row) {
        PutDetection(list, row, privacy_);
        return rows.size();
      });
    });
    if (!read) return Forward(std::move(read));
    whole = read->rows >= total || !read->more;
  }
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("epoch", store_.epoch());
    json.Put("oldest", forgotten + 1);
    json.Put("last_id", last_id);
    json.Put("counted_id", counted);
    json.Put("level", level);
    json.Put("total", total);
    json.Put("untimed", untimed);
    json.List("cells", cells, [&](const HexCount& cell) {
      const LonLat center = grid.Center(cell.cell);
      json.Array([&] {
        json.Put(Rounded{center.lon, 8});
        json.Put(Rounded{center.lat, 8});
        json.Put(cell.count);
        json.Put(cell.positives);
        json.Put(Rounded{cell.max_score, 3});
        json.Put(ShownMs(cell.newest_us));
      });
    });
    if (whole) json.PutJson("detections", rows);
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::Inventory(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const fogline::Inventory stock, store_.Stock());
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("epoch", store_.epoch());
    json.Put("count", stock.count);
    json.Put("oldest", stock.forgotten_id + 1);
    json.Put("last_id", stock.last_id);
    json.Put("first", ShownMs(stock.first_us));
    json.Put("last", ShownMs(stock.last_us));
    PutTallies(json, "devices", stock.devices);
    PutTallies(json, "labels", stock.labels);
    PutTallies(json, "mechanisms", stock.mechanisms);
    PutTallies(json, "models", stock.models);
  });
  response.body += '\n';
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
  const auto pixels = PixelsAlone(*jpeg);  // a device's camera may have written where it was
  if (pixels.empty()) return Fail(ErrorCode::kNotFound, "", "no such picture");
  response.body.assign(reinterpret_cast<const char*>(pixels.data()), pixels.size());
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
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("from", line->from_us / 1000);
    json.Put("to", line->to_us / 1000);
    json.Put("untimed", line->counts.untimed);
    json.List("bins", line->counts.bins, [&](const auto& bin) {
      json.Array([&] {
        json.Put(bin.count);
        json.Put(bin.positives);
      });
    });
  });
  response.body += '\n';
  return response;
}

}  // namespace fogline
