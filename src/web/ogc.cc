// OGC API - Features, Part 1: Core (OGC 17-069r4): detections for programs of geographers.
#include <charconv>
#include <cmath>

#include "base/json_writer.h"
#include "web/ogc_time.h"
#include "web/row_pages.h"
#include "web/site.h"

namespace fogline {
namespace {

constexpr int64_t kMostItems = 10'000;
constexpr int64_t kItemsUnlessAsked = 100;
constexpr const char* kGeoJson = "application/geo+json";
constexpr const char* kCrs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
constexpr const char* kItemsPath = "/ogc/collections/detections/items";

void PutLink(JsonWriter& json, std::string_view rel, std::string_view href, std::string_view type,
             std::string_view title) {
  json.Object([&] {
    json.Put("rel", rel);
    json.Put("href", href);
    json.Put("type", type);
    json.Put("title", title);
  });
}

std::string BaseOf(const WebOptions& options, const HttpRequest& request) {
  return options.public_url.empty() ? "http://" + request.host : options.public_url;
}

/// The one collection, as a member of a list or alone.
void PutCollection(JsonWriter& json, const std::string& base, const fogline::Inventory& stock) {
  json.Object([&] {
    json.Put("id", "detections");
    json.Put("title", "Detections");
    json.Put("itemType", "feature");
    json.Object("extent", [&] {
      json.Object("spatial", [&] {
        json.Array("bbox", [&] {
          json.Array([&] {
            for (const int edge : {-180, -90, 180, 90}) json.Put(edge);
          });
        });
        json.Put("crs", kCrs84);
      });
      json.Object("temporal", [&] {
        json.Array("interval", [&] {
          json.Array([&] {
            const bool timed = stock.first_us != 0 || stock.last_us != 0;
            timed ? json.Put(IsoTime(stock.first_us)) : json.Put(nullptr);
            timed ? json.Put(IsoTime(stock.last_us)) : json.Put(nullptr);
          });
        });
      });
    });
    json.Array("crs", [&] { json.Put(kCrs84); });
    json.Array("links", [&] {
      PutLink(json, "self", base + "/ogc/collections/detections", "application/json",
              "This collection");
      PutLink(json, "items", base + kItemsPath, kGeoJson, "Detections");
    });
  });
}

/// The query of the page behind one: as it came, but for where it begins.
std::string NextQuery(std::string_view target, uint64_t after) {
  const size_t mark = target.find('?');
  std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1);
  std::string query = "?";
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == rest.npos ? "" : rest.substr(end + 1);
    if (pair.empty() || pair.substr(0, pair.find('=')) == "after") continue;
    query.append(pair).push_back('&');
  }
  return query + fmt::format("after={}", after);
}

/// Four edges, or six with heights, of which detections have none.
Result<std::optional<Box>> ReadBbox(Parameters& parameters) {
  FOGLINE_TRY(const std::string text, parameters.Text("bbox"));
  if (text.empty() && !parameters.Has("bbox")) return std::nullopt;
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "bbox",
                "must be west,south,east,north in degrees, south below north");
  };
  std::vector<double> edges;
  for (std::string_view rest = text; edges.size() < 7;) {
    const std::string_view word = rest.substr(0, rest.find(','));
    double edge = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), edge);
    if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(edge)) {
      return bad();
    }
    edges.push_back(edge);
    if (word.size() == rest.size()) break;
    rest.remove_prefix(word.size() + 1);
  }
  if (edges.size() == 6) edges = {edges[0], edges[1], edges[3], edges[4]};
  if (edges.size() != 4 || std::abs(edges[0]) > 180 || std::abs(edges[2]) > 180 ||
      std::abs(edges[1]) > 90 || std::abs(edges[3]) > 90 || edges[1] > edges[3]) {
    return bad();
  }
  return Box{edges[0], edges[1], edges[2], edges[3]};
}

/// What the collection is asked for: its own words, and every other filter of /api/detections.
Result<Filter> ReadItemsFilter(Parameters& parameters) {
  FOGLINE_TRY(Filter filter, parameters.ReadFilter());
  FOGLINE_TRY(const auto box, ReadBbox(parameters));
  FOGLINE_TRY(const std::string datetime, parameters.Text("datetime"));
  if (box && filter.box) return Fail(ErrorCode::kUsage, "bbox", "and box are one filter; give one");
  if (box) filter.box = box;
  if (!parameters.Has("datetime")) return filter;
  if (filter.ByTime()) {
    return Fail(ErrorCode::kUsage, "datetime", "and from or to are one filter; give one");
  }
  FOGLINE_TRY(const TimeSpan span, ParseOgcTime(datetime));
  filter.from_us = span.from_us;
  filter.to_us = span.to_us;
  return filter;
}

}  // namespace

Result<HttpResponse> Site::OgcLanding(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  const std::string base = BaseOf(options_, request);
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("title", options_.title);
    json.Put("description", "What cameras found, and where");
    json.Array("links", [&] {
      PutLink(json, "self", base + "/ogc", "application/json", "This document");
      PutLink(json, "service-desc", base + "/openapi.yaml", "application/vnd.oai.openapi",
              "The API");
      PutLink(json, "conformance", base + "/ogc/conformance", "application/json",
              "What of the standard is there");
      PutLink(json, "data", base + "/ogc/collections", "application/json", "The collections");
    });
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::OgcConformance(const HttpRequest&, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Array("conformsTo", [&] {
      json.Put("http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core");
      json.Put("http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson");
    });
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::OgcCollections(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const fogline::Inventory stock, store_.Stock());
  const std::string base = BaseOf(options_, request);
  HttpResponse response;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Array("links", [&] {
      PutLink(json, "self", base + "/ogc/collections", "application/json", "The collections");
    });
    json.Array("collections", [&] { PutCollection(json, base, stock); });
  });
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::OgcCollection(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  FOGLINE_TRY(const fogline::Inventory stock, store_.Stock());
  HttpResponse response;
  JsonWriter json(response.body);
  PutCollection(json, BaseOf(options_, request), stock);
  response.body += '\n';
  return response;
}

/// A page, oldest first: what is stored while somebody pages comes at the end.
Result<HttpResponse> Site::OgcItems(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_TRY(const Filter filter, ReadItemsFilter(parameters));
  // The standard wants the most instead of a refusal where somebody asks for more.
  FOGLINE_TRY(
      const int64_t asked,
      parameters.Integer("limit", 1, std::numeric_limits<int64_t>::max(), kItemsUnlessAsked));
  FOGLINE_CHECK(parameters.Finish());
  const auto limit = static_cast<size_t>(std::min(asked, kMostItems));
  const std::string self = BaseOf(options_, request) + kItemsPath;
  HttpResponse response;
  response.type = kGeoJson;
  Result<RowsRead> rows;
  JsonWriter json(response.body);
  json.Object([&] {
    json.Put("type", "FeatureCollection");
    json.Array("features", [&] {
      rows = ReadRows(store_, Blur(filter), Order::kOldestFirst, limit, [&](const auto& row) {
        PutFeature(json, row, privacy_);
        return response.body.size();
      });
    });
    if (!rows) return;
    json.Put("numberReturned", rows->rows);
    json.Array("links", [&] {
      const size_t mark = request.target.find('?');
      PutLink(json, "self", self + (mark == std::string::npos ? "" : request.target.substr(mark)),
              kGeoJson, "This page");
      if (rows->more) {
        PutLink(json, "next", self + NextQuery(request.target, rows->last_id), kGeoJson,
                "The next page");
      }
      PutLink(json, "collection", BaseOf(options_, request) + "/ogc/collections/detections",
              "application/json", "The collection");
    });
  });
  if (!rows) return Forward(std::move(rows));
  response.body += '\n';
  return response;
}

Result<HttpResponse> Site::OgcItem(const HttpRequest& request, Parameters& parameters) {
  FOGLINE_CHECK(parameters.Finish());
  const std::string number = parameters.path().substr(std::string_view(kItemsPath).size() + 1);
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const bool is_id =
      error == std::errc() && end == number.data() + number.size() && id > 0 && id < kMost;
  std::vector<StoredDetection> rows;
  if (is_id) {
    FOGLINE_TRY(rows,
                store_.Query({.after_id = id - 1, .before_id = id + 1}, Order::kOldestFirst, 1));
  }
  if (rows.empty()) return Fail(ErrorCode::kNotFound, "", "there is no such detection");
  const std::string base = BaseOf(options_, request);
  HttpResponse response;
  response.type = kGeoJson;
  JsonWriter json(response.body);
  PutFeature(json, rows[0], privacy_);
  response.body.pop_back();  // its brace: links belong to it here
  JsonWriter more = JsonWriter::Within(response.body, false);
  more.Array("links", [&] {
    PutLink(more, "self", base + kItemsPath + "/" + number, kGeoJson, "This detection");
    PutLink(more, "collection", base + "/ogc/collections/detections", "application/json",
            "The collection");
  });
  response.body += "}\n";
  return response;
}

}  // namespace fogline
