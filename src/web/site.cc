#include "web/site.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "web/assets.h"
#include "web/listen.h"
#include "web/origin.h"

namespace fogline {
namespace {

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kExhausted:
    case ErrorCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

/// "127.0.0.1:8080" and "[::1]:8080" without the port.
std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

}  // namespace

Result<std::unique_ptr<Site>> Site::Make(const WebOptions& options, Store& store,
                                         const FleetMemory& fleet, WebCounters& counters) {
  for (const std::string& site : options.embedders) {
    FOGLINE_CHECK(OriginOf("--embed", site).map([](auto&&) {}));
  }
  FOGLINE_TRY(BasemapChoice basemap, ChooseBasemap(options.basemap, options.basemap_attribution));
  std::unique_ptr<Site> site(new Site(options, std::move(basemap), store, fleet, counters));
  if (!site->basemap_choice_.file.empty()) {
    FOGLINE_TRY(site->basemap_, Basemap::Open(site->basemap_choice_.file));
  }
  return site;
}

Site::Site(const WebOptions& options, BasemapChoice basemap, Store& store, const FleetMemory& fleet,
           WebCounters& counters)
    : options_(options),
      basemap_choice_(std::move(basemap)),
      store_(store),
      fleet_(fleet),
      counters_(counters),
      planner_(options.models),
      predictor_(planner_.shelf()),
      timelines_(store),
      readiness_(store),
      privacy_(options.privacy()),
      loopback_(false) {
  const auto addresses = AddressesOf({options.address, options.port});
  loopback_ = addresses && IsLoopback(*addresses);
  const std::string& asked = basemap_choice_.origin;
  std::string embedders;
  for (const std::string& site : options.embedders) {
    embedders += " " + OriginOf("--embed", site).value_or("");  // looked at before
  }
  content_security_policy_ = fmt::format(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{0};"
      " connect-src 'self'{0}; worker-src 'self'; manifest-src 'self'; base-uri 'none';"
      " form-action 'none'; frame-ancestors{1}",
      asked.empty() ? asked : " " + asked, embedders.empty() ? " 'none'" : embedders);
}

const std::vector<Site::Route>& Site::Routes() {
  static const std::vector<Route> routes{
      {"/api/config", &Site::Config, Pace::kQuick},
      {"/api/detections", &Site::Detections},
      {"/api/events", &Site::Events, Pace::kQuick},
      {"/api/fleet", &Site::FleetNow},
      {"/api/found", &Site::Found},
      {"/api/hexagons", &Site::Hexagons},
      {"/api/inventory", &Site::Inventory},
      {"/api/machines", &Site::Machines},
      {"/api/models", &Site::Models},
      {"/api/network", &Site::Network},
      {"/api/plan", &Site::Plan},
      {"/api/stats", &Site::Stats},
      {"/api/thumbnails/*", &Site::Thumbnail},
      {"/api/timeline", &Site::Timeline},
      {"/basemap.pmtiles", &Site::BasemapTiles},
      {"/healthz", &Site::Health, Pace::kQuick},
      {"/metrics", &Site::Metrics},
      {"/ogc", &Site::OgcLanding, Pace::kQuick},
      {"/ogc/collections", &Site::OgcCollections},
      {"/ogc/collections/detections", &Site::OgcCollection},
      {"/ogc/collections/detections/items", &Site::OgcItems},
      {"/ogc/collections/detections/items/*", &Site::OgcItem},
      {"/ogc/conformance", &Site::OgcConformance, Pace::kQuick},
      {"/readyz", &Site::Ready, Pace::kProbe},
  };
  return routes;
}

Site::Pace Site::PaceOf(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  // Escaped letters may spell any of them.
  if (path.find('%') != path.npos) return Pace::kWork;
  const Route* route = FindRoute(path);
  return route == nullptr ? Pace::kQuick : route->pace;
}

const Site::Route* Site::FindRoute(std::string_view path) {
  for (const Route& route : Routes()) {
    const bool prefix = route.path.ends_with('*');
    if (prefix ? path.starts_with(route.path.substr(0, route.path.size() - 1))
               : path == route.path) {
      return &route;
    }
  }
  return nullptr;
}

std::vector<std::string_view> Site::Paths() {
  std::vector<std::string_view> paths;
  for (const Route& route : Routes()) paths.push_back(route.path);
  return paths;
}

HttpResponse Site::Handle(const HttpRequest& request) {
  HttpResponse response = Answer(request);
  AddHeaders(response);
  ++counters_.responses[static_cast<size_t>(response.status)];
  return response;
}

HttpResponse Site::Answer(const HttpRequest& request) {
  if (!KnowsHost(request.host)) {
    return ErrorResponse(421, "this server does not answer to that name");
  }
  auto parameters = Parameters::Parse(request.target);
  if (!parameters) return ErrorResponse(400, parameters.error().ToString());
  const std::string& path = parameters->path();
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = ErrorResponse(405, "only GET and HEAD are served here");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  const Route* route = FindRoute(path);
  if (route == nullptr) return ServeAsset(request, path);
  Result<HttpResponse> response = (this->*route->handler)(request, *parameters);
  if (response) {
    Compress(request, *response);
    return *std::move(response);
  }
  const Error& error = response.error();
  const int status = StatusOf(error.code);
  if (status < 500) return ErrorResponse(status, error.ToString());
  // Which file failed and how is the operator's business, not the visitor's.
  ++counters_.store_errors;
  LogWarning("web: {}: {}", Printable(request.target), Printable(error.ToString()));
  return ErrorResponse(status, error.code == ErrorCode::kExhausted
                                   ? "that is too much to answer; narrow it"
                                   : "the store does not answer now");
}

bool Site::KnowsHost(std::string_view host) const {
  if (!loopback_ && options_.hosts.empty()) return true;
  const std::string_view name = WithoutPort(host);
  if (name == "localhost" || name == "[::1]") return true;
  // A number, not a name that begins like one.
  if (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos) return true;
  // An operator may have written an IPv6 address without its brackets.
  return std::ranges::any_of(options_.hosts,
                             [&](const std::string& known) { return Bracketed(known) == name; });
}

HttpResponse Site::ServeAsset(const HttpRequest& request, std::string_view path) const {
  // Pages are views of one application.
  if (path == "/fleet" || path == "/plan") path = "/";
  const Asset* asset = FindAsset(path);
  if (asset == nullptr) return ErrorResponse(404, "there is nothing here");
  HttpResponse response;
  response.headers.emplace_back("ETag", asset->etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (request.if_none_match == asset->etag) {
    response.status = 304;
    response.type.clear();
    return response;
  }
  response.type = asset->type;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (request.accepts_gzip) {
    response.fixed = asset->gzip;
    response.headers.emplace_back("Content-Encoding", "gzip");
  } else {
    response.body = Gunzip(asset->gzip);
  }
  return response;
}

void Site::AddHeaders(HttpResponse& response) const {
  const auto add = [&](const char* name, std::string value) {
    response.headers.emplace_back(name, std::move(value));
  };
  add("Content-Security-Policy", content_security_policy_);
  add("X-Content-Type-Options", "nosniff");
  // Which knows nobody by name: the policy does.
  if (options_.embedders.empty()) add("X-Frame-Options", "DENY");
  // Who gives streets away wants to know on whose page: the name of this server, and no more.
  add("Referrer-Policy",
      basemap_choice_.origin.empty() ? "no-referrer" : "strict-origin-when-cross-origin");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), microphone=(), geolocation=(self)");
  const bool has_policy =
      std::any_of(response.headers.begin(), response.headers.end(),
                  [](const auto& header) { return header.first == "Cache-Control"; });
  if (!has_policy) add("Cache-Control", "no-store");
}

}  // namespace fogline
