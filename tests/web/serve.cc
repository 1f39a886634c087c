// The web server with a store that the tests fill:
//   web_test_server STORE_URL [--decimals N] [--thumbnails] [--port N] [--models DIR]
//     [--basemap MAP] [--attribution WORDS] [--embed SITE]
// Prints {"port":N,"epoch":"…"} and then answers lines on stdin, one JSON line each, until stdin
// ends:
//   walk DEVICE COUNT LAT LON [SEED]   a synthetic walk of COUNT pictures, 15 m apart
//   many COUNT SEED                    COUNT detections over the cities of the world
//   put JSON                           one detection; the fields are those of PutOne() below
//   forget ROWS                        forgets all but the newest ROWS
//   counted ROWS                       only the first ROWS count as read into memory; 0: all
//   restart                            stops the server and starts it again on the same port
#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <random>
#include <sstream>

#include "base/log.h"
#include "early_model.h"
#include "frame/json_findings.h"
#include "store/forwarding_store.h"
#include "store/store.h"
#include "web/web_server.h"

namespace fogline {
namespace {

/// A store of which only so many rows have been read into memory.
class PartlyRead final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<uint64_t> CountedId() override {
    const uint64_t most = most_;
    return ForwardingStore::CountedId().map(
        [most](uint64_t id) { return most == 0 ? id : std::min(id, most); });
  }
  void Limit(uint64_t most) { most_ = most; }

 private:
  std::atomic<uint64_t> most_{0};
};

struct Fixture {
  WebOptions options;
  std::unique_ptr<Store> store;
  std::unique_ptr<PartlyRead> shown;  // the same, as the server sees it
  std::unique_ptr<WebServer> server;
  std::map<std::string, uint64_t> sequences;  // by device
  int64_t taken = 0;                          // pictures so far, five seconds apart
};

constexpr int64_t kStartUs = 1'767'225'600'000'000;  // 2026-01-01

Detection Sample(Fixture& fixture, const std::string& device, std::mt19937_64& random) {
  std::uniform_real_distribution<float> unit(0, 1);
  Detection d;
  d.device = device;
  d.run = 1;
  d.sequence = fixture.sequences[device]++;
  d.captured_us = kStartUs + fixture.taken++ * 5'000'000;
  d.model = std::string(64, 'a');
  d.positive = unit(random) < 0.4F;
  d.label = d.positive ? "litter" : "clean";
  d.score = d.positive ? 0.5F + unit(random) / 2 : 0.5F + unit(random) * 0.4F;
  const float way = unit(random);
  d.stages.read = 1.1F + unit(random);
  d.stages.resize = 0.7F + unit(random) / 2;
  d.stages.network = 18 + unit(random) * 12;
  d.stages.store = 0.1F + unit(random) / 5;
  d.stages.window = unit(random) < 0.1F ? unit(random) * 30 : 0.01F;
  d.stages.queue = unit(random) * 2;
  if (way < 0.5F) {
    d.mechanism = "split";
    d.cut = "split13";
    d.codec = "q4";
    d.payload_bytes = 1300 + static_cast<uint32_t>(unit(random) * 300);
    d.stages.prefix = 21 + unit(random) * 4;
    d.stages.encode = 0.2F + unit(random) / 10;
    d.stages.decode = 0.1F + unit(random) / 10;
    d.stages.suffix = 3 + unit(random);
  } else if (way < 0.8F) {
    d.mechanism = "cloud-only";
    d.cut = "input";
    d.codec = "jpeg:90";
    d.payload_bytes = 8000 + static_cast<uint32_t>(unit(random) * 4000);
    d.stages.encode = 1 + unit(random);
    d.stages.decode = 0.6F + unit(random) / 2;
    d.stages.suffix = 6 + unit(random);
  } else {
    d.mechanism = "edge-only";
    d.cut = "output";
    d.codec = "f32";
    d.payload_bytes = 96;
    d.stages.prefix = 32 + unit(random) * 8;
  }
  return d;
}

void Put(Fixture& fixture, std::span<const Detection> batch) {
  const auto outcome = fixture.store->Put(batch);
  if (!outcome) throw std::runtime_error(outcome.error().ToString());
}

nlohmann::json Walk(Fixture& fixture, std::istream& words) {
  std::string device;
  int count = 0;
  double lat = 0;
  double lon = 0;
  uint64_t seed = 1;
  words >> device >> count >> lat >> lon >> seed;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> turn(0, 0.35);
  double heading = std::uniform_real_distribution<double>(0, 2 * std::numbers::pi)(random);
  std::vector<Detection> batch;
  for (int i = 0; i < count; ++i) {
    Detection d = Sample(fixture, device, random);
    heading += turn(random);
    lat += 15.0 / 111'320 * std::cos(heading);
    lon += 15.0 / 111'320 * std::sin(heading) / std::cos(lat * std::numbers::pi / 180);
    d.has_position = true;
    d.lat = lat;
    d.lon = lon;
    d.accuracy_m = 4;
    d.heading_deg = static_cast<float>(std::fmod(heading * 180 / std::numbers::pi + 3600, 360));
    batch.push_back(std::move(d));
  }
  Put(fixture, batch);
  return {{"stored", batch.size()}};
}

nlohmann::json Many(Fixture& fixture, std::istream& words) {
  size_t count = 0;
  uint64_t seed = 1;
  words >> count >> seed;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> city_lat(-50, 60);
  std::uniform_real_distribution<double> city_lon(-170, 170);
  std::normal_distribution<double> spread(0, 0.08);
  std::vector<std::pair<double, double>> cities(200);
  for (auto& city : cities) city = {city_lat(random), city_lon(random)};
  std::vector<Detection> batch;
  for (size_t i = 0; i < count; ++i) {
    Detection d = Sample(fixture, fmt::format("cam-{:03}", random() % 50), random);
    const auto& [lat, lon] = cities[random() % cities.size()];
    d.has_position = true;
    d.lat = lat + spread(random);
    d.lon = lon + spread(random);
    batch.push_back(std::move(d));
    if (batch.size() == 5000 || i + 1 == count) {
      Put(fixture, batch);
      batch.clear();
    }
  }
  return {{"stored", count}};
}

nlohmann::json PutOne(Fixture& fixture, std::istream& words) {
  const auto json = nlohmann::json::parse(words);
  std::mt19937_64 random(1);
  Detection d = Sample(fixture, json.value("device", "cam-1"), random);
  d.label = json.value("label", d.label);
  d.mechanism = json.value("mechanism", "split");
  d.model = json.value("model", d.model);
  d.cut = json.value("cut", d.cut);
  d.codec = json.value("codec", d.codec);
  d.score = json.value("score", 0.9F);
  d.positive = json.value("positive", true);
  d.captured_us = json.value("captured", d.captured_us / 1000) * 1000;
  d.captured_from = ParseTimeSource(json.value("captured_from", "clock")).value();
  if (json.contains("lat")) {
    d.has_position = true;
    d.lat = json.at("lat");
    d.lon = json.at("lon");
  }
  if (json.contains("findings")) {
    d.findings = ParseFindingsJson(json.at("findings").dump()).value();
  }
  if (json.contains("counts")) {
    const auto& counts = json.at("counts");
    d.counts = {counts.at("waiting"), counts.at("dead"), counts.at("dropped")};
  }
  for (const auto byte : json.value("thumbnail", std::vector<uint8_t>())) {
    d.thumbnail.push_back(static_cast<std::byte>(byte));
  }
  const auto outcome = fixture.store->Put(std::span(&d, 1));
  if (!outcome) return {{"error", outcome.error().ToString()}};
  return {{"id", outcome->at(0).id}};
}

nlohmann::json Obey(Fixture& fixture, const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  nlohmann::json answer{{"error", "unknown verb " + verb}};
  if (verb == "walk") answer = Walk(fixture, words);
  if (verb == "many") answer = Many(fixture, words);
  if (verb == "put") answer = PutOne(fixture, words);
  if (verb == "forget") {
    uint64_t rows = 0;
    words >> rows;
    for (bool more = true; more;) more = fixture.store->Forget({.rows = rows}).value().more;
    answer = {{"forgotten", fixture.store->ForgottenId().value()}};
  }
  if (verb == "counted") {
    uint64_t rows = 0;
    words >> rows;
    fixture.shown->Limit(rows);
    answer = {{"counted", rows}};
  }
  if (verb == "restart") {
    fixture.options.port = fixture.server->port();
    fixture.server.reset();
    auto server = WebServer::Start(fixture.options, *fixture.shown);
    if (!server) return {{"error", server.error().ToString()}};
    fixture.server = *std::move(server);
    answer = {{"port", fixture.server->port()}};
  }
  fixture.server->Notify();
  return answer;
}

int Main(int argc, char** argv) {
  SetLogLevel(LogLevel::kWarning);
  Fixture fixture;
  std::string url = "sqlite::memory:";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto next = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (word == "--decimals") {
      fixture.options.round_decimals = std::atoi(next());
    } else if (word == "--thumbnails") {
      fixture.options.thumbnails = true;
    } else if (word == "--port") {
      fixture.options.port = static_cast<uint16_t>(std::atoi(next()));
    } else if (word == "--models") {
      fixture.options.models = next();
    } else if (word == "--early") {
      const auto written = WriteEarlyModel(next());
      if (!written) return std::fprintf(stderr, "%s\n", written.error().ToString().c_str()), 1;
    } else if (word == "--basemap") {
      fixture.options.basemap = next();
    } else if (word == "--embed") {
      fixture.options.embedders.emplace_back(next());
    } else if (word == "--attribution") {
      fixture.options.basemap_attribution = next();
    } else {
      url = word;
    }
  }
  auto store = OpenStore(url);
  if (!store) return std::fprintf(stderr, "%s\n", store.error().ToString().c_str()), 1;
  fixture.store = *std::move(store);
  fixture.shown = std::make_unique<PartlyRead>(*fixture.store);
  auto server = WebServer::Start(fixture.options, *fixture.shown);
  if (!server) return std::fprintf(stderr, "%s\n", server.error().ToString().c_str()), 1;
  fixture.server = *std::move(server);
  std::cout << nlohmann::json{{"port", fixture.server->port()}, {"epoch", fixture.store->epoch()}}
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Obey(fixture, line) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) { return fogline::Main(argc, argv); }
