// OGC API - Features: what the standard asks for, word by word, over a store.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "web/site.h"

namespace fogline {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kItems = "/ogc/collections/detections/items";
constexpr int64_t kNewYear = 1'767'225'600'000'000;  // 2026

class OgcTest : public ::testing::Test {
 protected:
  OgcTest() : store_(OpenStore("sqlite::memory:").value()) {}

  /// So many pictures, a second and a degree east apart; each tenth has no place, each eleventh no
  /// time.
  void Fill(uint64_t count) {
    std::vector<Detection> batch;
    for (uint64_t i = 1; i <= count; ++i) {
      Detection d;
      d.device = i % 2 == 0 ? "even & odd" : "odd";
      d.sequence = i;
      d.captured_us = kNewYear + static_cast<int64_t>(i) * 1'000'000;
      d.has_position = i % 10 != 0;
      d.lat = 47.123456;
      d.lon = static_cast<double>(i % 360) - 180;
      if (i % 11 == 0) d.captured_from = TimeSource::kNone;
      batch.push_back(std::move(d));
    }
    ASSERT_TRUE(store_->Put(batch));
  }
  HttpResponse Get(const std::string& target) {
    if (!site_) site_ = Site::Make(options_, *store_, fleet_, counters_).value();
    HttpRequest request;
    request.target = target;
    request.host = "127.0.0.1:8080";
    return site_->Handle(request);
  }
  json Ask(const std::string& target, const std::string& type = "application/json") {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    EXPECT_EQ(response.type, type) << target;
    return json::parse(response.body);
  }
  json Items(const std::string& query) { return Ask(kItems + query, "application/geo+json"); }
  /// The ids of every page, by the links from one to the next; `base` is what links begin with.
  std::vector<uint64_t> Walk(std::string target, const std::string& base) {
    std::vector<uint64_t> ids;
    for (int pages = 0; !target.empty() && pages < 1000; ++pages) {
      const json page = Ask(target, "application/geo+json");
      EXPECT_EQ(page["numberReturned"], page["features"].size());
      for (const json& feature : page["features"]) ids.push_back(feature["id"]);
      const std::string next = Link(page, "next");
      EXPECT_TRUE(next.empty() || next.starts_with(base)) << next;
      target = next.empty() ? "" : next.substr(base.size());
    }
    return ids;
  }
  static std::string Link(const json& document, const std::string& rel) {
    for (const json& link : document["links"]) {
      if (link["rel"] == rel) return link["href"];
    }
    return {};
  }

  WebOptions options_;
  std::unique_ptr<Store> store_;
  WebCounters counters_;
  FakeClock clock_;
  FleetMemory fleet_{clock_};
  std::unique_ptr<Site> site_;
};

TEST_F(OgcTest, LeadsFromTheLandingPageToEveryFeature) {
  Fill(25);
  const std::string base = "http://127.0.0.1:8080";
  const auto follow = [&](const json& document, const std::string& rel) {
    const std::string href = Link(document, rel);
    EXPECT_TRUE(href.starts_with(base)) << rel << ": " << href;
    return href.substr(base.size());
  };
  const json landing = Ask("/ogc");
  EXPECT_EQ(follow(landing, "self"), "/ogc");
  EXPECT_EQ(Get(follow(landing, "service-desc")).status, 200);
  EXPECT_THAT(Ask(follow(landing, "conformance"))["conformsTo"].dump(),
              HasSubstr("ogcapi-features-1/1.0/conf/core"));
  const json collections = Ask(follow(landing, "data"));
  ASSERT_EQ(collections["collections"].size(), 1U);
  const json collection = Ask(follow(collections["collections"][0], "self"));
  EXPECT_EQ(collection, collections["collections"][0]);
  EXPECT_EQ(collection["extent"]["temporal"]["interval"][0],
            json({"2026-01-01T00:00:01.000Z", "2026-01-01T00:00:25.000Z"}));
  const json page = Ask(follow(collection, "items"), "application/geo+json");
  EXPECT_EQ(page["type"], "FeatureCollection");
  EXPECT_EQ(page["features"].size(), 25U);
  EXPECT_EQ(Link(page, "next"), "");
  EXPECT_EQ(follow(page, "collection"), "/ogc/collections/detections");
  for (const json& feature : page["features"]) {
    json alone =
        Ask(kItems + fmt::format("/{}", feature["id"].get<uint64_t>()), "application/geo+json");
    EXPECT_EQ(follow(alone, "collection"), "/ogc/collections/detections");
    alone.erase("links");
    EXPECT_EQ(alone, feature);
  }
}

TEST_F(OgcTest, PagesMeetWithoutAHoleWhateverIsAskedFor) {
  Fill(95);
  options_.public_url = "https://maps.city.example/litter";
  for (const std::string filter : {"", "device=even%20%26%20odd&", "bbox=-180,0,180,90&",
                                   "datetime=../2026-01-01T00:01:00Z&", "after=3&"}) {
    const json whole = Items("?" + filter + "limit=1000");
    EXPECT_THAT(Link(whole, "self"), HasSubstr("https://maps.city.example/litter/ogc/"));
    std::vector<uint64_t> all;
    for (const json& feature : whole["features"]) all.push_back(feature["id"]);
    EXPECT_GT(all.size(), 40U) << filter;
    for (const int limit : {1, 7, 95}) {
      EXPECT_EQ(Walk(fmt::format("{}?{}limit={}", kItems, filter, limit), options_.public_url), all)
          << filter << limit;
    }
  }
}

TEST_F(OgcTest, TakesBoxesAndTimesAsTheStandardWritesThem) {
  Fill(95);
  const auto count = [&](const std::string& query) {
    return Items("?limit=1000&" + query)["features"].size();
  };
  EXPECT_EQ(count("bbox=-180,-90,180,90"), 86U) << "what has no place is in no box";
  EXPECT_EQ(count("bbox=-179,47,-177,48"), 3U);
  EXPECT_EQ(count("bbox=-179,47,-100,-177,48,9000"), 3U) << "heights are nobody's";
  EXPECT_EQ(count("bbox=170,47,-179,48"), 1U) << "across the date line";
  EXPECT_EQ(count("datetime=2026-01-01T00:00:05Z"), 1U);
  EXPECT_EQ(count("datetime=2026-01-01T01:00:05.000%2B01:00"), 1U);
  EXPECT_EQ(count("datetime=2026-01-01T00:00:05Z/2026-01-01T00:00:09Z"), 5U) << "both ends";
  EXPECT_EQ(count("datetime=2026-01-01T00:01:30Z/.."), 6U);
  EXPECT_EQ(count("datetime=/2026-01-01T00:00:03Z"), 3U);
  EXPECT_EQ(count("datetime=../.."), 95U);
  for (const char* bad : {"bbox=",
                          "bbox=1,2,3",
                          "bbox=1,2,3,4,5",
                          "bbox=1,2,3,x",
                          "bbox=nan,0,1,1",
                          "bbox=0,5,1,4",
                          "bbox=0,0,181,1",
                          "bbox=0,0,1,1,",
                          "bbox=0,0,1,1&box=0,0,1,1",
                          "datetime=",
                          "datetime=..",
                          "datetime=2026-01-01",
                          "datetime=2026-02-30T00:00:00Z",
                          "datetime=2026-01-01T24:00:00Z",
                          "datetime=2026-01-01T00:00:00",
                          "datetime=2026-01-01T00:00:00.Z",
                          "datetime=2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",
                          "datetime=2026-01-01T00:00:00Z/../..",
                          "datetime=2026-01-01T00:00:00Z&from=1",
                          "limit=0",
                          "limit=-1",
                          "crs=4326"}) {
    EXPECT_EQ(Get(std::string(kItems) + "?" + bad).status, 400) << bad;
  }
  EXPECT_EQ(Items("?limit=99999999")["numberReturned"], 95) << "too many are the most";
}

TEST_F(OgcTest, WhatIsNotThereIsNotFound) {
  Fill(3);
  for (const char* path : {"/0", "/4", "/x", "/1/", "/-1", "/1x", "/99999999999999999999"}) {
    EXPECT_EQ(Get(std::string(kItems) + path).status, 404) << path;
  }
  EXPECT_EQ(Get("/ogc/collections/other").status, 404);
}

TEST_F(OgcTest, PositionsLeaveRounded) {
  options_.round_decimals = 2;
  Fill(1);
  EXPECT_EQ(Items("")["features"][0]["geometry"]["coordinates"][1], 47.12);
  EXPECT_EQ(Ask(std::string(kItems) + "/1", "application/geo+json")["geometry"]["coordinates"][1],
            47.12);
}

}  // namespace
}  // namespace fogline
