// What is particular to PostgreSQL, against a real server: addresses, rights, hostile strings,
// several processes at work on one store, servers that die, forget or were promoted too early.
#include "store/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "servers/local_postgres.h"
#include "store/postgres_connection.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

Detection Seen(uint64_t sequence, const std::string& device = "cam") {
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

std::unique_ptr<Store> OpenAt(const std::string& url, const StoreOptions& options = {}) {
  auto store = OpenStore(url, options);
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? *std::move(store) : nullptr;
}

Result<std::vector<PutOutcome>> PutSeen(Store& store, const Detection& d) {
  return store.Put(std::span(&d, 1));
}

TEST(PostgresAddress, IsReadAndNeverRepeatsAPassword) {
  const auto full = ParsePostgres("postgresql://fog:s%40cret@10.0.0.1:6000/city").value();
  EXPECT_EQ(full.host, "10.0.0.1");
  EXPECT_EQ(full.database, "city");
  EXPECT_EQ(full.ToString(), "postgresql://10.0.0.1:6000/city");
  for (const char* bad : {"postgresql:", "postgresql://", "postgresql://fog:secret@h",
                          "postgresql:/fog:secret@h/x", "postgresql://fog:a@secret@h/x",
                          "postgresql://fog:secret@h/x?nothing=1", "postgresql://h:secret/x"}) {
    const auto refused = OpenStore(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << bad;
    EXPECT_THAT(refused.error().ToString(), Not(HasSubstr("secret")));
  }
}

// To another machine: TLS, and the host's name is checked, unless the address says otherwise.
TEST(PostgresAddress, IsCheckedByTlsUnlessItSaysOtherwise) {
  const auto setting = [](const std::string& url, const std::string& name) {
    const PostgresAddress address = ParsePostgres(url).value();
    std::string value;
    for (const auto& [key, said] : address.settings) {
      if (key == name) value = said;
    }
    return value;
  };
  EXPECT_EQ(setting("postgresql://db.example/x", "sslmode"), "verify-full");
  EXPECT_NE(setting("postgresql://db.example/x", "sslrootcert"), "");
  EXPECT_EQ(setting("postgresql://db.example/x?sslmode=disable", "sslmode"), "disable");
  EXPECT_EQ(setting("postgresql://db.example/x?sslrootcert=/a.crt", "sslrootcert"), "/a.crt");
  EXPECT_EQ(setting("postgresql://127.0.0.1/x", "sslmode"), "");
  EXPECT_EQ(setting("postgresql:///x", "sslmode"), "");
}

TEST(PostgresText, EveryTextComesBack) {
  const std::string mark = "\xee\x80\x80";
  for (const std::string& text :
       {std::string(), std::string("plain"), std::string("\0", 1), std::string("a\0b\0", 4), mark,
        mark + "0", mark + "1", std::string("\0", 1) + mark + "0"}) {
    const std::string kept = ToPostgresText(text);
    EXPECT_EQ(kept.find('\0'), std::string::npos);
    EXPECT_EQ(FromPostgresText(kept), text);
  }
}

TEST(PostgresStore, AServerThatIsNotThereIsNamedWithoutThePassword) {
  const std::string port = std::to_string(FreePort());
  const auto store = OpenStore("postgresql://fog:topsecret@127.0.0.1:" + port + "/x");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(store.error().ToString(), HasSubstr(port));
  EXPECT_THAT(store.error().ToString(), Not(HasSubstr("topsecret")));
  EXPECT_THAT(store.error().ToString(), Not(testing::ContainsRegex("[\t\n]|  ")));
}

TEST(PostgresStore, PasswordsAndRightsThatAreMissingAreSaid) {
  const auto server = LocalPostgres::Start({},
                                           "host all fogline all trust\n"
                                           "host all all all scram-sha-256\n")
                          .value();
  ASSERT_TRUE(server->Sql("CREATE ROLE clerk LOGIN PASSWORD 'topsecret'"));
  const std::string rest = "127.0.0.1:" + std::to_string(server->port()) + "/postgres";
  const auto wrong = OpenStore("postgresql://clerk:wrongsecret@" + rest);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kUsage) << wrong.error().ToString();
  EXPECT_THAT(wrong.error().ToString(), Not(HasSubstr("wrongsecret")));
  EXPECT_EQ(OpenStore("postgresql://clerk:topsecret@127.0.0.1:" + std::to_string(server->port()) +
                      "/nowhere")
                .error()
                .code,
            ErrorCode::kNotFound);

  // A store that is not there yet may be created by few; one that is, read by those who may.
  const std::string clerk = "postgresql://clerk:topsecret@" + rest;
  const auto may_not_create = OpenStore(clerk);
  ASSERT_FALSE(may_not_create);
  EXPECT_THAT(may_not_create.error().ToString(), HasSubstr("GRANT CREATE ON DATABASE"));
  const auto owner = OpenAt(server->url());
  ASSERT_TRUE(PutSeen(*owner, Seen(1)));
  const auto may_not_read = OpenStore(clerk);
  ASSERT_FALSE(may_not_read);
  EXPECT_EQ(may_not_read.error().code, ErrorCode::kUsage);
  EXPECT_THAT(may_not_read.error().ToString(), HasSubstr("GRANT USAGE ON SCHEMA fogline"));
  ASSERT_TRUE(
      server->Sql("GRANT USAGE ON SCHEMA fogline TO clerk;"
                  "GRANT SELECT ON ALL TABLES IN SCHEMA fogline TO clerk"));
  const auto reader = OpenAt(clerk);
  EXPECT_EQ(reader->Query({}, Order::kOldestFirst, 10).value().size(), 1U);
  EXPECT_EQ(reader->Hexagons({}, 3).value().size(), 1U);
  EXPECT_NE(reader->Watch([] {}), nullptr);
  const auto refused = PutSeen(*reader, Seen(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_THAT(refused.error().ToString(), HasSubstr("GRANT fogline_owner"));
}

// As docs/operations.md has it: whoever a worker logs in as, the store has one owner.
TEST(PostgresStore, WorkersShareAStoreThroughTheRoleThatOwnsIt) {
  const auto server = LocalPostgres::Start().value();
  ASSERT_TRUE(server->Sql("CREATE DATABASE city"));
  ASSERT_TRUE(
      server->Sql("CREATE ROLE fogline_owner NOLOGIN; CREATE ROLE w1 LOGIN; CREATE ROLE w2 LOGIN"));
  ASSERT_TRUE(server->Sql(
      "GRANT CREATE ON DATABASE city TO fogline_owner; GRANT fogline_owner TO w1, w2;"
      "ALTER ROLE w1 SET role = fogline_owner; ALTER ROLE w2 SET role = fogline_owner"));
  const auto url = [&](const std::string& user) {
    return "postgresql://" + user + "@127.0.0.1:" + std::to_string(server->port()) + "/city";
  };
  const auto one = OpenAt(url("w1")), two = OpenAt(url("w2"));
  ASSERT_TRUE(server->Sql("UPDATE fogline.about SET part_rows = 2", "city"));
  for (uint64_t i = 0; i < 8; i += 2) {  // each makes partitions
    ASSERT_TRUE(PutSeen(*one, Seen(i)));
    ASSERT_TRUE(PutSeen(*two, Seen(i + 1)));
  }
  ASSERT_TRUE(two->Forget({.rows = 1}));
  EXPECT_EQ(one->Stock().value().count, 1U);
  EXPECT_EQ(
      server->Sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'fogline'", "city")
          .value(),
      "fogline_owner\n");
}

TEST(PostgresStore, NewerStoresAndForeignSchemasAreRefused) {
  const auto server = LocalPostgres::Start().value();
  ASSERT_TRUE(OpenAt(server->url()));
  ASSERT_TRUE(server->Sql("INSERT INTO fogline.migration (version) VALUES (99)"));
  EXPECT_EQ(OpenStore(server->url()).error().code, ErrorCode::kUnsupported);
  ASSERT_TRUE(server->Sql("CREATE DATABASE other"));
  ASSERT_TRUE(server->Sql("CREATE SCHEMA fogline", "other"));
  EXPECT_EQ(OpenStore(server->url("other")).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(server->Sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0"));
  EXPECT_THAT(OpenStore(server->url("ascii")).error().ToString(), HasSubstr("ENCODING 'UTF8'"));
}

/// As the first version laid it out: what later ones have beside it is added. Who could read the
/// store can read that too.
TEST(PostgresStore, AnOlderStoreIsBroughtUpToDateWithItsRows) {
  const auto server = LocalPostgres::Start().value();
  const std::string epoch = OpenAt(server->url())->epoch();
  ASSERT_TRUE(PutSeen(*OpenAt(server->url()), Seen(1)));
  ASSERT_TRUE(server->Sql(
      "DROP TABLE fogline.mark, fogline.hold, fogline.deleted;"
      "ALTER TABLE fogline.about DROP COLUMN deletions;"
      "ALTER TABLE fogline.tally DROP COLUMN stored_bytes;"
      "DROP INDEX fogline.tally_newest;"
      "DELETE FROM fogline.migration WHERE version > 1;"
      "CREATE ROLE onlooker; GRANT SELECT ON ALL TABLES IN SCHEMA fogline TO onlooker"));
  {
    const auto map = OpenStore(server->url(), {.read_only = true}).value();
    EXPECT_EQ(map->Deletions().value(), 0U);
    EXPECT_EQ(map->Hexagons({}, 3).value().size(), 1U);
  }
  const auto store = OpenAt(server->url());
  EXPECT_EQ(server->Sql("SELECT has_table_privilege('onlooker', 'fogline.deleted', 'SELECT')"),
            "t\n");
  EXPECT_EQ(store->Heaviest(1).value().by_bytes.at(0).stored_bytes, kPlainRowBytes);
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->Query({}, Order::kOldestFirst, 10).value().size(), 1U);
  ASSERT_TRUE(store->SetMark("here", 1));
  EXPECT_EQ(store->Hold("here", "me", std::chrono::seconds(9)), true);
  EXPECT_EQ(server->Sql("SELECT max(version) FROM fogline.migration").value(), "4\n");
}

/// Texts that somebody might send who wants to see, or to break, more than is theirs.
std::vector<std::string> HostileTexts() {
  return {"'",
          "''; DROP SCHEMA fogline CASCADE; --",
          "x') OR 1=1 --",
          "\\",
          "\\'; SELECT pg_sleep(9); --",
          "$1",
          "$$",
          "{\"a\",NULL}",
          "NULL",
          "%",
          "_",
          std::string("a\0b", 3),
          std::string("\0", 1),
          "\xee\x80\x80",
          ("\xee\x80\x80"
           "0"),
          "\r\n\t",
          "\xf0\x9f\x97\x91",
          "PGCOPY\n\xef\xbf\xbf",
          "a,b;\"c\"",
          " ",
          "caf\xc3\xa9",
          "cafe\xcc\x81"};
}

bool PassesByHand(const Filter& f, const StoredDetection& row) {
  const auto any = [](const std::vector<std::string>& texts, const std::string& text) {
    return texts.empty() || std::ranges::find(texts, text) != texts.end();
  };
  const Detection& d = row.detection;
  return (!f.box || (d.has_position && f.box->Contains(d.lat, d.lon))) &&
         d.captured_us >= f.from_us && d.captured_us < f.to_us && d.score >= f.min_score &&
         d.score <= f.max_score && (d.positive || !f.positive_only) && any(f.labels, d.label) &&
         any(f.devices, d.device) && any(f.mechanisms, d.mechanism) && f.found.Passes(d.findings) &&
         row.id > f.after_id && row.id < f.before_id;
}

// Whatever is asked in whatever words, the answer is the one that a comparison by hand gives, from
// the tables as from the mirror, and nothing but rows that pass leaves.
TEST(PostgresStore, HostileTextsAreOnlyTextsInEveryColumnAndFilter) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  const auto unmirrored = OpenAt(server->url(), {.mirrored_rows = 0});
  const std::vector<std::string> texts = HostileTexts();
  std::mt19937 random(11);
  const auto pick = [&] { return texts[random() % texts.size()]; };
  std::vector<Detection> rows;
  for (uint64_t i = 0; i < 400; ++i) {
    Detection d = Seen(i, pick());
    d.label = pick();
    d.mechanism = pick();
    d.model = pick();
    d.cut = pick();
    d.codec = pick();
    d.lat = static_cast<double>(random() % 7) - 3;
    d.lon = static_cast<double>(random() % 7) - 3;
    d.score = 0.25F * static_cast<float>(random() % 5);
    d.positive = random() % 2 == 0;
    d.findings = BoxFindings{{{pick(), 0.5F, 0, 0, 1, 1}}, 0};
    rows.push_back(std::move(d));
  }
  ASSERT_TRUE(store->Put(rows));
  const auto all = store->Query({}, Order::kOldestFirst, 1000).value();
  ASSERT_EQ(all.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Detection& got = all[i].detection;
    EXPECT_EQ(std::tie(got.device, got.label, got.mechanism, got.model, got.cut, got.codec),
              std::tie(rows[i].device, rows[i].label, rows[i].mechanism, rows[i].model, rows[i].cut,
                       rows[i].codec));
    EXPECT_EQ(got.findings, rows[i].findings);
  }
  const auto some = [&] {
    std::vector<std::string> few;
    for (size_t n = random() % 3; n > 0; --n) few.push_back(random() % 9 == 0 ? "\xff" : pick());
    return few;
  };
  for (int trial = 0; trial < 150; ++trial) {
    Filter filter{.labels = some(), .devices = some(), .mechanisms = some()};
    if (random() % 3 == 0) filter.found = {some(), 1, 0.25F};
    if (random() % 3 == 0) filter.box = Box{-2, -1, 2, 3};
    if (random() % 5 == 0) filter.box = Box{2, -3, -2, 3};
    if (random() % 4 == 0) filter.min_score = 0.5F;
    if (random() % 4 == 0) filter.positive_only = true;
    if (random() % 4 == 0) filter.after_id = random() % 400;
    if (random() % 4 == 0) filter.to_us = rows[200].captured_us;
    std::vector<uint64_t> expected, got;
    for (const StoredDetection& row : all) {
      if (PassesByHand(filter, row)) expected.push_back(row.id);
    }
    const auto answer = store->Query(filter, Order::kOldestFirst, 1000);
    ASSERT_TRUE(answer) << answer.error().ToString();
    for (const StoredDetection& row : *answer) got.push_back(row.id);
    EXPECT_EQ(got, expected);
    // The second time through the mirror, which is there once something was counted.
    const auto through = store->Query(filter, Order::kNewestFirst, 7);
    ASSERT_TRUE(through) << through.error().ToString();
    ASSERT_EQ(through->size(), std::min<size_t>(7, expected.size()));
    for (size_t i = 0; i < through->size(); ++i) {
      EXPECT_EQ((*through)[i].id, expected[expected.size() - 1 - i]);
    }
    for (const auto* counting : {&store, &unmirrored}) {
      uint64_t counted = 0;
      const auto cells = (*counting)->Hexagons(filter, 4);
      ASSERT_TRUE(cells) << cells.error().ToString();
      for (const HexCount& cell : *cells) counted += cell.count;
      EXPECT_EQ(counted, expected.size());
    }
  }
}

// However a box is looked for, next to the end or by its place: the rows are those that lie in it.
TEST(PostgresStore, BoxesAreReadFromEitherEndAsByHand) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url(), {.mirrored_rows = 0});
  std::mt19937 random(3);
  // Ids that lie far apart, as among millions of rows.
  for (const uint64_t behind : {0, 60'000, 600'000, 5'000'000, 5'060'000}) {
    ASSERT_TRUE(server->Sql(fmt::format("UPDATE fogline.about SET last_id = {}", behind)));
    std::vector<Detection> rows;
    for (uint64_t i = 0; i < 60; ++i) {
      rows.push_back(Seen(behind + i));
      rows.back().lat = static_cast<double>(random() % 5);
      rows.back().lon = static_cast<double>(random() % 5);
    }
    ASSERT_TRUE(store->Put(rows));
  }
  const auto all = store->Query({}, Order::kOldestFirst, 1000).value();
  ASSERT_EQ(all.size(), 300U);
  for (int trial = 0; trial < 80; ++trial) {
    Filter filter{.box = Box{static_cast<double>(random() % 4), 0, 4, 4}};
    if (random() % 2 == 0) filter.box->south = 3.5;
    if (random() % 3 == 0) filter.after_id = all[random() % 300].id;
    if (random() % 3 == 0) filter.before_id = all[random() % 300].id;
    const bool newest = random() % 2 == 0;
    const size_t limit = 1 + random() % 120;
    std::vector<uint64_t> expected, got;
    for (const StoredDetection& row : all) {
      if (PassesByHand(filter, row)) expected.push_back(row.id);
    }
    if (newest) std::ranges::reverse(expected);
    expected.resize(std::min(expected.size(), limit));
    const auto answer =
        store->Query(filter, newest ? Order::kNewestFirst : Order::kOldestFirst, limit);
    ASSERT_TRUE(answer) << answer.error().ToString();
    for (const StoredDetection& row : *answer) got.push_back(row.id);
    EXPECT_EQ(got, expected) << trial;
  }
}

TEST(PostgresStore, ManyWorkersStoreEachFrameOnce) {
  const auto server = LocalPostgres::Start().value();
  ASSERT_TRUE(OpenAt(server->url()));
  constexpr uint64_t kFrames = 150;
  constexpr int kWorkers = 4;
  std::vector<pid_t> workers;
  for (int w = 0; w < kWorkers; ++w) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = OpenStore(server->url());
      bool fine = store.has_value();
      for (uint64_t i = 0; fine && i < kFrames; i += 3) {
        const std::vector<Detection> batch{Seen(i), Seen(i + 1), Seen(i + 2)};
        fine = (*store)->Put(batch).has_value();
        if (w >= 2 && i > 60) raise(SIGKILL);
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
  const auto store = OpenAt(server->url());
  const auto rows = store->Query({}, Order::kOldestFirst, 10 * kFrames).value();
  std::set<uint64_t> sequences;
  for (const auto& row : rows) sequences.insert(row.detection.sequence);
  EXPECT_EQ(rows.size(), kFrames);
  EXPECT_EQ(sequences.size(), kFrames);
  EXPECT_EQ(store->Stock().value().count, kFrames);
  EXPECT_EQ(store->LastId().value(), kFrames);
}

TEST(PostgresStore, AWatchHearsOfWhatOthersStored) {
  const auto server = LocalPostgres::Start().value();
  const auto map = OpenAt(server->url());
  const auto worker = OpenAt(server->url());
  std::mutex mutex;
  std::condition_variable heard;
  int calls = 0;
  const auto watch = map->Watch([&] {
    const std::lock_guard lock(mutex);
    ++calls;
    heard.notify_all();
  });
  ASSERT_NE(watch, nullptr);
  const auto hear = [&](uint64_t from) {
    // The watch may begin after the first row; then a later one wakes it.
    std::unique_lock lock(mutex);
    calls = 0;
    for (uint64_t i = from; calls == 0 && i < from + 100; ++i) {
      lock.unlock();
      ASSERT_TRUE(PutSeen(*worker, Seen(i)));
      lock.lock();
      heard.wait_for(lock, 200ms, [&] { return calls > 0; });
    }
    EXPECT_GT(calls, 0);
  };
  hear(0);
  ASSERT_TRUE(server->Restart());
  hear(1000);  // and again after its server went and came back
}

TEST(PostgresStore, WhatPutConfirmedSurvivesKill9OfTheServer) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  uint64_t confirmed = 0;
  testing::internal::CaptureStderr();
  for (int round = 0; round < 2; ++round) {
    std::thread killer;
    for (uint64_t i = 0; i < 40; ++i) {
      if (i == 20) killer = std::thread([&] { server->Kill(); });
      const std::vector<Detection> batch{Seen(confirmed), Seen(confirmed + 1)};
      const auto outcome = store->Put(batch);
      if (outcome) {
        confirmed += 2;
      } else {
        EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable) << outcome.error().ToString();
      }
    }
    killer.join();
    ASSERT_TRUE(server->Restart());
  }
  ASSERT_TRUE(PutSeen(*store, Seen(confirmed)));
  const std::string log = testing::internal::GetCapturedStderr();
  const auto rows = store->Query({}, Order::kOldestFirst, 10'000).value();
  std::set<uint64_t> sequences;
  for (const auto& row : rows) sequences.insert(row.detection.sequence);
  EXPECT_EQ(sequences.size(), rows.size());
  for (uint64_t i = 0; i <= confirmed; ++i) EXPECT_TRUE(sequences.contains(i)) << i;
  EXPECT_EQ(store->Stock().value().count, rows.size());
  EXPECT_EQ(store->LastId().value(), rows.size());  // no hole either
  // Each return is one line, however often the loss was noticed.
  EXPECT_LE(std::count(log.begin(), log.end(), '\n'), 3) << log;
}

// A server that came back with less than it acknowledged, or with something else, gets nothing.
TEST(PostgresStore, AServerThatForgotIsNotWrittenTo) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  ASSERT_TRUE(PutSeen(*store, Seen(1)));
  ASSERT_TRUE(server->Sql("UPDATE fogline.about SET last_id = 0"));
  ASSERT_TRUE(server->Restart());
  const auto promoted = PutSeen(*store, Seen(2));
  ASSERT_FALSE(promoted);
  EXPECT_EQ(promoted.error().code, ErrorCode::kConflict);
  EXPECT_THAT(promoted.error().message, HasSubstr("promoted too early"));
  ASSERT_TRUE(server->Sql("UPDATE fogline.about SET epoch = 'another'"));
  EXPECT_EQ(PutSeen(*store, Seen(2)).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(server->Sql("DROP SCHEMA fogline CASCADE"));
  const auto gone = PutSeen(*store, Seen(2));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kConflict);
  EXPECT_THAT(gone.error().message, HasSubstr("restart Fogline"));
}

TEST(PostgresStore, AReadOnlyServerIsNotNow) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  ASSERT_TRUE(PutSeen(*store, Seen(1)));
  ASSERT_TRUE(server->Sql("ALTER SYSTEM SET default_transaction_read_only = on"));
  ASSERT_TRUE(server->Restart());
  const auto refused = PutSeen(*store, Seen(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << refused.error().ToString();
}

TEST(PostgresStore, PartitionsComeAndGo) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  ASSERT_TRUE(server->Sql("UPDATE fogline.about SET part_rows = 100"));
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 950; ++i) {
    batch.push_back(Seen(i));
    batch.back().thumbnail.resize(10);
    batch.back().findings = BoxFindings{{{"dog", 0.5F, 0, 0, 1, 1}}, 0};
  }
  ASSERT_TRUE(store->Put(batch));
  const std::string count_tables =
      "SELECT count(*) FROM pg_class WHERE relnamespace = 'fogline'::regnamespace AND relkind = 'r'"
      " AND relispartition";
  EXPECT_EQ(server->Sql(count_tables).value(), "30\n");
  while (store->Forget({.rows = 150}).value().more) {
  }
  EXPECT_EQ(server->Sql(count_tables).value(), "6\n");
  EXPECT_EQ(server->Sql("SELECT count(*) FROM fogline.box").value(), "150\n");
  EXPECT_EQ(server->Sql("SELECT count(*) FROM fogline.name").value(), "150\n");
  EXPECT_EQ(store->Query({}, Order::kOldestFirst, 1000).value().size(), 150U);
  EXPECT_EQ(PutSeen(*store, Seen(3)).value()[0].kind, PutOutcome::kDuplicate);
  EXPECT_EQ(PutSeen(*store, Seen(949)).value()[0].id, 950U);
  EXPECT_EQ(PutSeen(*store, Seen(950)).value()[0].id, 951U);
}

TEST(PostgresStore, ViewsReadWell) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  std::vector<Detection> batch{Seen(1), Seen(2, "bike"), Seen(3)};
  batch[0].label = batch[1].label = "litter";
  batch[1].positive = true;
  batch[2].captured_from = TimeSource::kNone;
  ASSERT_TRUE(store->Put(batch));
  EXPECT_EQ(server
                ->Sql("SELECT device, run, sequence, captured_from, label, positive, mechanism"
                      " FROM fogline.detections ORDER BY id")
                .value(),
            "cam|7|1|clock|litter|f|split\nbike|7|2|clock|litter|t|split\n"
            "cam|7|3|none||f|split\n");
  EXPECT_EQ(server->Sql("SELECT captured AT TIME ZONE 'UTC' FROM fogline.positives").value(),
            "2023-11-14 22:13:20.000002\n");
  EXPECT_EQ(
      server->Sql("SELECT device, detections, positives FROM fogline.devices ORDER BY 1").value(),
      "bike|1|1\ncam|2|0\n");
  EXPECT_EQ(server->Sql("SELECT * FROM fogline.daily").value(), "2023-11-14|litter|2|1|2|0\n");
}

// Geometry for GIS programs where PostGIS is, whenever it came.
TEST(PostgresStore, PostgisGetsAGeometryWithAnIndex) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenAt(server->url());
  ASSERT_TRUE(PutSeen(*store, Seen(1)));
  if (const auto made = server->Sql("CREATE EXTENSION postgis"); !made) {
    GTEST_SKIP() << "PostGIS is not installed";
  }
  ASSERT_TRUE(OpenAt(server->url()));
  EXPECT_EQ(server->Sql("SELECT ST_AsText(geom), ST_SRID(geom) FROM fogline.places").value(),
            "POINT(8 47)|4326\n");
  EXPECT_THAT(server
                  ->Sql("SET enable_seqscan = off; EXPLAIN SELECT id FROM fogline.places WHERE"
                        " geom && ST_MakeEnvelope(7, 46, 9, 48, 4326)")
                  .value(),
              HasSubstr("geometry"));
}

}  // namespace
}  // namespace fogline
