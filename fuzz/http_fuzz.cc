// Any bytes as a request: the first line its path and query, the further ones its headers' values.
// Every one gets an answer, with the headers that every answer has, and rows of the store leave as
// JSON that a reader takes.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "web/feed.h"
#include "web/site.h"

namespace {

using namespace fogline;

/// A site over a store of a few rows, one of them as odd as a store takes.
struct Served {
  Served() {
    SetLogLevel(LogLevel::kOff);
    std::vector<Detection> rows(4);
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].device = "cam";
      rows[i].sequence = i;
      rows[i].captured_us = static_cast<int64_t>(i) * 1'000'000;
      rows[i].has_position = true;
      rows[i].lat = 90 - 60.0 * static_cast<double>(i);
      rows[i].lon = 180 - 120.0 * static_cast<double>(i);
      rows[i].mechanism = "split";
    }
    rows[3].label = "</script>\"\\\x01\xf0\x9f\x97\x91";
    rows[3].thumbnail.resize(3);
    if (!store->Put(rows)) std::abort();
    const auto stored = store->Query({}, Order::kOldestFirst, 10).value();
    for (const StoredDetection& row : stored) fleet.Add(row, Clock::Real().Steady());
    site = std::move(*Site::Make(options, *store, fleet, counters));
    if (!feed.Start()) std::abort();
  }
  WebOptions options = [] {
    WebOptions all;
    all.thumbnails = true;
    return all;
  }();
  std::unique_ptr<Store> store = std::move(*OpenStore("sqlite::memory:"));
  FleetMemory fleet{Clock::Real()};
  WebCounters counters;
  std::unique_ptr<Site> site;
  Feed feed{*store, {}};
};

std::string NextLine(std::string_view& rest) {
  const std::string line(rest.substr(0, rest.find('\n')));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Served served;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  HttpRequest request;
  request.host = "127.0.0.1";
  request.target = NextLine(rest);
  request.if_none_match = NextLine(rest);
  request.range = NextLine(rest);
  request.last_event_id = NextLine(rest);
  request.accepts_gzip = NextLine(rest).empty();
  if (const std::string host = NextLine(rest); !host.empty()) request.host = host;
  if (const std::string method = NextLine(rest); !method.empty()) request.method = method;

  const HttpResponse response = served.site->Handle(request);
  if (response.status < 200 || response.status > 599) std::abort();
  const bool coded = std::any_of(response.headers.begin(), response.headers.end(),
                                 [](const auto& h) { return h.first == "Content-Encoding"; });
  if (response.type == "application/json" && !coded && !response.content().empty() &&
      nlohmann::json::parse(response.content(), nullptr, false).is_discarded()) {
    std::abort();
  }
  for (const auto& [name, value] : response.headers) {
    if (value.find_first_of("\r\n") != value.npos) std::abort();  // a header that became two
  }
  if (response.events_after) {
    const FeedStart start = served.feed.Resolve(*response.events_after);
    const auto chunk = served.feed.Next(start.after);
    if (!chunk) std::abort();
  }
  return 0;
}
