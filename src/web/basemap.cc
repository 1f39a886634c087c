#include "web/basemap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace fogline {
namespace {

constexpr uint64_t kMostBytes = 8 << 20;

/// "bytes=FIRST-LAST" or "bytes=FIRST-"; nothing else is asked for by a map.
bool ParseRange(std::string_view text, uint64_t size, uint64_t& first, uint64_t& last) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return false;
  text.remove_prefix(kUnit.size());
  const char* end = text.data() + text.size();
  const auto [dash, error] = std::from_chars(text.data(), end, first);
  if (error != std::errc() || dash == end || *dash != '-') return false;
  last = size == 0 ? 0 : size - 1;
  if (dash + 1 == end) return true;
  const auto [stop, wrong] = std::from_chars(dash + 1, end, last);
  return wrong == std::errc() && stop == end && last >= first;
}

}  // namespace

Result<std::unique_ptr<Basemap>> Basemap::Open(const std::filesystem::path& path) {
  // Not blocking: a pipe without a writer would hold us for ever.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return Fail(ErrorCode::kNotFound, path.string(), "{}", std::strerror(errno));
  struct stat about {};
  fstat(file.get(), &about);
  std::unique_ptr<Basemap> map(new Basemap(
      std::move(file), static_cast<uint64_t>(about.st_size),
      fmt::format("\"{:x}-{:x}\"", about.st_mtim.tv_sec, static_cast<uint64_t>(about.st_size))));
  char head[8] = {};
  if (!S_ISREG(about.st_mode) || pread(map->file_.get(), head, sizeof(head), 0) != sizeof(head) ||
      std::memcmp(head, "PMTiles", 7) != 0 || head[7] != 3) {
    return Fail(ErrorCode::kInvalid, path.string(), "is no PMTiles archive of version 3");
  }
  return map;
}

HttpResponse Basemap::Read(const HttpRequest& request) const {
  uint64_t first = 0;
  uint64_t last = 0;
  if (!ParseRange(request.range, size_, first, last)) {
    return ErrorResponse(400, "ask for one range of bytes");
  }
  HttpResponse response;
  if (first >= size_) {
    response = ErrorResponse(416, "that range is outside the file");
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size_));
    return response;
  }
  last = std::min({last, size_ - 1, first + kMostBytes - 1});
  response.body.resize(last - first + 1);
  const ssize_t got =
      pread(file_.get(), response.body.data(), response.body.size(), static_cast<off_t>(first));
  if (got != static_cast<ssize_t>(response.body.size())) {
    return ErrorResponse(503, "the base map cannot be read now");
  }
  response.status = 206;
  response.type = "application/octet-stream";
  response.compressible = false;  // tiles are compressed already
  response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", first, last, size_));
  response.headers.emplace_back("ETag", etag_);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("Cache-Control", "private, max-age=3600");
  return response;
}

}  // namespace fogline
