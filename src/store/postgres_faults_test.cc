// A PostgreSQL that is somebody else, full, in the way of itself, or replaced by its standby.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/certificates.h"
#include "servers/local_postgres.h"
#include "store/postgres_store.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Detection Frame(uint64_t sequence) {
  Detection d;
  d.device = "cam";
  d.run = 9;
  d.sequence = sequence;
  d.mechanism = "split";
  return d;
}

Result<std::vector<PutOutcome>> PutFrame(Store& store, uint64_t sequence) {
  const Detection d = Frame(sequence);
  return store.Put(std::span(&d, 1));
}

std::set<uint64_t> SequencesIn(Store& store) {
  std::set<uint64_t> sequences;
  const auto rows = store.Query({}, Order::kOldestFirst, 100'000);
  EXPECT_TRUE(rows) << rows.error().ToString();
  if (!rows) return sequences;
  for (const auto& row : *rows) sequences.insert(row.detection.sequence);
  EXPECT_EQ(sequences.size(), rows->size());
  return sequences;
}

/// One that stopped where the server waits for its rows, its connection alive: PostgreSQL's own
/// limits of time do not end it there.
TEST(PostgresFaults, AWorkerThatStopsInTheMiddleOfWritingStopsNobodyElse) {
  const auto server = LocalPostgres::Start().value();
  const auto store = OpenStore(server->url()).value();
  ASSERT_TRUE(PutFrame(*store, 1));
  const std::unique_ptr<PGconn, decltype(&PQfinish)> stopped(
      PQconnectdb(fmt::format("{}?application_name=fogline", server->url()).c_str()), &PQfinish);
  const auto says = [&](const char* sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> said(PQexec(stopped.get(), sql), &PQclear);
    return PQresultStatus(said.get());
  };
  ASSERT_EQ(says("BEGIN"), PGRES_COMMAND_OK);
  ASSERT_EQ(says("SELECT last_id FROM fogline.about FOR UPDATE"), PGRES_TUPLES_OK);
  ASSERT_EQ(says("COPY fogline.name FROM STDIN"), PGRES_COPY_IN);
  const auto not_now = PutFrame(*store, 2);
  ASSERT_FALSE(not_now);
  EXPECT_EQ(not_now.error().code, ErrorCode::kUnavailable) << not_now.error().ToString();
  const auto stored = PutFrame(*store, 2);
  ASSERT_TRUE(stored) << stored.error().ToString();
  EXPECT_EQ((*stored)[0].id, 2U) << "without a hole";
}

/// With a certificate of the fleet's own authority (fogline keys), for a name.
TEST(PostgresFaults, OnlyTheServerOfThatNameAndAuthorityIsSpokenTo) {
  const TempDir dir;
  for (const char* authority : {"ca", "other"}) {
    ASSERT_TRUE(MakeCertificate(dir.path() / authority,
                                {CertificateUse::kAuthority, "Fogline authority", {}, 10}, {}));
  }
  ASSERT_TRUE(MakeCertificate(dir.path() / "db",
                              {CertificateUse::kServer, "db", {"db.example", "127.0.0.1"}, 10},
                              dir.path() / "ca"));
  const auto server = LocalPostgres::Start().value();
  const auto open = [&](const std::string& host, const std::string& settings) {
    return OpenStore(fmt::format("postgresql://fogline@{}:{}/postgres?hostaddr=127.0.0.1{}", host,
                                 server->port(), settings));
  };
  const auto root = [&](const char* authority) {
    return fmt::format("&sslrootcert={}.crt", (dir.path() / authority).string());
  };
  const auto expect_refused = [&](const auto& refused, const char* why) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << refused.error().ToString();
    EXPECT_THAT(refused.error().ToString(), HasSubstr(why));
  };
  expect_refused(open("db.example", root("ca")), "does not support SSL");
  ASSERT_TRUE(server->UseCertificate(dir.path() / "db"));
  const auto here = [&] { return open("db.example", root("ca")); };
  // A reload takes its moment.
  for (int tries = 0; !here() && tries < 100; ++tries) std::this_thread::sleep_for(20ms);
  const auto right = here();
  ASSERT_TRUE(right) << right.error().ToString();
  ASSERT_TRUE(PutFrame(**right, 1));
  EXPECT_EQ(server
                ->Sql("SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
                      " WHERE a.application_name = 'fogline' AND NOT s.ssl")
                .value(),
            "0\n");
  expect_refused(open("db.elsewhere", root("ca")), "does not match host name");
  expect_refused(open("db.example", root("other")), "certificate verify failed");
  expect_refused(open("db.example", ""), "certificate verify failed");  // the system's authorities
  EXPECT_TRUE(open("127.0.0.1", root("ca") + "&sslmode=verify-full"));
}

/// A server that asks to try again is tried again, and one that does nothing else is not now.
TEST(PostgresFaults, WhatCollidesIsTriedAgain) {
  for (const char* state : {"40001", "40P01"}) {
    const auto server = LocalPostgres::Start().value();
    const auto store = OpenStore(server->url()).value();
    ASSERT_TRUE(server->Sql(fmt::format(
        "CREATE SEQUENCE collisions; CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF nextval('collisions') <= 2 THEN RAISE EXCEPTION 'collides' USING ERRCODE ="
        " '{}'; END IF; RETURN NULL; END $$; CREATE TRIGGER collide AFTER INSERT ON fogline.name"
        " FOR EACH STATEMENT EXECUTE FUNCTION collide()",
        state)));
    const auto stored = PutFrame(*store, 1);
    ASSERT_TRUE(stored) << stored.error().ToString();
    EXPECT_EQ((*stored)[0].id, 1U);
    ASSERT_TRUE(
        server->Sql("SELECT setval('collisions', 1, false);"
                    "ALTER SEQUENCE collisions INCREMENT BY -1 NO MINVALUE"));
    const auto never = PutFrame(*store, 2);
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().code, ErrorCode::kUnavailable) << never.error().ToString();
    ASSERT_TRUE(server->Sql("DROP TRIGGER collide ON fogline.name"));
    EXPECT_EQ(PutFrame(*store, 2).value()[0].id, 2U) << "without a hole";
  }
}

/// The isolation that distributed servers have, at which writers do collide.
TEST(PostgresFaults, ManyWritersAtTheStrictestIsolationStoreEachFrameOnce) {
  const auto server =
      LocalPostgres::Start("default_transaction_isolation = 'serializable'").value();
  ASSERT_TRUE(OpenStore(server->url()));
  std::atomic<int> not_now{0};
  {
    std::vector<std::jthread> writers;
    writers.reserve(3);
    for (int writer = 0; writer < 3; ++writer) {
      writers.emplace_back([&] {
        const auto store = OpenStore(server->url()).value();
        for (uint64_t i = 0; i < 40;) {
          const auto stored = PutFrame(*store, i);
          if (stored) {
            ++i;
            continue;
          }
          EXPECT_EQ(stored.error().code, ErrorCode::kUnavailable) << stored.error().ToString();
          if (++not_now > 1000) return;
        }
      });
    }
  }
  EXPECT_LE(not_now, 1000);
  const auto store = OpenStore(server->url()).value();
  EXPECT_EQ(SequencesIn(*store).size(), 40U);
  EXPECT_EQ(store->LastId().value(), 40U);
}

/// A small disk of its own for the tables, that ends with this object.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& at) : at_(at) {
    mounted_ = mount("tmpfs", at.c_str(), "tmpfs", 0, "size=24m,mode=0777") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool Grow() const {
    return mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, "size=96m,mode=0777") == 0;
  }

 private:
  const std::filesystem::path at_;
  bool mounted_;
};

TEST(PostgresFaults, AFullTablespaceIsNotNowUntilThereIsRoom) {
  const auto server = LocalPostgres::Start().value();
  const auto at = server->data() / "small";
  std::filesystem::create_directory(at);
  const SmallDisk disk(at);
  if (!disk.mounted()) GTEST_SKIP() << "mounts nothing: needs to be root of its namespace";
  const std::string space = (at / "space").string();
  std::filesystem::create_directory(space);
  struct stat owner {};
  ASSERT_EQ(stat(server->data().c_str(), &owner), 0);
  ASSERT_EQ(chown(space.c_str(), owner.st_uid, owner.st_gid), 0);
  ASSERT_TRUE(server->Sql(fmt::format("CREATE TABLESPACE small LOCATION '{}'", space)));
  ASSERT_TRUE(server->Sql("CREATE DATABASE tight TABLESPACE small"));
  const auto opened = OpenStore(server->url("tight"), {.longest_read = 60s});
  ASSERT_TRUE(opened) << opened.error().ToString();
  const auto& store = *opened;
  // Connected now: for a new reader PostgreSQL may have a file to write.
  ASSERT_TRUE(store->Query({}, Order::kOldestFirst, 1));
  std::vector<Detection> batch(40);
  uint64_t stored = 0;
  Result<std::vector<PutOutcome>> put;
  for (int i = 0; i < 200; ++i) {
    for (Detection& d : batch) {
      d = Frame(stored + static_cast<uint64_t>(&d - batch.data()));
      d.thumbnail.resize(20'000);
      for (size_t k = 0; k < d.thumbnail.size(); ++k) {  // what does not compress
        d.thumbnail[k] = static_cast<std::byte>((k * 2654435761U + d.sequence * 97) >> 13);
      }
    }
    put = store->Put(batch);
    if (!put) break;
    stored += batch.size();
  }
  ASSERT_FALSE(put) << "never full";
  EXPECT_EQ(put.error().code, ErrorCode::kExhausted) << put.error().ToString();
  EXPECT_EQ(SequencesIn(*store).size(), stored);
  ASSERT_TRUE(disk.Grow());
  put = store->Put(batch);
  ASSERT_TRUE(put) << put.error().ToString();
  EXPECT_EQ((*put)[0].id, stored + 1) << "without a hole";
}

/// Nothing that was answered is lost when the standby takes over, which the commits waited for.
TEST(PostgresFaults, AStandbyThatCommitsWaitForTakesOverWithEverythingAnswered) {
  auto primary = LocalPostgres::Start("hot_standby_feedback = on").value();
  const auto standby = LocalPostgres::Follow(*primary);
  ASSERT_TRUE(standby) << standby.error().ToString();
  ASSERT_TRUE(primary->Sql("ALTER SYSTEM SET synchronous_standby_names = '*'"));
  ASSERT_TRUE(primary->Sql("SELECT pg_reload_conf()"));
  const auto store = OpenStore(fmt::format(
      "postgresql://fogline@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
      primary->port(), (*standby)->port()));
  ASSERT_TRUE(store) << store.error().ToString();
  ASSERT_TRUE(PutFrame(**store, 0));
  std::set<uint64_t> answered{0};
  std::jthread killer;
  for (uint64_t i = 1; i <= 120; ++i) {
    if (i == 40) {
      killer = std::jthread([&] {
        primary->Kill();
        EXPECT_TRUE((*standby)->Promote());
      });
    }
    const auto put = PutFrame(**store, i);
    if (put) {
      answered.insert(i);
    } else {
      EXPECT_EQ(put.error().code, ErrorCode::kUnavailable) << put.error().ToString();
    }
  }
  killer.join();
  // What was not answered comes again, as from a device.
  for (uint64_t i = 0; i <= 120; ++i) {
    for (int tries = 0; tries < 100 && !answered.contains(i); ++tries) {
      if (PutFrame(**store, i)) answered.insert(i);
    }
  }
  EXPECT_EQ(answered.size(), 121U);
  EXPECT_EQ(SequencesIn(**store), answered);
  EXPECT_EQ((*store)->LastId().value(), 121U);
}

/// One that nobody waited for, and that was cut off, lacks some: workers that know are not served.
TEST(PostgresFaults, AStandbyThatLacksWhatWasAnsweredIsToldApart) {
  auto primary = LocalPostgres::Start().value();
  const auto standby = LocalPostgres::Follow(*primary);
  ASSERT_TRUE(standby) << standby.error().ToString();
  const auto store = OpenStore(fmt::format(
      "postgresql://fogline@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
      primary->port(), (*standby)->port()));
  ASSERT_TRUE(store) << store.error().ToString();
  ASSERT_TRUE(PutFrame(**store, 0));
  const std::string seen = "SELECT count(*) FROM fogline.detection";
  for (int tries = 0; tries < 500 && (*standby)->Sql(seen).value_or("") != "1\n"; ++tries) {
    std::this_thread::sleep_for(20ms);
  }
  ASSERT_TRUE((*standby)->Sql("ALTER SYSTEM SET primary_conninfo = ''"));
  ASSERT_TRUE((*standby)->Restart());
  for (uint64_t i = 1; i < 5; ++i) ASSERT_TRUE(PutFrame(**store, i));
  primary->Kill();
  ASSERT_TRUE((*standby)->Promote());
  const auto refused = PutFrame(**store, 5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("it ends at id 1, 5 was stored"));
  EXPECT_THAT(refused.error().message, HasSubstr("promoted too early"));
}

}  // namespace
}  // namespace fogline
