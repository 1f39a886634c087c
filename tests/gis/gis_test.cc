// GDAL reads detections from the OGC API, from PostGIS and from what the map exports: the same
// pictures at the same places, three ways. And the QGIS project asks for what is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/process.h"
#include "servers/local_postgres.h"
#include "tests/line/http.h"
#include "web/web_server.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;
using Place = std::optional<std::pair<double, double>>;  // east, north
using Places = std::map<uint64_t, Place>;                // by id

constexpr uint64_t kRows = 300;

class Gis : public ::testing::Test {
 protected:
  void SetUp() override {
    postgres_ = LocalPostgres::Start().value();
    if (!postgres_->Sql("CREATE EXTENSION postgis")) GTEST_SKIP() << "PostGIS is not installed";
    if (!Run({"ogr2ogr", "--version"})) GTEST_SKIP() << "GDAL is not installed: gdal-bin";
    store_ = OpenStore(postgres_->url()).value();
    std::vector<Detection> batch;
    for (uint64_t i = 1; i <= kRows; ++i) batch.push_back(Taken(i));
    ASSERT_TRUE(store_->Put(batch));
    for (uint64_t i = 1; i <= kRows; ++i) places_[i] = PlaceOf(batch[i - 1]);
    ASSERT_TRUE(WriteFile(dir_.path() / "service",
                          fmt::format("[fogline]\nhost=127.0.0.1\nport={}\ndbname=postgres\n"
                                      "user=fogline\n",
                                      postgres_->port())));
    auto web = WebServer::Start({}, *store_);
    ASSERT_TRUE(web) << web.error().ToString();
    web_ = *std::move(web);
  }

  /// Over the globe, close to its edges too; each tenth has no place.
  static Detection Taken(uint64_t i) {
    Detection d;
    d.device = i % 2 == 0 ? "cam-2" : "cam 'one'";
    d.sequence = i;
    d.captured_us = 1'767'225'600'000'000 + static_cast<int64_t>(i) * 1'000'000;
    d.has_position = i % 10 != 0;
    d.lat = -89.9 + 0.599 * static_cast<double>(i);
    d.lon = -179.9 + 1.19777 * static_cast<double>(i);
    d.label = "litter";
    d.positive = i % 3 == 0;
    d.mechanism = "split";
    return d;
  }
  static Place PlaceOf(const Detection& d) {
    return d.has_position ? Place({d.lon, d.lat}) : std::nullopt;
  }

  /// What a program says; nothing where it fails, with its words in `log_`.
  std::optional<std::string> Run(const Words& words) {
    Words command{"env", "PGSERVICEFILE=" + (dir_.path() / "service").string()};
    command.insert(command.end(), words.begin(), words.end());
    const fs::path log = dir_.path() / "log";
    auto process = Process::Start({.command = command, .capture_stdout = true, .stderr_to = log});
    if (!process) return std::nullopt;
    std::string said = process->ReadStdout().value_or("");
    const int status = process->Wait();
    log_ = ReadTextFile(log).value_or("");
    return status == 0 ? std::optional(said) : std::nullopt;
  }
  /// What GDAL reads from a source.
  Places Read(const Words& source, const Words& more = {}) {
    Words words{"ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=10", "/vsistdout/"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), source.begin(), source.end());
    const auto said = Run(words);
    EXPECT_TRUE(said) << log_;
    Places places;
    const json read = said ? json::parse(*said) : json{{"features", json::array()}};
    for (const json& feature : read["features"]) {
      const json& id = feature.contains("id") ? feature["id"] : feature["properties"]["id"];
      Place& place =
          places[id.is_string() ? std::stoull(id.get<std::string>()) : id.get<uint64_t>()];
      if (feature["geometry"].is_null()) continue;
      place = {feature["geometry"]["coordinates"][0], feature["geometry"]["coordinates"][1]};
    }
    return places;
  }
  /// The rows that pass a comparison by hand.
  template <typename Pass>
  Places Wanted(Pass pass) const {
    Places wanted;
    for (const auto& [id, place] : places_) {
      if (pass(id, place)) wanted.emplace(id, place);
    }
    return wanted;
  }
  static void ExpectSame(const Places& read, const Places& wanted) {
    ASSERT_EQ(read.size(), wanted.size());
    for (const auto& [id, place] : wanted) {
      ASSERT_TRUE(read.contains(id)) << id;
      const Place& there = read.at(id);
      ASSERT_EQ(there.has_value(), place.has_value()) << id;
      if (!place) continue;
      EXPECT_NEAR(there->first, place->first, 1e-6);
      EXPECT_NEAR(there->second, place->second, 1e-6);
    }
  }
  std::string Export(const std::string& format) {
    const std::string answer =
        HttpGet(web_->port(), "/api/detections?limit=10000&order=oldest&format=" + format);
    const fs::path file = dir_.path() / ("export." + format);
    EXPECT_TRUE(WriteFile(file, answer.substr(answer.find("\r\n\r\n") + 4)));
    return file.string();
  }
  std::string Api() const { return fmt::format("OAPIF:http://127.0.0.1:{}/ogc", web_->port()); }

  TempDir dir_;
  std::string log_;
  std::unique_ptr<LocalPostgres> postgres_;
  std::unique_ptr<Store> store_;
  Places places_;
  std::unique_ptr<WebServer> web_;
};

TEST_F(Gis, GdalReadsTheSamePicturesAtTheSamePlacesFromApiTablesAndExports) {
  const auto all = [](uint64_t, const Place&) { return true; };
  const auto placed = [](uint64_t, const Place& place) { return place.has_value(); };
  ExpectSame(Read({Api(), "detections"}), Wanted(all));
  ExpectSame(Read({"PG:service=fogline", "fogline.places"}), Wanted(placed));
  ExpectSame(Read({Export("geojson")}), Wanted(all));
  const std::string table = fs::path(Export("csv")).string();
  const Places cells = Read({"-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", table});
  ASSERT_EQ(cells.size(), kRows);
  ExpectSame(
      [&] {
        Places known = cells;
        std::erase_if(known, [](const auto& cell) { return !cell.second; });
        return known;
      }(),
      Wanted(placed));
}

TEST_F(Gis, GdalAsksForABoxAndATimeAndGetsThoseAlone) {
  const Words box{"-spat", "-100", "-60", "20", "15"};
  const auto within = [](uint64_t, const Place& place) {
    return place && place->first >= -100 && place->first <= 20 && place->second >= -60 &&
           place->second <= 15;
  };
  const Places wanted = Wanted(within);
  ASSERT_GT(wanted.size(), 20U);
  ExpectSame(Read({Api(), "detections"}, box), wanted);
  ExpectSame(Read({"PG:service=fogline", "fogline.places"}, box), wanted);
  ExpectSame(Read({"PG:service=fogline", "-sql",
                   "SELECT * FROM fogline.places WHERE captured < '2026-01-01 00:00:50Z'"}),
             Wanted([](uint64_t id, const Place& place) { return place && id < 50; }));
}

/// As docs/web.md says.
TEST_F(Gis, GdalMakesFlatGeobufOfTheApi) {
  const std::string made = (dir_.path() / "made.fgb").string();
  ASSERT_TRUE(Run({"ogr2ogr", "-where", "OGR_GEOMETRY IS NOT NULL", made, Api(), "detections"}))
      << log_;
  Places read = Read({made});
  EXPECT_EQ(read.size(), kRows - kRows / 10);
}

/// What a pattern finds in a text: its one group, taken apart at commas.
void Collect(const std::string& text, const char* pattern, std::set<std::string>& words) {
  const std::regex names(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), names), end; at != end; ++at) {
    std::stringstream list((*at)[1].str());
    for (std::string word; std::getline(list, word, ',');) words.insert(word);
  }
}

/// Every view that the project opens is there, with every column that it names.
TEST_F(Gis, TheQgisProjectAsksForViewsAndColumnsThatAreThere) {
  const fs::path file = fs::path(FOGLINE_SOURCE_DIR) / "deploy/qgis/fogline.qgs";
  const std::string parse = "import sys, xml.etree.ElementTree as tree; tree.parse(sys.argv[1])";
  EXPECT_TRUE(Run({"python3", "-c", parse, file.string()})) << log_;
  std::string project = ReadTextFile(file).value();
  std::set<std::string> views;
  constexpr std::string_view kLayer = "<maplayer";
  for (size_t at = project.find(kLayer); at != std::string::npos;) {
    const size_t next = project.find(kLayer, at + 1);
    const std::string layer = project.substr(at, next - at);
    at = next;
    std::smatch id;
    ASSERT_TRUE(std::regex_search(layer, id, std::regex("<id>(\\w+)</id>")));
    // QGIS draws another for a layer whose own is shorter, and its legend is without that layer.
    EXPECT_GT(id[1].length(), 10) << id[1];
    EXPECT_THAT(project, ::testing::HasSubstr("<layer-tree-layer id=\"" + id[1].str() + '"'));
    std::smatch view;
    ASSERT_TRUE(std::regex_search(layer, view, std::regex(R"re(table="(\w+)"\."(\w+)")re")));
    views.insert(view[2]);
    std::set<std::string> columns;
    for (const char* pattern :
         {" key='([^']+)'", R"re(" \((\w+)\))re", R"re( sql=(\w+)<)re", R"re( attr="(\w+)")re",
          R"re((?:Expression>|\[% |\|\| |\()"(\w+)")re"}) {
      Collect(layer, pattern, columns);
    }
    EXPECT_GE(columns.size(), 2U) << layer;
    for (const std::string& column : columns) {
      EXPECT_TRUE(postgres_->Sql(
          fmt::format("SELECT \"{}\" FROM {}.{} LIMIT 0", column, view[1].str(), view[2].str())))
          << view[2] << " has no " << column;
    }
  }
  EXPECT_EQ(views, (std::set<std::string>{"daily", "devices", "places"}));
}

}  // namespace
}  // namespace fogline
