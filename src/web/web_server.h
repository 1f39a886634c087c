// The map, the API and the live events over HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"
#include "web/detection_text.h"
#include "web/metrics.h"
#include "web/readiness.h"

namespace fogline {

/// How long a client may take. What it has not done by then ends its connection.
struct WebPatience {
  std::chrono::milliseconds first_request{10'000};  // from connecting to a whole request
  std::chrono::milliseconds next_request{60'000};   // idle, and sending the next one
  std::chrono::milliseconds writing{15'000};        // taking one part of an answer or of events
  std::chrono::milliseconds heartbeat{15'000};      // between comments on a stream without events
};

/// What the fleet's measured times are held against: machines and a link as `fogline plan` takes
/// them, files included, since the operator gives them.
struct PredictBy {
  std::string edge;                            // of devices not listed; empty: no prediction
  std::map<std::string, std::string> devices;  // machine by device
  std::string cloud = "t2.micro", link = "4g";
};

struct WebOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one, see WebServer::port()
  std::string title = "Fogline";
  /// Further names under which the server may be asked for (a reverse proxy's). A server on a
  /// loopback address, and any once it has names, answers to loopback names and these only, so that
  /// no foreign page can read it by rebinding its own name.
  std::vector<std::string> hosts;
  /// What stands in front of every path for whoever comes through a reverse proxy, as
  /// "https://maps.city.example/litter", without a slash at its end: the links of the OGC API begin
  /// so. Empty: with the name that the request was for.
  std::string public_url;
  /// Sites whose pages may show ours in a frame, as "https://city.example"; none: nobody's.
  std::vector<std::string> embedders;
  /// See ChooseBasemap; empty: land and borders only.
  std::string basemap;
  std::string basemap_attribution;
  /// Folder of ONNX files that the planner may be asked about by name; empty: none.
  std::filesystem::path models;
  PredictBy predict;
  std::optional<int> round_decimals;  // positions leave rounded to so many decimals of a degree
  bool thumbnails = false;            // pictures leave at all
  Privacy privacy() const { return {round_decimals, thumbnails}; }
  /// Proxies whose X-Forwarded-For says who asks; see ClientNames.
  std::vector<std::string> proxies;
  // At once; further ones are told to come back, connections are closed. One client has a part of
  // it (see kClientPart).
  size_t max_streams = 2500;
  size_t max_connections = 4096;
  size_t max_waiting = 256;  // questions to store or planner
  /// Answers that are being sent, and events that one stream alone reads, in memory. One answer may
  /// go over it: what is begun is finished.
  size_t answer_bytes = size_t{128} << 20;
  WebPatience patience;
  /// Figures of the program around the server, for /metrics; called on one thread of the server.
  std::function<std::vector<Metric>()> metrics;
  /// The cloud around the server, for /readyz; from a thread of its own. Null: there is none.
  std::function<CloudState()> cloud;
};

/// Serves from two threads of its own. One has the sockets, the streams (events are formatted once
/// for all of them) and what is quick; the other answers what reads much of the store or reckons,
/// one question after the other, each bounded in rows and time. Thread-safe.
class WebServer {
 public:
  /// kUnavailable when the address cannot be bound; kNotFound for a base map that is not there. The
  /// store must outlive the server.
  static Result<std::unique_ptr<WebServer>> Start(const WebOptions& options, Store& store);
  ~WebServer();

  uint16_t port() const;
  /// "http://127.0.0.1:8080/"
  std::string url() const;
  /// New rows are in the store: tell the streams. Cheap, from any thread. Rows that other processes
  /// store are told by the store's own watch, or found within a second.
  void Notify();
  /// Ends every connection and the thread. The destructor does it too.
  void Stop();

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fogline
