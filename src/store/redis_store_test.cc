// What is particular to Redis, against a real server: addresses, several processes at work on one
// store, servers that die, forget, fill up or ask for a password.
#include "store/redis_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "servers/local_redis.h"
#include "store/redis_connection.h"
#include "store/redis_cover.h"
#include "store/redis_script.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Detection RedisSample(uint64_t sequence, const std::string& device = "cam") {
  Detection d;
  d.device = device;
  d.run = 7;
  d.sequence = sequence;
  d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(sequence);
  d.has_position = true;
  d.lat = 47;
  d.lon = 8;
  d.mechanism = "split";
  return d;
}

std::unique_ptr<Store> Open(const LocalRedis& redis, const StoreOptions& options = {}) {
  auto store = OpenStore(redis.url(), options);
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? *std::move(store) : nullptr;
}

Result<std::vector<PutOutcome>> PutOne(Store& store, const Detection& d) {
  return store.Put(std::span(&d, 1));
}

TEST(RedisAddress, IsReadInAllItsParts) {
  const auto plain = ParseRedis("redis://cache").value();
  EXPECT_EQ(plain.host, "cache");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.db, 0);
  const auto full = ParseRedis("redis://fog:se:c@ret@10.0.0.1:7000/3").value();
  EXPECT_EQ(full.user, "fog");
  EXPECT_EQ(full.password, "se:c@ret");
  EXPECT_EQ(full.host, "10.0.0.1");
  EXPECT_EQ(full.port, 7000);
  EXPECT_EQ(full.db, 3);
  EXPECT_THAT(full.ToString(), Not(HasSubstr("ret")));
  EXPECT_EQ(ParseRedis("redis://[::1]:6380").value().host, "::1");
  EXPECT_EQ(ParseRedis("redis://[::1]:6380/2").value().ToString(), "redis://[::1]:6380/2");
  for (const char* bad : {"redis:", "redis://", "redis://:6379", "redis://h:0", "redis://h:x",
                          "redis://h/-1", "redis://h/one", "redis://secret@h", "rediss://h"}) {
    const auto refused = ParseRedis(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_THAT(refused.error().ToString(), Not(HasSubstr("secret")));
  }
}

TEST(RedisCover, HoldsEveryPlaceOfItsBoxInFewRanges) {
  const auto redis = LocalRedis::Start().value();
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  std::mt19937 random(5);
  std::uniform_real_distribution<double> lat(-90, 90), lon(-180, 180), share(0, 1);
  std::vector<std::pair<double, double>> places{{90, 180}, {-90, -180}, {0, 0}, {85.0511, 179.99}};
  for (int i = 0; i < 200; ++i) places.emplace_back(lat(random), lon(random));
  std::vector<RedisCommand> adds, reads;
  for (size_t i = 0; i < places.size(); ++i) {
    adds.push_back({"GEOADD", "g", std::to_string(GeoLongitude(places[i].second)),
                    std::to_string(GeoLatitude(places[i].first)), std::to_string(i)});
    reads.push_back({"ZSCORE", "g", std::to_string(i)});
  }
  const auto added = connection.Pipeline(adds).value();
  for (const auto& reply : added) EXPECT_TRUE(connection.Check(*reply));
  const auto scores = connection.Pipeline(reads).value();
  for (int trial = 0; trial < 300; ++trial) {
    const double size = std::pow(10, -4 * share(random));
    Box box{lon(random), lat(random), 0, 0};
    box.east = box.west + 360 * size > 180 ? box.west + 360 * size - 360 : box.west + 360 * size;
    box.north = std::min(90.0, box.south + 180 * size);
    const auto ranges = Cover(box);
    EXPECT_LE(ranges.size(), 72U);
    for (size_t i = 0; i < places.size(); ++i) {
      if (!box.Contains(places[i].first, places[i].second)) continue;
      const auto score = static_cast<uint64_t>(std::stod(std::string(Text(*scores[i]))));
      EXPECT_TRUE(
          std::any_of(ranges.begin(), ranges.end(),
                      [&](const GeoRange& r) { return r.first <= score && score <= r.last; }))
          << places[i].first << ", " << places[i].second;
    }
  }
}

TEST(RedisStore, AServerThatIsNotThereIsNamedWithoutThePassword) {
  const int port = FreePort();
  const auto store = OpenStore("redis://:topsecret@127.0.0.1:" + std::to_string(port));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(store.error().ToString(), HasSubstr(std::to_string(port)));
  EXPECT_THAT(store.error().ToString(), Not(HasSubstr("topsecret")));
}

TEST(RedisStore, APasswordIsNeededAndNeverRepeated) {
  const auto redis = LocalRedis::Start("requirepass topsecret").value();
  const std::string rest = "127.0.0.1:" + std::to_string(redis->port());
  for (const std::string login : {"", ":wrongsecret@"}) {
    const auto refused = OpenStore("redis://" + login + rest);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << refused.error().ToString();
    EXPECT_THAT(refused.error().ToString(), Not(HasSubstr("wrongsecret")));
  }
  EXPECT_TRUE(OpenStore("redis://:topsecret@" + rest));
}

TEST(RedisStore, StoresOfOneServerAreApartByTheirDatabase) {
  const auto redis = LocalRedis::Start().value();
  const std::string address = "redis://127.0.0.1:" + std::to_string(redis->port());
  const auto one = OpenStore(address + "/1").value();
  const auto two = OpenStore(address + "/2").value();
  EXPECT_NE(one->epoch(), two->epoch());
  ASSERT_TRUE(PutOne(*one, RedisSample(1)));
  EXPECT_EQ(one->LastId().value(), 1U);
  EXPECT_EQ(two->LastId().value(), 0U);
}

TEST(RedisStore, ANewerStoreIsRefused) {
  const auto redis = LocalRedis::Start().value();
  ASSERT_TRUE(Open(*redis));
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  ASSERT_TRUE(connection.Run({"HSET", RedisKey("about"), "version", "99"}));
  EXPECT_EQ(OpenStore(redis->url()).error().code, ErrorCode::kUnsupported);
}

// Four processes write the same 300 frames at once, as brokers deliver twice and devices repeat;
// two of them are killed at their work. Each frame is there once, and the counts agree.
TEST(RedisStore, ManyWorkersStoreEachFrameOnce) {
  const auto redis = LocalRedis::Start().value();
  constexpr uint64_t kFrames = 300;
  constexpr int kWorkers = 4;
  std::vector<pid_t> workers;
  for (int w = 0; w < kWorkers; ++w) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = OpenStore(redis->url());
      bool fine = store.has_value();
      for (uint64_t i = 0; fine && i < kFrames; i += 3) {
        const std::vector<Detection> batch{RedisSample(i), RedisSample(i + 1), RedisSample(i + 2)};
        fine = (*store)->Put(batch).has_value();
        if (w >= 2 && i > 90) raise(SIGKILL);
      }
      _exit(fine ? 0 : 1);
    }
    workers.push_back(child);
  }
  for (int w = 0; w < kWorkers; ++w) {
    int status = 0;
    ASSERT_EQ(waitpid(workers[static_cast<size_t>(w)], &status, 0),
              workers[static_cast<size_t>(w)]);
    EXPECT_EQ(WIFSIGNALED(status), w >= 2);
    EXPECT_TRUE(w >= 2 || WEXITSTATUS(status) == 0);
  }
  const auto store = Open(*redis);
  const auto rows = store->Query({}, Order::kOldestFirst, 10 * kFrames).value();
  std::set<uint64_t> sequences;
  for (const auto& row : rows) sequences.insert(row.detection.sequence);
  EXPECT_EQ(rows.size(), kFrames);
  EXPECT_EQ(sequences.size(), kFrames);
  EXPECT_EQ(store->Stock().value().count, kFrames);
  EXPECT_EQ(store->LastId().value(), kFrames);
}

TEST(RedisStore, AWatchHearsOfWhatOthersStored) {
  const auto redis = LocalRedis::Start().value();
  const auto map = Open(*redis);
  const auto worker = Open(*redis);
  std::mutex mutex;
  std::condition_variable heard;
  int calls = 0;
  const auto watch = map->Watch([&] {
    const std::lock_guard lock(mutex);
    ++calls;
    heard.notify_all();
  });
  ASSERT_NE(watch, nullptr);
  // The watch may begin after the first row; then the second wakes it.
  std::unique_lock lock(mutex);
  for (uint64_t i = 0; calls == 0 && i < 100; ++i) {
    lock.unlock();
    ASSERT_TRUE(PutOne(*worker, RedisSample(i)));
    lock.lock();
    heard.wait_for(lock, 200ms, [&] { return calls > 0; });
  }
  EXPECT_GT(calls, 0);
}

TEST(RedisStore, WhatPutConfirmedSurvivesKill9OfTheServer) {
  const auto redis = LocalRedis::Start().value();
  const auto store = Open(*redis);
  uint64_t confirmed = 0;
  testing::internal::CaptureStderr();
  for (int round = 0; round < 3; ++round) {
    std::thread killer;
    for (uint64_t i = 0; i < 40; ++i) {
      if (i == 20) killer = std::thread([&] { redis->Kill(); });
      const std::vector<Detection> batch{RedisSample(confirmed), RedisSample(confirmed + 1)};
      const auto outcome = store->Put(batch);
      if (outcome) {
        confirmed += 2;
      } else {
        EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable) << outcome.error().ToString();
      }
    }
    killer.join();
    ASSERT_TRUE(redis->Restart());
  }
  ASSERT_TRUE(PutOne(*store, RedisSample(confirmed)));
  const std::string log = testing::internal::GetCapturedStderr();
  const auto rows = store->Query({}, Order::kOldestFirst, 10'000).value();
  std::set<uint64_t> sequences;
  for (const auto& row : rows) sequences.insert(row.detection.sequence);
  EXPECT_EQ(sequences.size(), rows.size());
  for (uint64_t i = 0; i <= confirmed; ++i) EXPECT_TRUE(sequences.contains(i)) << i;
  EXPECT_EQ(store->Stock().value().count, rows.size());
  // Each return is one line, however often the loss was noticed.
  EXPECT_THAT(log, HasSubstr("connected again"));
  EXPECT_LE(std::count(log.begin(), log.end(), '\n'), 3) << log;
}

TEST(RedisStore, AServerThatForgotEverythingIsNotWrittenTo) {
  const auto redis = LocalRedis::Start().value();
  const auto store = Open(*redis);
  ASSERT_TRUE(PutOne(*store, RedisSample(1)));
  redis->Kill();
  redis->Forget();
  ASSERT_TRUE(redis->Restart());
  const auto refused = PutOne(*store, RedisSample(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("restart Fogline"));
}

TEST(RedisStore, AFullMemoryRefusesAndKeepsWhatItHas) {
  const auto redis = LocalRedis::Start("maxmemory 3mb\nmaxmemory-policy noeviction").value();
  const auto store = Open(*redis);
  uint64_t confirmed = 0;
  for (; confirmed < 100'000; ++confirmed) {
    Detection d = RedisSample(confirmed);
    d.thumbnail.resize(20'000);
    const auto outcome = PutOne(*store, d);
    if (outcome) continue;
    EXPECT_EQ(outcome.error().code, ErrorCode::kExhausted) << outcome.error().ToString();
    break;
  }
  EXPECT_GT(confirmed, 10U);
  EXPECT_LT(confirmed, 1000U);
  EXPECT_EQ(store->Query({}, Order::kOldestFirst, 10'000).value().size(), confirmed);
  EXPECT_EQ(store->Stock().value().count, confirmed);
}

TEST(RedisStore, FlushedScriptsAreSentAgain) {
  const auto redis = LocalRedis::Start().value();
  const auto store = Open(*redis);
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  ASSERT_TRUE(connection.Run({"SCRIPT", "FLUSH"}));
  EXPECT_TRUE(PutOne(*store, RedisSample(1)));
}

TEST(RedisStore, ForgetfulSettingsAreSaid) {
  testing::internal::CaptureStderr();
  const auto redis = LocalRedis::Start("appendfsync everysec").value();
  ASSERT_TRUE(Open(*redis));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("appendfsync is 'everysec'"));
  testing::internal::CaptureStderr();
  const auto evicts = LocalRedis::Start("maxmemory 9mb\nmaxmemory-policy allkeys-lru").value();
  ASSERT_TRUE(Open(*evicts));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("maxmemory-policy is 'allkeys-lru'"));
}

TEST(RedisStore, AForeignEntryInTheLogIsNamed) {
  const auto redis = LocalRedis::Start().value();
  const auto store = Open(*redis);
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  ASSERT_TRUE(connection.Run({"XADD", RedisKey("log"), "5-0", "hello", "world"}));
  const auto rows = store->Query({}, Order::kOldestFirst, 10);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(rows.error().message, HasSubstr("5-0"));
}

// The commands that the first version sent for two frames.
TEST(RedisStore, AStoreOfTheFirstVersionIsReadOn) {
  const auto redis = LocalRedis::Start().value();
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  const auto entry = [](const std::string& id, const std::string& sequence) {
    return RedisCommand{"XADD",
                        RedisKey("log"),
                        id + "-0",
                        "device",
                        "cam",
                        "run",
                        "7",
                        "sequence",
                        sequence,
                        "captured_us",
                        "1700000000000001",
                        "stored_us",
                        "1700000000000002",
                        "lat",
                        "47",
                        "lon",
                        "8",
                        "accuracy_m",
                        "",
                        "heading_deg",
                        "",
                        "model",
                        "",
                        "label",
                        "",
                        "score",
                        "0",
                        "positive",
                        "0",
                        "mechanism",
                        "split",
                        "cut",
                        "",
                        "codec",
                        "",
                        "payload_bytes",
                        "0",
                        "thumbnail",
                        "0",
                        "stages",
                        ",,,,,,,,,"};
  };
  std::vector<RedisCommand> commands{
      {"HSET", RedisKey("about"), "version", "1", "epoch", "0123456789abcdef"},
      {"SET", RedisKey("last"), "2"},
      entry("1", "1"),
      entry("2", "2"),
      {"GEOADD", RedisKey("places"), "8", "47", "1", "8", "47", "2"},
      {"HSET", RedisKey("seen:0000000000000007:0:cam"), "1", "1", "2", "2"}};
  for (const char* kind : kTallyKinds) {
    const std::string text = std::string(kind) == "device"      ? "cam"
                             : std::string(kind) == "mechanism" ? "split"
                                                                : "";
    commands.push_back({"HSET", RedisKey(std::string("tally:") + kind), text,
                        "2 0 0 1700000000000001 1700000000000001"});
    commands.push_back({"ZADD", RedisKey(std::string("newest:") + kind), "1700000000000001", text});
  }
  const auto laid = connection.Pipeline(commands).value();
  for (const auto& reply : laid) ASSERT_TRUE(connection.Check(*reply));
  const auto store = Open(*redis);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->epoch(), "0123456789abcdef");
  EXPECT_EQ(PutOne(*store, RedisSample(2)).value()[0].id, 2U);
  Detection untimed = RedisSample(3);
  untimed.captured_from = TimeSource::kNone;
  EXPECT_EQ(PutOne(*store, untimed).value()[0].id, 3U);
  const auto rows = store->Query({}, Order::kOldestFirst, 10).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].detection.captured_from, TimeSource::kClock);
  EXPECT_EQ(rows[2].detection.captured_from, TimeSource::kNone);
  EXPECT_EQ(store->Forget({.rows = 1}).value().rows, 2U);
  EXPECT_EQ(store->Stock().value().count, 1U);
  EXPECT_EQ(PutOne(*store, RedisSample(1)).value()[0].kind, PutOutcome::kDuplicate);
  ASSERT_NE(Open(*redis), nullptr);  // and again, as the version it is now
}

/// Words of a line: '' is an empty one, 0x begins one in hexadecimal.
RedisCommand Words(const std::string& line) {
  std::istringstream in(line);
  RedisCommand words;
  for (std::string word; in >> word;) {
    if (word == "''") {
      word.clear();
    } else if (word.starts_with("0x")) {
      std::string bytes;
      for (size_t at = 2; at < word.size(); at += 2) {
        bytes.push_back(static_cast<char>(std::stoi(word.substr(at, 2), nullptr, 16)));
      }
      word = bytes;
    }
    words.push_back(word);
  }
  return words;
}

// What a binary of the second version left in its server.
TEST(RedisStore, AStoreOfTheSecondVersionIsReadOn) {
  const auto redis = LocalRedis::Start().value();
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  std::istringstream lines(
      ReadTextFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "tests/old/store_v2.redis").value());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    ASSERT_TRUE(connection.Run(Words(line))) << line;
  }
  for (int opened = 0; opened < 2; ++opened) {  // and again, as the version it is then
    const auto store = Open(*redis);
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->epoch(), "3e9adcd1a4f83a19");
    EXPECT_EQ(store->ForgottenId().value(), 2U);
    const auto rows = store->Query({}, Order::kOldestFirst, 10).value();
    ASSERT_EQ(rows.size(), 4U + static_cast<size_t>(opened));
    EXPECT_EQ(rows[0].id, 3U);
    EXPECT_EQ(rows[0].detection.device, "bike-7");
    EXPECT_EQ(rows[0].detection.codec, "q3");
    EXPECT_GT(rows[0].detection.stages.network, 0);
    EXPECT_EQ(store->Thumbnail(3).value().size(), 668U);
    EXPECT_FALSE(rows[1].detection.findings);
    EXPECT_FALSE(rows[1].detection.counts);
    Detection gone = rows[0].detection;
    gone.sequence = 0;  // forgotten by the older binary
    EXPECT_EQ(PutOne(*store, gone).value()[0].kind, PutOutcome::kDuplicate);
    Detection d = rows[1].detection;
    EXPECT_EQ(PutOne(*store, d).value()[0].id, 4U);
    d.sequence = 99;
    d.findings = BoxFindings{{{"can", 0.5F, 0, 0, 1, 1}}, 0};
    d.counts = {1, 2, 3};
    EXPECT_EQ(PutOne(*store, d).value()[0].id, 7U);
    const auto now = store->Query({}, Order::kNewestFirst, 1).value();
    EXPECT_EQ(now[0].detection.findings, d.findings);
    EXPECT_EQ(now[0].detection.counts, d.counts);
    EXPECT_EQ(store->Stock().value().count, 5U);
  }
  const auto store = Open(*redis);
  EXPECT_EQ(store->Forget({.rows = 1}).value().rows, 4U);
  EXPECT_EQ(store->Stock().value().count, 1U);
}

// Full is "not now"; with a limit of bytes, room is made until it is "now" again.
TEST(RedisStore, AFullMemoryIsFreedByForgetting) {
  const auto redis = LocalRedis::Start("maxmemory 4mb\nmaxmemory-policy noeviction").value();
  const auto store = Open(*redis);
  const Retention keep{.bytes = uint64_t{1} << 30};  // more than the server may take
  uint64_t sequence = 0;
  for (int refusals = 0; refusals < 3;) {
    ASSERT_LT(sequence, 100'000U);
    Detection d = RedisSample(sequence);
    d.thumbnail.resize(5'000);
    const auto outcome = PutOne(*store, d);
    if (outcome) {
      ++sequence;
      continue;
    }
    ASSERT_EQ(outcome.error().code, ErrorCode::kExhausted) << outcome.error().ToString();
    ++refusals;
    uint64_t freed = 0;
    for (bool more = true; more;) {
      const auto step = store->Forget(keep);
      ASSERT_TRUE(step) << step.error().ToString();
      freed += step->rows;
      more = step->more;
    }
    ASSERT_GT(freed, 0U);
  }
  const auto rows = store->Query({}, Order::kNewestFirst, 100'000).value();
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.front().detection.sequence + 1, sequence);
  EXPECT_EQ(store->Stock().value().count, rows.size());
}

TEST(RedisStore, ForgettingLeavesNothingBehindButNames) {
  const auto redis = LocalRedis::Start().value();
  FakeClock clock;
  clock.JumpWall(1'800'000'000'000'000);
  const auto store = Open(*redis, {.clock = &clock});
  for (uint64_t i = 0; i < 300; ++i) {
    Detection d = RedisSample(i);
    d.thumbnail.resize(10);
    const std::vector<Settlement> late{{d.device, d.run, d.sequence, 5.0F}};
    ASSERT_TRUE(store->Put(std::span(&d, 1), late));
  }
  clock.Advance(std::chrono::hours(1));
  while (store->Forget({.age = std::chrono::minutes(1)}).value().more) {
  }
  RedisConnection connection(ParseRedis(redis->url()).value(), std::make_shared<ServerHealth>());
  const auto keys = [&] {
    std::set<std::string> names;
    const auto reply = connection.Run({"KEYS", "*"}).value();
    for (const redisReply* key : Elements(*reply)) names.emplace(Text(*key));
    return names;
  };
  const std::set<std::string> left{RedisKey("about"),
                                   RedisKey("last"),
                                   RedisKey("log"),
                                   RedisKey("forgotten"),
                                   RedisKey("gone"),
                                   RedisKey("gone:0000000000000007:0:cam"),
                                   RedisKey("gone:0000000000000007:1:cam"),
                                   RedisKey("gone:0000000000000007:2:cam")};
  EXPECT_EQ(keys(), left);
  clock.Advance(std::chrono::hours(24 * 31));
  ASSERT_TRUE(store->Forget({.age = std::chrono::minutes(1)}));
  EXPECT_EQ(keys(), (std::set<std::string>{RedisKey("about"), RedisKey("last"), RedisKey("log"),
                                           RedisKey("forgotten")}));
}

}  // namespace
}  // namespace fogline
