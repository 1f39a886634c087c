#include "web/basemap_choice.h"

#include <array>

#include "web/origin.h"

namespace fogline {
namespace {

constexpr std::string_view kOsmTiles = "https://tile.openstreetmap.org/{z}/{x}/{y}.png";
constexpr std::string_view kOsmCredit = "© OpenStreetMap contributors";

/// What an address ends with, without its query.
bool EndsWith(std::string_view url, std::string_view ending) {
  return url.substr(0, url.find_first_of("?#")).ends_with(ending);
}

Result<BasemapChoice> ChooseAddress(const std::string& url, const std::string& attribution) {
  BasemapChoice choice;
  choice.url = url;
  choice.attribution = attribution;
  FOGLINE_TRY(choice.origin, OriginOf("--basemap", url));
  if (EndsWith(url, ".pmtiles")) {
    choice.kind = BasemapChoice::Kind::kArchive;
    return choice;
  }
  for (const std::string_view part : {"{z}", "{x}", "{y}"}) {
    if (url.find(part) != std::string::npos) continue;
    return Fail(ErrorCode::kUsage, "--basemap " + url,
                "is no address of tiles: it lacks {}; write https://host/{{z}}/{{x}}/{{y}}.png, "
                "the address of a .pmtiles archive, or osm",
                part);
  }
  const bool vector = EndsWith(url, ".pbf") || EndsWith(url, ".mvt");
  choice.kind = vector ? BasemapChoice::Kind::kVector : BasemapChoice::Kind::kTiles;
  if (attribution.empty()) {
    return Fail(ErrorCode::kUsage, "--basemap " + url,
                "is a map of others, who want to be named: add --basemap-attribution '© …'");
  }
  return choice;
}

}  // namespace

std::string_view BasemapChoice::name() const {
  constexpr std::array<std::string_view, 4> kNames{"land", "tiles", "vector", "pmtiles"};
  return kNames[static_cast<size_t>(kind)];
}

Result<BasemapChoice> ChooseBasemap(const std::string& basemap, const std::string& attribution) {
  if (basemap.empty()) return BasemapChoice();
  if (basemap == "osm") {
    return ChooseAddress(std::string(kOsmTiles),
                         attribution.empty() ? std::string(kOsmCredit) : attribution);
  }
  if (IsWebAddress(basemap)) return ChooseAddress(basemap, attribution);
  BasemapChoice choice;
  choice.kind = BasemapChoice::Kind::kArchive;
  choice.url = "/basemap.pmtiles";
  choice.file = basemap;
  choice.attribution = attribution;
  return choice;
}

}  // namespace fogline
