// A request and its answer, without a socket: what the site is made of and tested with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fogline {

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // as it arrived: path and query, percent-encoded
  std::string host;
  std::string if_none_match;
  std::string range;
  std::string last_event_id;
  std::string forwarded;  // the last X-Forwarded-For
  bool accepts_gzip = false;
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::string_view fixed;  // instead of body: bytes that live as long as the program
  std::vector<std::pair<std::string, std::string>> headers;
  bool compressible = true;
  /// Set: the answer is a stream of server-sent events, this text (or "") the id to resume after.
  std::optional<std::string> events_after;

  std::string_view content() const { return fixed.data() != nullptr ? fixed : body; }
};

/// {"error": message} with the status.
HttpResponse ErrorResponse(int status, std::string_view message);

/// gzips a body of some size when the client takes it.
void Compress(const HttpRequest& request, HttpResponse& response);

/// The bytes that a gzip member holds; for clients that take no gzip. Only for our own assets.
std::string Gunzip(std::string_view compressed);

}  // namespace fogline
