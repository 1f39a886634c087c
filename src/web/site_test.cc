#include "web/site.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "store/forwarding_store.h"
#include "web/assets.h"
#include "web/feed.h"

namespace fogline {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Detection Sample(uint64_t sequence) {
  Detection d;
  d.device = "cam";
  d.sequence = sequence;
  d.captured_us = 1'767'225'600'000'000 + static_cast<int64_t>(sequence) * 1'000'000;
  d.has_position = true;
  d.lat = 47.376894;
  d.lon = 8.541694;
  d.label = "litter";
  d.score = 0.9F;
  d.positive = true;
  d.mechanism = "split";
  d.payload_bytes = 1000;
  d.stages.prefix = 10;
  d.stages.window = 5;
  return d;
}

/// A store of which only the beginning has been read into memory.
class PartlyRead final : public ForwardingStore {
 public:
  PartlyRead(Store& store, uint64_t counted) : ForwardingStore(store), counted_(counted) {}
  Result<uint64_t> CountedId() override { return counted_; }

 private:
  uint64_t counted_;
};

class SiteTest : public ::testing::Test {
 protected:
  SiteTest() : store_(OpenStore("sqlite::memory:").value()) {}

  HttpResponse Get(const std::string& target, const std::string& method = "GET") {
    if (!site_) site_ = Site::Make(options_, *store_, fleet_, counters_).value();
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.host = host_;
    return site_->Handle(request);
  }
  json Json(const std::string& target) {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return json::parse(response.body);
  }
  static std::string Header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }
  void Put(const Detection& d) { ASSERT_TRUE(store_->Put(std::span(&d, 1))); }

  WebOptions options_;
  std::unique_ptr<Store> store_;
  WebCounters counters_;
  FakeClock clock_;
  FleetMemory fleet_{clock_};
  std::unique_ptr<Site> site_;
  std::string host_ = "127.0.0.1:8080";
};

/// What a stream of events that begins with the store tells of it.
std::string StreamOf(Store& store, const Privacy& privacy) {
  Feed feed(store, privacy);
  EXPECT_TRUE(feed.Start());
  const auto chunk = feed.Next(0).value();
  EXPECT_THAT(chunk->text, HasSubstr("event: detection"));
  return feed.Hello({}) + chunk->text;
}

/// A JPEG whose EXIF holds a text.
std::vector<std::byte> JpegThatSays(const std::string& text) {
  const std::string exif = std::string("Exif\0\0", 6) + text;
  const std::string file = std::string("\xFF\xD8\xFF\xE1", 4) + '\0' +
                           static_cast<char>(exif.size() + 2) + exif + "\xFF\xD9";
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

/// All that a visitor can ask about places, of a store with one picture at `lat`, `lon`.
std::string AllAnswers(double lat, double lon, int decimals,
                       const std::vector<std::string>& boxes) {
  const auto store = OpenStore("sqlite::memory:").value();
  Detection d = Sample(1);
  d.lat = lat, d.lon = lon;
  d.thumbnail = JpegThatSays(fmt::format("{} {}", lat, lon));
  EXPECT_TRUE(store->Put(std::span(&d, 1)));
  WebOptions options;
  options.round_decimals = decimals;
  options.thumbnails = true;
  WebCounters counters;
  FakeClock clock;
  FleetMemory fleet(clock);
  fleet.Add({.id = 1, .stored_us = 1, .detection = d}, clock.Steady());
  const auto site = Site::Make(options, *store, fleet, counters).value();
  std::vector<std::string> asked = {"/api/config",
                                    "/api/fleet",
                                    "/api/inventory",
                                    "/api/stats",
                                    "/api/thumbnails/1",
                                    "/healthz",
                                    "/metrics",
                                    "/ogc",
                                    "/ogc/collections",
                                    "/ogc/collections/detections",
                                    "/ogc/collections/detections/items/1",
                                    "/ogc/conformance",
                                    "/readyz"};
  for (const std::string& box : boxes) {
    for (const char* route :
         {"/api/detections?", "/api/detections?format=csv&", "/api/detections?format=geojson&",
          "/api/timeline?", "/api/found?", "/ogc/collections/detections/items?"}) {
      asked.push_back(route + box);
    }
    if (box.starts_with("box=")) asked.push_back("/ogc/collections/detections/items?b" + box);
    for (int level = 0; level <= 20; ++level) {
      asked.push_back("/api/hexagons?points=9&level=" + std::to_string(level) + "&" + box);
    }
  }
  // No route is left out, but for those that know of no detection.
  const std::set<std::string_view> of_none{"/api/machines", "/api/models", "/api/network",
                                           "/api/plan", "/basemap.pmtiles"};
  for (const std::string_view path : Site::Paths()) {
    const bool streams = path == "/api/events";
    const auto begin = path.substr(0, path.find('*'));
    EXPECT_TRUE(streams || of_none.contains(path) ||
                std::ranges::any_of(asked, [&](const auto& a) { return a.starts_with(begin); }))
        << path;
  }
  std::string all = StreamOf(*store, options.privacy());
  for (const std::string& target : asked) {
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    request.host = "127.0.0.1:8080";
    const HttpResponse response = site->Handle(request);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    all += target + "\n" + response.body + "\n";
  }
  // What differs between any two stores: their ids, and when a row came.
  static const std::regex kOwn(
      R"re("epoch":"[^"]*"|id: [0-9a-f]*-|"stored":[0-9]+|,[0-9T:.\-]+Z|fogline_.*seconds.*)re");
  return std::regex_replace(all, kOwn, "");
}

// Two pictures within one square of the rounding are one and the same to whoever asks, whatever
// they ask: so all answers together say no more than the square.
TEST(Rounding, NoRouteTellsWhereInItsSquareAPictureWasTaken) {
  std::mt19937 random(3);
  const auto uniform = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  for (const int decimals : {0, 1, 2, 3}) {
    const double side = std::pow(10.0, -decimals);
    for (int round = 0; round < 3; ++round) {
      const double lat = std::round(uniform(-80, 80) / side) * side;
      const double lon = std::round(uniform(-170, 170) / side) * side;
      const auto within = [&] { return uniform(-0.49, 0.49) * side; };
      std::vector<std::string> boxes = {"device=cam"};
      for (int i = 0; i < 6; ++i) {  // each cuts through the square
        const double reach = i < 3 ? side : 3 * side;
        boxes.push_back(fmt::format("box={},{},{},{}", lon - reach + within(),
                                    lat - reach + within(), lon + within(), lat + within()));
      }
      EXPECT_EQ(AllAnswers(lat + within(), lon + within(), decimals, boxes),
                AllAnswers(lat + within(), lon + within(), decimals, boxes));
    }
  }
}

// As clouds of before stored them: the page would draw a line over ages, or fail at a date.
TEST_F(SiteTest, TimesThatCannotBeAreShownAsUnknown) {
  Put(Sample(1));
  Put(Sample(2));
  uint64_t sequence = 3;
  for (const int64_t wild : {std::numeric_limits<int64_t>::max(), int64_t{253'370'764'800'000'000},
                             std::numeric_limits<int64_t>::min(), int64_t{0}, int64_t{1000}}) {
    Detection d = Sample(sequence++);
    d.captured_us = wild;
    Put(d);
  }
  const json line = Json("/api/timeline?bins=2");
  EXPECT_EQ(line["from"], Sample(1).captured_us / 1000);
  EXPECT_LT(line["to"], Sample(4).captured_us / 1000);
  EXPECT_EQ(line["untimed"], 5);
  const json page = Json("/api/detections?order=oldest");
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(page["detections"][i].contains("captured"), i < 2) << i;
    EXPECT_EQ(page["detections"][i]["captured_from"], i < 2 ? "clock" : "none");
  }
  EXPECT_THAT(Get("/api/detections?format=csv").body, Not(HasSubstr("9999-")));
  const int64_t latest = 4'102'444'800'000;  // the year 2100
  const json stock = Json("/api/inventory");
  for (const char* end : {"first", "last"}) {
    EXPECT_GE(stock[end], 0);
    EXPECT_LT(stock[end], latest);
    EXPECT_LT(stock["devices"][0][end], latest);
  }
  for (const auto& cell : Json("/api/hexagons?level=3")["cells"]) EXPECT_LT(cell[5], latest);
}

TEST_F(SiteTest, AnEmptyStoreIsNoError) {
  EXPECT_EQ(Json("/api/detections")["detections"].size(), 0U);
  EXPECT_EQ(Json("/api/hexagons?level=4")["total"], 0);
  EXPECT_EQ(Json("/api/inventory")["count"], 0);
  EXPECT_EQ(Json("/api/stats")["rows"], 0);
  EXPECT_EQ(Json("/healthz")["status"], "ok");
  EXPECT_EQ(Json("/api/config")["basemap"]["kind"], "land");
}

TEST_F(SiteTest, FindsDetectionsByWhatWasFoundInThem) {
  const auto put = [&](uint64_t sequence, std::vector<FoundBox> boxes) {
    Detection d = Sample(sequence);
    if (!boxes.empty()) d.findings = BoxFindings{std::move(boxes), 0};
    Put(d);
  };
  const FoundBox dog{"dog", 0.9F, 0, 0, 1, 1}, unsure{"dog", 0.3F, 0, 0, 1, 1},
      car{"car", 0.8F, 0, 0, 1, 1};
  put(0, {dog, unsure, car});
  put(1, {});
  put(2, {unsure});
  for (uint64_t i = 3; i < 1200; ++i) put(i, {car});
  const auto ids = [&](const std::string& query) {
    std::vector<int> found;
    const json page = Json("/api/detections?order=oldest&" + query);
    for (const auto& row : page["detections"]) found.push_back(row["id"]);
    return found;
  };
  EXPECT_THAT(ids("found=dog"), ::testing::ElementsAre(1, 3));
  EXPECT_THAT(ids("found=dog&found_least=2"), ::testing::ElementsAre(1));
  EXPECT_THAT(ids("found=dog&found_score=0.5"), ::testing::ElementsAre(1));
  EXPECT_THAT(ids("found_least=3"), ::testing::ElementsAre(1));
  EXPECT_THAT(ids("found=dog&found=car&limit=3"), ::testing::ElementsAre(1, 3, 4));
  EXPECT_THAT(ids("found=cat"), ::testing::IsEmpty());
  EXPECT_EQ(Json("/api/detections?found=dog")["more"], false);
  EXPECT_EQ(Json("/api/detections?found=car&limit=2")["more"], true);
  // Whatever counts, counts those and no others.
  EXPECT_EQ(Json("/api/hexagons?level=4&found=dog")["total"], 2);
  EXPECT_EQ(Json("/api/hexagons?level=4&points=5&found=dog")["detections"].size(), 2U);
  EXPECT_EQ(Json("/api/stats?found=dog")["rows"], 2);
  const auto in_line = [&](const std::string& query) {
    const json line = Json("/api/timeline?bins=1" + query);
    return line["bins"][0][0].get<int>() + line["untimed"].get<int>();
  };
  EXPECT_EQ(in_line(""), 1200);
  EXPECT_EQ(in_line("&found=dog"), 2);
  EXPECT_EQ(in_line("&found=dog&found_least=2"), 1);
  EXPECT_EQ(in_line("&found=dog&found_score=0.95"), 0);
  EXPECT_EQ(in_line("&found_least=1"), 1199);
  const json found = Json("/api/found");
  EXPECT_EQ(found["found"], json::parse(R"([{"label": "car", "pictures": 1198, "boxes": 1198},
                            {"label": "dog", "pictures": 2, "boxes": 3}])"));
  EXPECT_EQ(Json("/api/found?found=dog&found_least=2")["found"].size(), 2U);
  EXPECT_EQ(Json("/api/found?found_score=0.85")["found"],
            json::parse(R"([{"label": "dog", "pictures": 1, "boxes": 1}])"));
  EXPECT_EQ(Get("/api/detections?found_least=0").status, 400);
  EXPECT_EQ(Get("/api/detections?found_least=301").status, 400);
  for (const char* bad : {"found_least=x", "found_score=2", "found_score=x"}) {
    EXPECT_EQ(Get(std::string("/api/hexagons?") + bad).status, 400) << bad;
  }
}

TEST_F(SiteTest, GivesDetectionsInThreeFormats) {
  for (uint64_t i = 0; i < 3; ++i) Put(Sample(i));
  const json page = Json("/api/detections?limit=2");
  EXPECT_EQ(page["more"], true);
  EXPECT_EQ(page["last_id"], 3);
  EXPECT_EQ(page["detections"][0]["id"], 3);
  EXPECT_EQ(page["detections"][0]["stages_ms"]["prefix"], 10);
  EXPECT_FALSE(page["detections"][0]["stages_ms"].contains("network"));
  EXPECT_EQ(Json("/api/detections?order=oldest&after=1&limit=1")["detections"][0]["id"], 2);

  const json geo = Json("/api/detections?format=geojson");
  EXPECT_EQ(geo["features"][0]["geometry"]["coordinates"][0], 8.541694);
  const HttpResponse csv = Get("/api/detections?format=csv");
  EXPECT_THAT(Header(csv, "Content-Disposition"), HasSubstr("detections.csv"));
  EXPECT_EQ(std::count(csv.body.begin(), csv.body.end(), '\n'), 4);
}

TEST_F(SiteTest, CsvCellsAreNoFormulas) {
  Detection d = Sample(0);
  d.device = "=HYPERLINK(\"http://x\")";
  d.label = "a,\"b\"\nc";
  Put(d);
  for (const char* hidden : {" =1", "\u3000\t@x", "\uff1d1", "\u00a0\uff0b2"}) {
    d.label = hidden;
    ++d.sequence;
    Put(d);
  }
  const std::string csv = Get("/api/detections?format=csv").body;
  EXPECT_THAT(csv, HasSubstr("\"'=HYPERLINK(\"\"http://x\"\")\""));
  for (const char* hidden : {"' =1", "'\u3000\t@x", "'\uff1d1", "'\u00a0\uff0b2"}) {
    EXPECT_THAT(csv, HasSubstr(hidden));
  }
  EXPECT_THAT(csv, HasSubstr("\"a,\"\"b\"\"\nc\""));
}

TEST_F(SiteTest, RefusesEveryParameterItDoesNotKnowOrBelieve) {
  for (const char* target :
       {"/api/detections?limit=0", "/api/detections?limit=10001", "/api/detections?order=up",
        "/api/detections?format=xml", "/api/detections?lable=x", "/api/detections?box=1",
        "/api/hexagons?level=21", "/api/hexagons?level=-1", "/api/hexagons?points=99999",
        "/api/inventory?x=1", "/api/config?x", "/healthz?x=1", "/api/stats?min_score=2",
        "/api/events?since=1", "/api/detections?device=%ff", "/api/timeline?bins=0",
        "/api/timeline?bins=1001", "/api/fleet?x=1", "/metrics?x=1"}) {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_TRUE(json::parse(response.body).contains("error")) << target;
  }
  EXPECT_EQ(Get("/api/nothing").status, 404);
  EXPECT_EQ(Get("/../etc/passwd").status, 404);
  EXPECT_EQ(Get("/api/detections", "POST").status, 405);
  EXPECT_EQ(Get("/api/detections", "DELETE").status, 405);
}

TEST_F(SiteTest, ALoopbackServerAnswersToLoopbackNamesOnly) {
  for (const char* host : {"127.0.0.1", "localhost:99", "[::1]:80", "127.0.0.5:1"}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 200) << host;
  }
  for (const char* host : {"evil.example", "127.evil.example.", "", "localhost.evil.example"}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 421) << host;
  }
}

// A page elsewhere that points its own name at this server would read it through a visitor's
// browser.
TEST_F(SiteTest, OnceNamesAreGivenNoOtherIsAnsweredAtAnyAddress) {
  options_.address = "0.0.0.0";
  options_.hosts = {"map.example"};
  for (const char* host : {"map.example", "map.example:8080", "127.0.0.1:8080", "localhost"}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 200) << host;
  }
  for (const char* host : {"evil.example", "map.example.evil.example", "192.0.2.7", ""}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 421) << host;
  }
}

TEST_F(SiteTest, WithoutNamesAServerOffLoopbackAnswersToAny) {
  options_.address = "0.0.0.0";
  host_ = "192.0.2.7:8080";
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(SiteTest, AFurtherNameMayBeAnIpv6Address) {
  options_.hosts = {"map.example", "fd00::5", "[fd00::6]"};
  for (const char* host : {"map.example", "map.example:80", "[fd00::5]:80", "[fd00::6]"}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 200) << host;
  }
  for (const char* host : {"fd00::5", "[fd00::7]", "[fd00::5"}) {
    host_ = host;
    EXPECT_EQ(Get("/healthz").status, 421) << host;
  }
}

TEST_F(SiteTest, AnswersCarryASecurityPolicy) {
  for (const char* target : {"/", "/api/detections", "/nothing"}) {
    const HttpResponse response = Get(target);
    const std::string policy = Header(response, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_EQ(Header(response, "X-Content-Type-Options"), "nosniff");
  }
}

// What a map without streets loads. The other pages, a base map's reader ("esm") and styles, and
// the names in it are fetched by whoever asks for them.
TEST_F(SiteTest, CarriesThePageWithinItsWeight) {
  size_t weight = 0;
  const auto on_demand = [](std::string_view path) {
    constexpr std::array<std::string_view, 6> kOthers{"/plan",    "/fleet", "/esm",
                                                      "/street_", "/open",  "/licences"};
    return std::ranges::any_of(kOthers, [&](auto other) { return path.starts_with(other); });
  };
  for (const Asset& asset : Assets()) {
    const HttpResponse response = Get(std::string(asset.path));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body.size(), asset.bytes) << asset.path;  // no gzip asked for: plain
    if (!on_demand(asset.path)) weight += asset.gzip.size();
  }
  EXPECT_GT(weight, 400'000U);
  EXPECT_LE(weight, 500'000U);
  EXPECT_THAT(Get("/").body, HasSubstr("<!doctype html>"));
}

TEST_F(SiteTest, AnUnchangedAssetIsNotSentAgain) {
  HttpRequest request;
  request.host = host_;
  request.if_none_match = std::string(FindAsset("/app.js")->etag);
  request.target = "/app.js";
  Get("/");
  const HttpResponse response = site_->Handle(request);
  EXPECT_EQ(response.status, 304);
  EXPECT_TRUE(response.content().empty());
}

TEST_F(SiteTest, CompressesWhatIsLarge) {
  for (uint64_t i = 0; i < 50; ++i) Put(Sample(i));
  HttpRequest request;
  request.host = host_;
  request.target = "/api/detections";
  request.accepts_gzip = true;
  const std::string plain = Get("/api/detections").body;
  const HttpResponse response = site_->Handle(request);
  EXPECT_EQ(Header(response, "Content-Encoding"), "gzip");
  EXPECT_LT(response.body.size(), plain.size() / 3);
  EXPECT_EQ(Gunzip(response.body), plain);
}

TEST_F(SiteTest, IsShownInFramesOfNamedSitesOnly) {
  const auto policy = [&](const HttpResponse& r) { return Header(r, "Content-Security-Policy"); };
  const HttpResponse alone = Get("/");
  EXPECT_THAT(policy(alone), HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(Header(alone, "X-Frame-Options"), "DENY");
  site_.reset();
  options_.embedders = {"https://city.example/news/", "http://localhost:8000"};
  const HttpResponse shown = Get("/");
  EXPECT_TRUE(policy(shown).ends_with("frame-ancestors https://city.example http://localhost:8000"))
      << policy(shown);
  EXPECT_EQ(Header(shown, "X-Frame-Options"), "");
  for (const char* site :
       {"city.example", "https://", "https://a b", "*", "https://a;script-src *"}) {
    options_.embedders = {site};
    const auto made = Site::Make(options_, *store_, fleet_, counters_);
    ASSERT_FALSE(made) << site;
    EXPECT_THAT(made.error().ToString(), HasSubstr("--embed"));
  }
}

// As long as a store is being read, answers are about its beginning and say so.
TEST_F(SiteTest, CountsWhatHasBeenReadOfAStore) {
  for (uint64_t i = 0; i < 10; ++i) Put(Sample(i));
  PartlyRead partly(*store_, 4);
  site_ = Site::Make(options_, partly, fleet_, counters_).value();
  for (const char* target : {"/api/hexagons?level=9&points=100",
                             "/api/hexagons?level=9&points=100&from=1767225600000"}) {
    const json hexagons = Json(target);
    EXPECT_EQ(hexagons["last_id"], 10);
    EXPECT_EQ(hexagons["counted_id"], 4);
    EXPECT_EQ(hexagons["total"], 4);
    EXPECT_EQ(hexagons["detections"].size(), 4U);
  }
  uint64_t in_line = 0;
  const json line = Json("/api/timeline?bins=5");
  for (const json& bin : line["bins"]) in_line += bin[0].get<uint64_t>();
  EXPECT_EQ(in_line, 4U);
  EXPECT_EQ(Json("/api/detections")["detections"].size(), 10U);  // they need no counting
  site_.reset();
  EXPECT_EQ(Json("/api/hexagons?level=9")["counted_id"], 10);
}

TEST_F(SiteTest, HexagonsBringThePointsWhenTheyAreFew) {
  for (uint64_t i = 0; i < 5; ++i) Put(Sample(i));
  EXPECT_FALSE(Json("/api/hexagons?level=4&points=4").contains("detections"));
  const json few = Json("/api/hexagons?level=4&points=5&box=8,47,9,48");
  EXPECT_EQ(few["total"], 5);
  EXPECT_EQ(few["detections"].size(), 5U);
  EXPECT_EQ(few["cells"][0][2], 5);
}

TEST_F(SiteTest, RoundedPositionsCannotBeNarrowedDown) {
  options_.round_decimals = 2;
  Put(Sample(0));  // 47.376894, 8.541694 leaves as 47.38, 8.54
  EXPECT_EQ(Json("/api/detections")["detections"][0]["lat"], 47.38);
  EXPECT_EQ(Json("/api/detections")["detections"][0]["lon"], 8.54);
  // A box is answered as if the rounded position were stored.
  EXPECT_EQ(Json("/api/detections?box=8.54,47.38,8.54,47.38")["detections"].size(), 1U);
  EXPECT_EQ(Json("/api/detections?box=8.5416,47.3768,8.5417,47.3769")["detections"].size(), 0U);
  // 36,000 cells of a hundredth of a degree round the world: no hexagon is narrower.
  const json cells = Json("/api/hexagons?level=20");
  EXPECT_LE(16 << cells["level"].get<int>(), 36'000);
}

TEST_F(SiteTest, NothingTellsWhereTheServersFilesLie) {
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.path() / "sick.onnx", "no model"));
  const TempDir elsewhere;
  ASSERT_TRUE(WriteFile(elsewhere.path() / "m.onnx", "x"));
  std::filesystem::create_symlink(elsewhere.path() / "m.onnx", dir.path() / "out.onnx");
  options_.models = dir.path();
  const std::string machine = (dir.path() / "pi.toml").string();
  options_.predict.edge = options_.predict.cloud = options_.predict.link = machine;
  options_.predict.devices["cam"] = machine;
  Put(Sample(1));
  fleet_.Add({.id = 1, .stored_us = 1, .detection = Sample(1)}, clock_.Steady());
  std::string all = Get("/api/models").body;
  for (const char* name : {"sick", "out", "none"}) {
    HttpResponse answer;
    do {
      answer = Get(std::string("/api/network?model=") + name);
    } while (answer.status == 503);  // it is being read
    EXPECT_EQ(answer.status, 404) << answer.body;
    all += answer.body + Get(std::string("/api/plan?model=") + name).body;
  }
  const json fleet = Json("/api/fleet");
  EXPECT_EQ(fleet["predicted_by"]["edge"], "pi.toml");
  all += fleet.dump();
  EXPECT_EQ(all.find(dir.path().parent_path().string() + "/"), std::string::npos) << all;
}

TEST_F(SiteTest, PicturesLeaveOnlyWhenTheOperatorSaysSo) {
  Detection d = Sample(0);
  d.thumbnail = {std::byte{0xff}, std::byte{0xd8}};
  Put(d);
  EXPECT_EQ(Get("/api/thumbnails/1").status, 404);
  EXPECT_FALSE(Json("/api/detections")["detections"][0].contains("thumbnail"));
  site_.reset();
  options_.thumbnails = true;
  EXPECT_EQ(Get("/api/thumbnails/1").body, "\xff\xd8");
  EXPECT_EQ(Get("/api/thumbnails/2").status, 404);
  EXPECT_EQ(Get("/api/thumbnails/x").status, 404);
  EXPECT_EQ(Json("/api/detections")["detections"][0]["thumbnail"], true);
}

TEST_F(SiteTest, DetectionsBringWhatWasFound) {
  Put(Sample(0));
  Detection d = Sample(1);
  d.findings = BoxFindings{{{"can", 0.5F, 0, 0.2F, 0.4F, 0.6F}}, 2};
  Put(d);
  d = Sample(2);
  d.findings = MaskFindings{{{"road", 0.625F}}};
  Put(d);
  d = Sample(3);
  d.findings = NumberFindings{{{"level", -0.5}}};
  Put(d);
  const json rows = Json("/api/detections?order=oldest")["detections"];
  for (const char* key : {"classes", "boxes", "boxes_cut_off", "shares", "numbers", "raw"}) {
    EXPECT_FALSE(rows[0].contains(key)) << key;
  }
  const json box = rows[1]["boxes"][0];
  EXPECT_EQ(box["label"], "can");
  EXPECT_EQ(box["score"], 0.5);
  EXPECT_FLOAT_EQ(box["y"].get<float>(), 0.2F);
  EXPECT_FLOAT_EQ(box["h"].get<float>(), 0.6F);
  EXPECT_EQ(rows[1]["boxes_cut_off"], 2);
  EXPECT_EQ(rows[2]["shares"][0]["share"], 0.625);
  EXPECT_EQ(rows[3]["numbers"][0]["value"], -0.5);
  EXPECT_EQ(
      Json("/api/detections?format=geojson&order=oldest")["features"][1]["properties"]["boxes"],
      rows[1]["boxes"]);
  const std::string csv = Get("/api/detections?format=csv&order=oldest").body;
  EXPECT_THAT(csv, HasSubstr(",clock,\r\n")) << "nothing more is said of the first";
  EXPECT_THAT(csv, HasSubstr(R"(,clock,"{""boxes"":[{""label"":""can"",""score"":0.5,)"));
  EXPECT_THAT(csv, HasSubstr(R"(,clock,"{""shares"":[{""label"":""road"",)"));
}

TEST_F(SiteTest, StatsTellTheTrueTotalAndTheOneWithoutWaits) {
  for (uint64_t i = 0; i < 4; ++i) Put(Sample(i));
  const json split = Json("/api/stats")["mechanisms"][0];
  EXPECT_EQ(split["name"], "split");
  EXPECT_EQ(split["total_ms"]["p50"], 15);
  EXPECT_EQ(split["without_waits_ms"]["p50"], 10);
  EXPECT_EQ(split["stages_ms"]["window"]["p95"], 5);
  EXPECT_EQ(split["bytes"]["p50"], 1000);
}

TEST_F(SiteTest, ATimeLineCoversWhatThereIs) {
  EXPECT_EQ(Json("/api/timeline?bins=3")["bins"].size(), 3U);
  for (uint64_t i = 0; i < 4; ++i) Put(Sample(i));
  const json line = Json("/api/timeline?bins=2");
  EXPECT_EQ(line["from"], 1'767'225'600'000);
  EXPECT_EQ(line["to"], 1'767'225'603'001);
  EXPECT_EQ(line["untimed"], 0);
  EXPECT_EQ(line["bins"], json::parse("[[2,2],[2,2]]"));
  EXPECT_EQ(Json("/api/timeline?bins=1&from=1767225601000&to=1767225603000")["bins"],
            json::parse("[[2,2]]"));
}

// How a time is known goes wherever the time goes; where nobody knows it there is none.
TEST_F(SiteTest, TellsHowATimeIsKnownAndInventsNone) {
  Put(Sample(0));
  Detection d = Sample(1);
  d.captured_from = TimeSource::kNone;
  Put(d);
  d = Sample(2);
  d.captured_from = TimeSource::kAssumed;
  Put(d);
  const json page = Json("/api/detections?order=oldest");
  EXPECT_EQ(page["untimed"], 0);  // no time was asked for, so nothing was left out
  const json& rows = page["detections"];
  EXPECT_EQ(rows[0]["captured_from"], "clock");
  EXPECT_EQ(rows[1]["captured_from"], "none");
  EXPECT_FALSE(rows[1].contains("captured"));
  EXPECT_EQ(rows[2]["captured_from"], "assumed");
  EXPECT_EQ(rows[2]["captured"], 1'767'225'602'000);
  const json geo = Json("/api/detections?format=geojson&order=oldest");
  EXPECT_FALSE(geo["features"][1]["properties"].contains("captured"));
  EXPECT_EQ(geo["features"][1]["properties"]["captured_from"], "none");
  const std::string csv = Get("/api/detections?format=csv&order=oldest").body;
  EXPECT_THAT(csv, HasSubstr(",captured_from,findings\r\n"));
  EXPECT_THAT(csv, HasSubstr("2,cam,0000000000000000,1,,47.376894,"));
  EXPECT_THAT(csv, HasSubstr(",none,\r\n"));

  const std::string since = "from=0";
  const HttpResponse filtered = Get("/api/detections?" + since);
  EXPECT_EQ(json::parse(filtered.body)["detections"].size(), 2U);
  EXPECT_EQ(json::parse(filtered.body)["untimed"], 1);
  EXPECT_EQ(Header(filtered, "Fogline-Untimed"), "1");
  EXPECT_EQ(Json("/api/hexagons?" + since)["untimed"], 1);
  EXPECT_EQ(Json("/api/hexagons?" + since)["total"], 2);
  EXPECT_EQ(Json("/api/hexagons")["total"], 3);
  const json line = Json("/api/timeline?bins=1");
  EXPECT_EQ(line["untimed"], 1);
  EXPECT_EQ(line["bins"], json::parse("[[2,2]]"));
}

TEST_F(SiteTest, EveryAnswerSaysWhichRowsAreTheOldestLeft) {
  for (uint64_t i = 0; i < 5; ++i) Put(Sample(i));
  EXPECT_EQ(Json("/api/detections")["oldest"], 1);
  ASSERT_EQ(store_->Forget({.rows = 2}).value().rows, 3U);
  const HttpResponse csv = Get("/api/detections?format=csv");
  EXPECT_EQ(Header(csv, "Fogline-Oldest"), "4");
  EXPECT_EQ(Header(Get("/api/detections?format=geojson"), "Fogline-Oldest"), "4");
  const json page = Json("/api/detections?order=oldest&after=1");
  EXPECT_EQ(page["oldest"], 4);
  EXPECT_EQ(page["detections"][0]["id"], 4);
  EXPECT_EQ(Json("/api/hexagons")["oldest"], 4);
  EXPECT_EQ(Json("/api/inventory")["oldest"], 4);
  EXPECT_EQ(Json("/api/inventory")["count"], 2);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("fogline_detections_forgotten 3\n"));
}

TEST_F(SiteTest, MetricsAreInPrometheusFormat) {
  Detection d = Sample(0);
  d.mechanism = "a\"b\\c\nd";
  Put(d);
  options_.metrics = [] {
    return std::vector<Metric>{
        {"fogline_cloud_refused_total", "Refused", Metric::kCounter, 7, "", ""},
        {"fogline_cloud_unstored_total", "Unstored", Metric::kCounter, 3, "reason", "invalid"},
        {"fogline_cloud_unstored_total", "Unstored", Metric::kCounter, 4, "reason", "conflict"}};
  };
  Get("/nothing");
  const HttpResponse response = Get("/metrics");
  EXPECT_THAT(response.type, HasSubstr("version=0.0.4"));
  EXPECT_THAT(response.body, HasSubstr("# TYPE fogline_detections_stored gauge\n"
                                       "fogline_detections_stored 1\n"));
  EXPECT_THAT(response.body, HasSubstr("{mechanism=\"a\\\"b\\\\c\\nd\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("fogline_http_responses_total{status=\"404\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("fogline_cloud_refused_total 7\n"));
  EXPECT_THAT(response.body, HasSubstr("# TYPE fogline_cloud_unstored_total counter\n"
                                       "fogline_cloud_unstored_total{reason=\"invalid\"} 3\n"
                                       "fogline_cloud_unstored_total{reason=\"conflict\"} 4\n"));
}

TEST_F(SiteTest, FleetTellsWhatEachDeviceDoes) {
  EXPECT_EQ(Json("/api/fleet")["devices"].size(), 0U);
  clock_.Advance(std::chrono::seconds(2));
  const int64_t now_us = clock_.WallMicros();
  for (uint64_t i = 0; i < 30; ++i) {
    StoredDetection row{.id = i + 1, .stored_us = now_us - 1000, .detection = Sample(i * 2)};
    fleet_.Add(row, clock_.Steady());
  }
  const json device = Json("/api/fleet")["devices"][0];
  EXPECT_EQ(device["name"], "cam");
  EXPECT_EQ(device["images_per_second"], 0.5);
  EXPECT_EQ(device["arrived"], 30);
  EXPECT_EQ(device["sent"], 59);
  EXPECT_EQ(device["measured"]["total_ms"]["p50"], 15);
  EXPECT_EQ(device["stages_ms"]["prefix"]["p95"], 10);
}

TEST_F(SiteTest, FleetWaitsForTheTimesThatComeLater) {
  clock_.JumpWall(Clock::Real().WallMicros());
  Put(Sample(0));
  ASSERT_TRUE(fleet_.CatchUp(*store_));
  EXPECT_EQ(Json("/api/fleet")["devices"].size(), 0U);
  const std::vector<Settlement> settlements{{"cam", 0, 0, 21.5F}};
  ASSERT_TRUE(store_->Put({}, settlements));
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_FALSE(fleet_.CatchUp(*store_).value());
  EXPECT_FALSE(fleet_.CatchUp(*store_).value());  // adds nothing twice
  const json device = Json("/api/fleet")["devices"][0];
  EXPECT_EQ(device["arrived"], 1);
  EXPECT_EQ(device["stages_ms"]["network"]["p50"], 21.5);
}

TEST_F(SiteTest, ServesRangesOfABaseMapAndNothingElse) {
  const TempDir dir;
  const auto path = dir.path() / "map.pmtiles";
  options_.basemap = path.string();
  EXPECT_EQ(Site::Make(options_, *store_, fleet_, counters_).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteFile(path, "not tiles at all"));
  EXPECT_EQ(Site::Make(options_, *store_, fleet_, counters_).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(WriteFile(path, std::string("PMTiles\x03") + std::string(992, 'x')));
  Get("/");
  const auto range = [&](const std::string& bytes) {
    HttpRequest request;
    request.host = host_;
    request.target = "/basemap.pmtiles";
    request.range = bytes;
    return site_->Handle(request);
  };
  const HttpResponse head = range("bytes=0-6");
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.body, "PMTiles");
  EXPECT_EQ(Header(head, "Content-Range"), "bytes 0-6/1000");
  EXPECT_EQ(range("bytes=990-").body.size(), 10U);
  EXPECT_EQ(range("bytes=990-99999").body.size(), 10U);
  EXPECT_EQ(range("bytes=1000-").status, 416);
  for (const char* wrong : {"", "bytes=", "bytes=-5", "bytes=5-3", "bytes=0-1,3-4", "lines=1-2",
                            "bytes=99999999999999999999-"}) {
    EXPECT_EQ(range(wrong).status, 400) << wrong;
  }
  EXPECT_EQ(Json("/api/config")["basemap"]["kind"], "pmtiles");
}

TEST(OpenApi, DescribesEveryPath) {
  const auto text = ReadTextFile(std::string(FOGLINE_SOURCE_DIR) + "/docs/openapi.yaml");
  ASSERT_TRUE(text);
  for (std::string_view path : Site::Paths()) {
    std::string line = "\n  " + std::string(path.substr(0, path.find('*')));
    line += path.ends_with('*') ? "{id}:\n" : ":\n";
    EXPECT_THAT(*text, HasSubstr(line));
  }
}

TEST(IsoTime, KnowsDatesBeforeAndAfter1970) {
  EXPECT_EQ(IsoTime(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(IsoTime(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(IsoTime(1'767'225'600'123'456), "2026-01-01T00:00:00.123Z");
  EXPECT_EQ(IsoTime(std::numeric_limits<int64_t>::max()), "");
}

}  // namespace
}  // namespace fogline
