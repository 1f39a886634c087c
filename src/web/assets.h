// The page's files, built by web/build.mjs and carried inside the binary.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace fogline {

struct Asset {
  std::string_view path;  // "/app.js"
  std::string_view type;
  std::string_view etag;  // quoted, from the content's SHA-256
  std::string_view gzip;  // the content, compressed
  size_t bytes;           // of the plain content
};

/// Every asset, in the order of their paths.
std::span<const Asset> Assets();
/// The asset at a path ("/" is the page itself); null when there is none.
const Asset* FindAsset(std::string_view path);

}  // namespace fogline
