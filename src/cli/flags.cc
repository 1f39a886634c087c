#include "cli/flags.h"

#include "base/host_port.h"

namespace fogline::cli {

void AddLinkFlags(CLI::App& command, LinkFlags& flags) {
  command
      .add_option("--broker", flags.broker,
                  "mqtt://[user:password@]host[:port], or mqtts:// for TLS")
      ->envname("FOGLINE_BROKER")
      ->capture_default_str();
  command.add_option("--ca", flags.ca,
                     "certificate authority that signed the broker's certificate");
  command.add_option("--cert", flags.cert, "this side's certificate, for mutual TLS");
  command.add_option("--key", flags.key, "its private key");
}

Result<LinkOptions> ToLinkOptions(const LinkFlags& flags) {
  LinkOptions options;
  FOGLINE_TRY(options.broker, ParseBroker(flags.broker));
  options.ca_file = flags.ca;
  options.cert_file = flags.cert;
  options.key_file = flags.key;
  return options;
}

void AddStoreFlag(CLI::App& command, std::string& url) {
  command.add_option("--store", url, "sqlite:FILE, or redis://[user:password@]host[:port][/db]")
      ->envname("FOGLINE_STORE")
      ->capture_default_str();
}

void AddHttpFlags(CLI::App& command, HttpFlags& flags) {
  command
      .add_option("--http", flags.listen,
                  "serve the map at ADDRESS:PORT, e.g. 127.0.0.1:8080 or [::1]:8080")
      ->capture_default_str();
  command.add_option("--http-name", flags.hosts,
                     "a further name that the map answers to (behind a reverse proxy)");
  command.add_option("--basemap", flags.basemap,
                     "a PMTiles file, or a tile address with {z}/{x}/{y}");
  command.add_option("--basemap-attribution", flags.attribution, "credit to show for the base map");
  command
      .add_option("--round", flags.round,
                  "decimals of a degree that positions leave with, for privacy")
      ->check(CLI::Range(0, 7));
  const char* predict = "The plan beside the measured times";
  command
      .add_option("--profile", flags.profiles,
                  "DEVICE=MACHINE, or a machine for all others: library name, .toml or measured "
                  ".json; the fleet page then shows what the plan predicts")
      ->group(predict);
  command.add_option("--cloud-profile", flags.cloud_profile, "this machine, likewise")
      ->group(predict);
  command
      .add_option("--link-profile", flags.link_profile, "the link between, as in 'fogline plan'")
      ->group(predict);
  command.add_flag("--thumbnails", flags.thumbnails, "let pictures leave the store");
}

Result<std::unique_ptr<WebServer>> StartWeb(const HttpFlags& flags,
                                            const std::filesystem::path& models,
                                            std::function<std::vector<Metric>()> metrics,
                                            Store& store) {
  if (flags.listen.empty()) return nullptr;
  WebOptions options;
  const auto listen = ParseHostPort(flags.listen);
  if (!listen) {
    return Fail(ErrorCode::kUsage, "--http " + flags.listen, "{}", listen.error().message);
  }
  options.address = listen->host;
  options.port = listen->port;
  options.hosts = flags.hosts;
  options.models = models;
  options.metrics = std::move(metrics);
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
  options.basemap = flags.basemap;
  options.basemap_attribution = flags.attribution;
  options.thumbnails = flags.thumbnails;
  if (flags.round >= 0) options.round_decimals = flags.round;
  return WebServer::Start(options, store);
}

void AddPhotographFlags(CLI::App& command, std::filesystem::path& images, int& threads, int& side,
                        const std::string& named) {
  command.add_option("--images", images, "photographs, one sub-folder a class" + named)
      ->required()
      ->type_name("DIR");
  command.add_option("--threads", threads, "0: one a core")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command.add_option("--size", side, "input size of a network that takes any, in pixels")
      ->check(CLI::Range(1, 8192));
}

}  // namespace fogline::cli
