#include "cli/flags.h"

#include <fmt/format.h>

#include "base/host_port.h"
#include "base/url.h"
#include "engine/provider.h"
#include "web/basemap.h"
#include "web/basemap_choice.h"

namespace fogline::cli {
namespace {

/// Takes the address that a proxy shows it at; the server then answers to that name, too.
Status ShowAt(std::string url, WebOptions& options) {
  if (url.empty()) return {};
  while (url.ends_with('/')) url.pop_back();
  const auto parts = Url::Parse(url);
  const bool web = parts && (parts->scheme == "https" || parts->scheme == "http");
  if (!web || !parts->user.empty() || url.find_first_of(" \"<>?#\\") != std::string::npos) {
    return Fail(ErrorCode::kUsage, "--public-url " + url,
                "must be an address as https://maps.city.example/litter");
  }
  options.hosts.push_back(parts->host);
  options.public_url = std::move(url);
  return {};
}

}  // namespace

void AddLinkFlags(Command& command, LinkFlags& flags) {
  command.Add("--broker", flags.broker, "mqtt://[user:password@]host[:port], or mqtts:// for TLS")
      .Env("FOGLINE_BROKER")
      .ShowDefault();
  command.Add("--ca", flags.ca, "certificate authority that signed the broker's certificate");
  command.Add("--cert", flags.cert, "this side's certificate, for mutual TLS");
  command.Add("--key", flags.key, "its private key");
}

Result<LinkOptions> ToLinkOptions(const LinkFlags& flags) {
  LinkOptions options;
  FOGLINE_TRY(options.broker, ParseBroker(flags.broker));
  if (!options.broker.tls && !(flags.ca.empty() && flags.cert.empty() && flags.key.empty())) {
    return Fail(ErrorCode::kUsage, options.broker.ToString(),
                "goes in the clear, and --ca, --cert and --key are for TLS: write mqtts://");
  }
  options.ca_file = flags.ca;
  options.cert_file = flags.cert;
  options.key_file = flags.key;
  return options;
}

void AddStoreFlag(Command& command, std::string& url) {
  command
      .Add("--store", url,
           "sqlite:FILE, redis://[user:password@]host[:port][/db], or "
           "postgresql://user[:password]@host[:port]/database")
      .Env("FOGLINE_STORE")
      .ShowDefault();
}

void AddCacheFlag(Command& command, std::string& folder) {
  command.Add("--cache", folder,
              "folder that keeps what hexagons and time lines are counted from, so that the next "
              "start need not read a large store again; it holds the place of every picture, as "
              "the store does");
}

void AddBasemapFlags(Command& command, BasemapFlags& flags) {
  command.Add("--basemap", flags.basemap,
              "streets beneath the detections: a .pmtiles file, osm, or the address of tiles with "
              "{z}/{x}/{y} or of a .pmtiles archive; visitors' browsers then ask that server");
  command.Add("--basemap-attribution", flags.attribution,
              "whose map it is (a .pmtiles archive and osm say so themselves)");
}

void AddHttpFlags(Command& command, HttpFlags& flags) {
  command
      .Add("--http", flags.listen,
           "serve the map at ADDRESS:PORT, e.g. 127.0.0.1:8080 or [::1]:8080")
      .ShowDefault();
  command.Add("--http-name", flags.hosts,
              "a further name that the map answers to (behind a reverse proxy)");
  command.Add("--public-url", flags.public_url,
              "where a reverse proxy shows the map, e.g. https://maps.city.example/litter: the "
              "links of the OGC API begin so");
  command.Add(
      "--http-proxy", flags.proxies,
      "a reverse proxy's IP address: its X-Forwarded-For says who asks, for limits by visitor");
  command.Add(
      "--embed", flags.embedders,
      "a site whose pages may show the map in a frame, e.g. https://city.example (the map's "
      "address with ?embed=1 is the map alone)");
  command
      .Add("--http-memory", flags.memory,
           "what answers that nobody has taken yet may hold, e.g. 64MB; a quarter for one visitor")
      .Size()
      .ShowDefault("128MiB");
  AddBasemapFlags(command, flags.basemap);
  command.Add("--round", flags.round, "decimals of a degree that positions leave with, for privacy")
      .Range(0, 7);
  const char* predict = "The plan beside the measured times";
  command
      .Add("--profile", flags.profiles,
           "DEVICE=MACHINE, or a machine for all others: library name, .toml or measured "
           ".json; the fleet page then shows what the plan predicts")
      .Group(predict);
  command.Add("--cloud-profile", flags.cloud_profile, "this machine, likewise").Group(predict);
  command.Add("--link-profile", flags.link_profile, "the link between, as in 'fogline plan'")
      .Group(predict);
  command.AddFlag("--thumbnails", flags.thumbnails, "let pictures leave the store");
}

Result<HostPort> ListenAt(const HttpFlags& flags) {
  auto listen = ParseHostPort(flags.listen);
  if (listen) return listen;
  return Fail(ErrorCode::kUsage, "--http " + flags.listen, "{}", listen.error().message);
}

Status CheckHttp(const HttpFlags& flags) {
  FOGLINE_CHECK(ListenAt(flags).map([](auto&&) {}));
  FOGLINE_TRY(const BasemapChoice choice,
              ChooseBasemap(flags.basemap.basemap, flags.basemap.attribution));
  if (choice.file.empty()) return {};
  return Basemap::Open(choice.file).map([](auto&&) {});
}

Result<std::unique_ptr<WebServer>> StartWeb(const HttpFlags& flags,
                                            const std::filesystem::path& models,
                                            std::function<std::vector<Metric>()> metrics,
                                            std::function<CloudState()> cloud, Store& store) {
  if (flags.listen.empty()) return nullptr;
  WebOptions options;
  FOGLINE_TRY(const HostPort listen, ListenAt(flags));
  options.address = listen.host;
  options.port = listen.port;
  options.hosts = flags.hosts;
  options.embedders = flags.embedders;
  FOGLINE_CHECK(ShowAt(flags.public_url, options));
  options.proxies = flags.proxies;
  options.answer_bytes = flags.memory;
  options.models = models;
  options.metrics = std::move(metrics);
  options.cloud = std::move(cloud);
  for (const std::string& profile : flags.profiles) {
    const size_t equals = profile.find('=');
    if (equals == std::string::npos) {
      options.predict.edge = profile;
    } else {
      options.predict.devices[profile.substr(0, equals)] = profile.substr(equals + 1);
    }
  }
  if (!flags.cloud_profile.empty()) options.predict.cloud = flags.cloud_profile;
  if (!flags.link_profile.empty()) options.predict.link = flags.link_profile;
  options.basemap = flags.basemap.basemap;
  options.basemap_attribution = flags.basemap.attribution;
  options.thumbnails = flags.thumbnails;
  if (flags.round >= 0) options.round_decimals = flags.round;
  return WebServer::Start(options, store);
}

void AddRecursive(Command& command, bool& recursive) {
  command.AddFlag("--recursive", recursive, "the pictures in sub-folders too");
}

void AddProviderFlags(Command& command, ProviderFlags& flags) {
  command
      .Add("--provider", flags.name,
           fmt::format("what runs the network: {}, with its own options; where it fails, the CPU",
                       fmt::join(ProviderNames(), ", ")))
      .Type("NAME[:KEY=VALUE,...]")
      .ShowDefault();
  command
      .Add("--provider-cache", flags.cache,
           "a folder where it keeps what it compiles, so that the next start is quick")
      .Type("DIR");
}

Status Use(const ProviderFlags& flags) {
  FOGLINE_TRY(const Provider provider, ParseProvider(flags.name, flags.cache, "--provider"));
  UseProvider(provider);
  return {};
}

void AddPhotographFlags(Command& command, std::filesystem::path& images, bool& recursive,
                        int& threads, int& side, const std::string& named) {
  command.Add("--images", images, "photographs, one sub-folder a class" + named)
      .Required()
      .Type("DIR");
  AddRecursive(command, recursive);
  command.Add("--threads", threads, "0: one a core").ShowDefault().Range(0, 1024);
  command.Add("--size", side, "input size of a network that takes any, in pixels").Range(1, 8192);
}

}  // namespace fogline::cli
