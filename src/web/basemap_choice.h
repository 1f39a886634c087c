// Which base map an operator chose, and so which other server a visitor's browser may ask: none,
// unless one is named here.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

struct BasemapChoice {
  enum class Kind {
    kLand,     // what comes along: countries and their borders
    kTiles,    // pictures of streets, by address
    kVector,   // vector tiles, by address
    kArchive,  // a PMTiles archive of either
  } kind = Kind::kLand;
  std::string url;             // for the page; of a file, where this server shows it
  std::string origin;          // "https://host": whom the page asks for it; empty: this server
  std::filesystem::path file;  // empty: none
  std::string attribution;     // whose map it is; empty: as the archive says of itself

  /// The kind as the page is told it.
  std::string_view name() const;
};

/// `basemap`: empty, "osm" (OpenStreetMap's own tiles), an address of tiles with {z}, {x} and {y}
/// (pictures, or vector tiles where it ends in .pbf or .mvt), the address of a .pmtiles archive, or
/// a file. kUsage for an address that is none of these, or whose map it is nobody says.
Result<BasemapChoice> ChooseBasemap(const std::string& basemap, const std::string& attribution);

}  // namespace fogline
