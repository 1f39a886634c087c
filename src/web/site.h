// What is where: the page's files, the API, the health check.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"
#include "web/basemap.h"
#include "web/basemap_choice.h"
#include "web/counters.h"
#include "web/detection_text.h"
#include "web/fleet_memory.h"
#include "web/http.h"
#include "web/parameters.h"
#include "web/planner.h"
#include "web/predictor.h"
#include "web/readiness.h"
#include "web/timeline_cache.h"
#include "web/web_server.h"

namespace fogline {

/// Answers requests; knows nothing of sockets. Requests of different paces may be answered at once,
/// those of one pace one after the other.
class Site {
 public:
  /// Who answers: kQuick costs next to nothing (the page's files, the health check, where a stream
  /// begins), kProbe tries whether the store can be written, others may read much of the store, or
  /// reckon.
  enum class Pace { kQuick, kProbe, kWork };
  static Pace PaceOf(std::string_view target);

  /// kUsage, kNotFound or kInvalid for a base map that cannot be served.
  static Result<std::unique_ptr<Site>> Make(const WebOptions& options, Store& store,
                                            const FleetMemory& fleet, WebCounters& counters);

  /// The paths it answers at, beside the page's files.
  static std::vector<std::string_view> Paths();

  /// Never fails: every error is an answer. Security headers are in it already.
  HttpResponse Handle(const HttpRequest& request);

 private:
  Site(const WebOptions& options, BasemapChoice basemap, Store& store, const FleetMemory& fleet,
       WebCounters& counters);
  using Handler = Result<HttpResponse> (Site::*)(const HttpRequest&, Parameters&);
  struct Route {
    std::string_view path;  // a last "*" stands for the rest
    Handler handler;
    Pace pace = Pace::kWork;
  };
  static const std::vector<Route>& Routes();
  /// Null: no route, but perhaps a file of the page.
  static const Route* FindRoute(std::string_view path);

  HttpResponse Answer(const HttpRequest& request);
  bool KnowsHost(std::string_view host) const;
  HttpResponse ServeAsset(const HttpRequest& request, std::string_view path) const;
  void AddHeaders(HttpResponse& response) const;
  Filter Blur(Filter filter) const;

  /// How many rows a filter's time leaves out because they have none; 0 for one without a time.
  Result<uint64_t> Untimed(const Filter& filter);

  Result<HttpResponse> BasemapTiles(const HttpRequest&, Parameters&);
  Result<HttpResponse> Config(const HttpRequest&, Parameters&);
  Result<HttpResponse> Detections(const HttpRequest&, Parameters&);
  Result<HttpResponse> Events(const HttpRequest&, Parameters&);
  Result<HttpResponse> FleetNow(const HttpRequest&, Parameters&);
  Result<HttpResponse> Found(const HttpRequest&, Parameters&);
  Result<HttpResponse> Health(const HttpRequest&, Parameters&);
  Result<HttpResponse> Hexagons(const HttpRequest&, Parameters&);
  Result<HttpResponse> Inventory(const HttpRequest&, Parameters&);
  Result<HttpResponse> Machines(const HttpRequest&, Parameters&);
  Result<HttpResponse> Metrics(const HttpRequest&, Parameters&);
  Result<HttpResponse> Models(const HttpRequest&, Parameters&);
  Result<HttpResponse> Network(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcCollection(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcCollections(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcConformance(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcItem(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcItems(const HttpRequest&, Parameters&);
  Result<HttpResponse> OgcLanding(const HttpRequest&, Parameters&);
  Result<HttpResponse> Plan(const HttpRequest&, Parameters&);
  Result<HttpResponse> Ready(const HttpRequest&, Parameters&);
  Result<HttpResponse> Stats(const HttpRequest&, Parameters&);
  Result<HttpResponse> Thumbnail(const HttpRequest&, Parameters&);
  Result<HttpResponse> Timeline(const HttpRequest&, Parameters&);

  const WebOptions& options_;
  const BasemapChoice basemap_choice_;
  Store& store_;
  const FleetMemory& fleet_;
  std::unique_ptr<Basemap> basemap_;  // null: none, or another server's
  WebCounters& counters_;
  Planner planner_;
  Predictor predictor_;
  TimelineCache timelines_;
  ReadinessProbe readiness_;
  Privacy privacy_;
  bool loopback_;
  std::string content_security_policy_;
};

}  // namespace fogline
