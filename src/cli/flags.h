// Flags that several commands share, and what they become.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/host_port.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "link/link.h"
#include "store/store.h"
#include "web/web_server.h"

namespace fogline::cli {

/// --broker (or $FOGLINE_BROKER), --ca, --cert, --key.
struct LinkFlags {
  std::string broker = "mqtt://127.0.0.1:1883";
  std::string ca, cert, key;
};
void AddLinkFlags(Command& command, LinkFlags& flags);
Result<LinkOptions> ToLinkOptions(const LinkFlags& flags);

/// --store; $FOGLINE_STORE instead keeps a password off the list of processes.
void AddStoreFlag(Command& command, std::string& url);
/// --cache DIR, see StoreOptions::cache.
void AddCacheFlag(Command& command, std::string& folder);

/// --basemap and whose it is.
struct BasemapFlags {
  std::string basemap, attribution;
};
void AddBasemapFlags(Command& command, BasemapFlags& flags);

/// --http and what goes with it.
struct HttpFlags {
  std::string listen;  // "address:port"; empty: no map
  BasemapFlags basemap;
  std::vector<std::string> hosts, proxies, embedders;
  std::string public_url;
  uint64_t memory = uint64_t{128} << 20;
  int round = -1;
  bool thumbnails = false;
  std::vector<std::string> profiles;  // "DEVICE=MACHINE", or a machine for all others
  std::string cloud_profile, link_profile;
};
void AddHttpFlags(Command& command, HttpFlags& flags);
/// Where to serve. kUsage for what is no address.
Result<HostPort> ListenAt(const HttpFlags& flags);
/// What can be known to be wrong before a store is opened.
Status CheckHttp(const HttpFlags& flags);
/// The server of map, planner and fleet, or null when none is wanted. `models`: the folder that
/// plans are made for; `metrics` and `cloud`: see WebOptions.
Result<std::unique_ptr<WebServer>> StartWeb(const HttpFlags& flags,
                                            const std::filesystem::path& models,
                                            std::function<std::vector<Metric>()> metrics,
                                            std::function<CloudState()> cloud, Store& store);

/// --provider and --provider-cache: what runs the networks of this process.
struct ProviderFlags {
  std::string name = "cpu", cache;
};
void AddProviderFlags(Command& command, ProviderFlags& flags);
/// Before the first network is opened. kUsage for what is no provider.
Status Use(const ProviderFlags& flags);

/// --images, --recursive, --threads and --size of commands that learn or judge by labelled
/// photographs; `named` goes on after "one sub-folder a class".
void AddPhotographFlags(Command& command, std::filesystem::path& images, bool& recursive,
                        int& threads, int& side, const std::string& named = "");
/// The flag alone.
void AddRecursive(Command& command, bool& recursive);

}  // namespace fogline::cli
