// A PMTiles file, served in ranges: the page reads its own directory and tiles out of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/descriptor.h"
#include "base/result.h"
#include "web/http.h"

namespace fogline {

/// Reads by position and never maps the file, so that one cut short while we serve is an error and
/// not a crash. Not thread-safe.
class Basemap {
 public:
  /// kNotFound for a missing file, kInvalid for one that is no PMTiles archive of version 3.
  static Result<std::unique_ptr<Basemap>> Open(const std::filesystem::path& path);

  /// 206 for one range of at most 8 MiB, 416 for one outside the file, 400 for anything else:
  /// nobody needs the whole.
  HttpResponse Read(const HttpRequest& request) const;

 private:
  Basemap(Descriptor file, uint64_t size, std::string etag)
      : file_(std::move(file)), size_(size), etag_(std::move(etag)) {}
  Descriptor file_;
  uint64_t size_;
  std::string etag_;
};

}  // namespace fogline
