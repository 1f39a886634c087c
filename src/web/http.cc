#include "web/http.h"

#include <zlib.h>

#include "base/json_writer.h"

namespace fogline {
namespace {

constexpr size_t kWorthCompressing = 1024;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header

}  // namespace

HttpResponse ErrorResponse(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  JsonWriter json(response.body);
  json.Object([&] { json.Put("error", message); });
  response.body += '\n';
  return response;
}

void Compress(const HttpRequest& request, HttpResponse& response) {
  if (!request.accepts_gzip || !response.compressible || response.fixed.data() != nullptr) return;
  if (response.body.size() < kWorthCompressing) return;
  z_stream stream{};
  // Level 1: hexagons and rows shrink to a fifth of their size at 100 MB/s.
  if (deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
  std::string small(deflateBound(&stream, response.body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(response.body.data());
  stream.avail_in = static_cast<uInt>(response.body.size());
  stream.next_out = reinterpret_cast<Bytef*>(small.data());
  stream.avail_out = static_cast<uInt>(small.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  small.resize(stream.total_out);
  deflateEnd(&stream);
  if (!done) return;
  response.body = std::move(small);
  response.headers.emplace_back("Content-Encoding", "gzip");
}

std::string Gunzip(std::string_view compressed) {
  std::string plain;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return plain;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  int state = Z_OK;
  while (state == Z_OK) {
    char part[16384];
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof(part);
    state = inflate(&stream, Z_NO_FLUSH);
    plain.append(part, sizeof(part) - stream.avail_out);
  }
  inflateEnd(&stream);
  return plain;
}

}  // namespace fogline
