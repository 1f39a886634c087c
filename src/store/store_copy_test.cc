// Copies between every two kinds of store, cut off anywhere, while others write, forget and lose.
#include "store/store_copy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "store/forwarding_store.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCopyKinds[] = {"sqlite", "redis", "postgres"};

/// Servers for the stores of one test.
class CopyPlaces {
 public:
  /// The address of an empty store of a kind.
  std::string Fresh(const std::string& kind) {
    if (kind == "sqlite") {
      return "sqlite:" + (dir_.path() / fmt::format("{}.db", files_++)).string();
    }
    if (kind == "redis") return redis_.emplace_back(LocalRedis::Start().value())->url();
    if (postgres_ == nullptr) postgres_ = LocalPostgres::Start().value();
    const std::string database = fmt::format("city{}", files_++);
    EXPECT_TRUE(postgres_->Sql("CREATE DATABASE " + database));
    return postgres_->url(database);
  }

 private:
  TempDir dir_;
  int files_ = 0;
  std::vector<std::unique_ptr<LocalRedis>> redis_;
  std::unique_ptr<LocalPostgres> postgres_;
};

std::unique_ptr<Store> OpenCopied(const std::string& url, const Clock& clock = Clock::Real()) {
  auto store = OpenStore(url, {.clock = &clock});
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? *std::move(store) : nullptr;
}

/// Every kind of finding, pictures, unknown times and places, texts that hurt.
Detection Copied(uint64_t i) {
  Detection d;
  d.device = i % 3 == 0 ? "cam'; --" : "cam-\xc3\xa9";
  d.run = 0xfedcba9876543210 + i % 2;
  d.sequence = i;
  d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(i) * 1001;
  if (i % 5 == 0) {
    d.captured_from = TimeSource::kNone;
    d.captured_us = 0;
  }
  d.has_position = i % 4 != 0;
  if (d.has_position) {
    d.lat = 47.1 + 1e-7 * static_cast<double>(i);
    d.lon = -179.99999999 + 0.1 * static_cast<double>(i % 100);
    d.accuracy_m = 0.1F * static_cast<float>(i % 9);
  }
  if (i % 6 == 0) d.heading_deg = 1.1F;
  d.model = std::string(64, 'a');
  d.label = i % 7 == 0 ? std::string("a\0b", 3) : "litter";
  d.score = 1.0F / static_cast<float>(i + 1);
  d.positive = i % 2 == 0;
  d.mechanism = "split";
  d.cut = "split13";
  d.codec = "q4";
  d.payload_bytes = 4'000'000'000U;
  d.stages.prefix = 0.1F * static_cast<float>(i);
  const std::optional<Findings> findings[] = {
      std::nullopt, ClassFindings{1, 0.75F, {{"litter", 0.75F}, {"clean", 0.25F}}},
      BoxFindings{{{"car", 0.875F, 0, 0.2F, 1, 0.4F}, {"car", 0.5F, 0, 0, 0, 0}}, 7},
      MaskFindings{{{"road", 0.5F}, {"\xc3\xa9gout", 0.25F}}}};
  d.findings = findings[i % 4];
  if (i % 3 == 1) d.counts = DeviceCounts{};
  if (i % 10 == 3) d.thumbnail.assign(100 + i % 50, std::byte(i & 0xff));
  return d;
}

void PutCopied(Store& store, uint64_t first, uint64_t count) {
  std::vector<Detection> batch;
  for (uint64_t i = first; i < first + count; ++i) batch.push_back(Copied(i));
  const auto put = store.Put(batch);
  ASSERT_TRUE(put) << put.error().ToString();
}

std::vector<StoredDetection> AllOf(Store& store) {
  return store.Query({}, Order::kOldestFirst, 1'000'000).value();
}

/// Field by field, without the code that copies.
void ExpectSameRows(Store& a, Store& b) {
  const auto left = AllOf(a), right = AllOf(b);
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    const Detection &x = left[i].detection, &y = right[i].detection;
    EXPECT_EQ(left[i].stored_us, right[i].stored_us) << i;
    EXPECT_EQ(x.device, y.device);
    EXPECT_EQ(x.run, y.run);
    EXPECT_EQ(x.sequence, y.sequence) << "in order";
    EXPECT_EQ(x.captured_us, y.captured_us);
    EXPECT_EQ(x.captured_from, y.captured_from);
    EXPECT_EQ(x.has_position, y.has_position);
    EXPECT_EQ(x.lat, y.lat);
    EXPECT_EQ(x.lon, y.lon);
    EXPECT_TRUE(x.accuracy_m == y.accuracy_m ||
                (std::isnan(x.accuracy_m) && std::isnan(y.accuracy_m)));
    EXPECT_EQ(x.label, y.label);
    EXPECT_EQ(x.score, y.score);
    EXPECT_EQ(x.positive, y.positive);
    EXPECT_EQ(x.payload_bytes, y.payload_bytes);
    EXPECT_EQ(x.findings, y.findings) << i;
    EXPECT_EQ(x.counts.has_value(), y.counts.has_value());
    EXPECT_EQ(std::isnan(x.stages.network), std::isnan(y.stages.network));
    EXPECT_EQ(x.stages.prefix, y.stages.prefix);
    ASSERT_EQ(left[i].has_thumbnail, right[i].has_thumbnail);
    if (left[i].has_thumbnail) {
      EXPECT_EQ(a.Thumbnail(left[i].id).value(), b.Thumbnail(right[i].id).value());
    }
  }
  const auto stock = a.Stock().value(), copy = b.Stock().value();
  EXPECT_EQ(stock.count, copy.count);
  EXPECT_EQ(stock.first_us, copy.first_us);
  EXPECT_EQ(stock.last_us, copy.last_us);
  EXPECT_EQ(stock.devices.size(), copy.devices.size());
}

/// Cut off by kill -9 as often as it takes, each time a page or two further.
TEST(StoreCopy, BetweenAnyTwoAndThroughDeathsEverythingArrivesOnce) {
  CopyPlaces places;
  for (const std::string from_kind : kCopyKinds) {
    for (const std::string to_kind : kCopyKinds) {
      SCOPED_TRACE(fmt::format("{} to {}", from_kind, to_kind));
      const std::string from_url = places.Fresh(from_kind), to_url = places.Fresh(to_kind);
      FakeClock clock;
      clock.JumpWall(1'600'000'000'000'000);  // long before the copy
      {
        const auto from = OpenCopied(from_url, clock);
        PutCopied(*from, 0, 250);
        const Settlement late{Copied(7).device, Copied(7).run, 7, 12.5F};
        ASSERT_TRUE(from->Put({}, std::span(&late, 1)));
      }
      int deaths = 0;
      for (int tries = 0; tries < 30; ++tries) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
          const auto from = OpenStore(from_url, {.read_only = true}), to = OpenStore(to_url);
          int pages = 0;
          const bool done =
              from && to &&
              CopyStore(**from, **to, {.page_rows = 40, .progress = [&](const CopyReport& report) {
                                         if (!report.verifying && ++pages == 2) raise(SIGKILL);
                                         return true;
                                       }});
          _exit(done ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
          ASSERT_EQ(WEXITSTATUS(status), 0);
          break;
        }
        ++deaths;
      }
      EXPECT_GE(deaths, 3);
      const auto from = OpenCopied(from_url), to = OpenCopied(to_url);
      ExpectSameRows(*from, *to);
      const CopyReport again = CopyStore(*from, *to).value();
      EXPECT_EQ(again.began_after, 250U);
      EXPECT_EQ(again.copied + again.known + again.repaired, 0U);
      EXPECT_EQ(again.compared, 250U);
      EXPECT_EQ(again.checksum_from, again.checksum_to);
    }
  }
}

/// It ends at what was there when it began, and the next one brings the rest.
TEST(StoreCopy, EndsAtWhatWasThereWhileOthersWriteIntoBoth) {
  CopyPlaces places;
  const auto from = OpenCopied(places.Fresh("sqlite")), to = OpenCopied(places.Fresh("postgres"));
  PutCopied(*from, 0, 300);
  uint64_t next = 300;
  std::vector<Detection> elsewhere{Copied(5)};  // a repeat that a worker stored over there
  elsewhere[0].label = "stored there";
  const auto write_both = [&](const CopyReport&) {
    PutCopied(*from, next++, 1);
    EXPECT_TRUE(to->Put(elsewhere));
    elsewhere[0].device = fmt::format("other-{}", next);
    return true;
  };
  ASSERT_TRUE(to->Put(elsewhere));
  const CopyReport first = CopyStore(*from, *to, {.page_rows = 50, .progress = write_both}).value();
  EXPECT_EQ(first.end, 300U);
  EXPECT_EQ(first.copied, 299U);
  EXPECT_EQ(first.known, 1U);
  EXPECT_EQ(first.own, 1U);
  EXPECT_EQ(first.compared, 299U);
  const CopyReport second = CopyStore(*from, *to).value();
  EXPECT_EQ(second.began_after, 300U);
  EXPECT_EQ(second.copied, next - 300);
  EXPECT_EQ(second.compared, next - 1);
}

TEST(StoreCopy, WhatTheTargetLostIsCopiedAgainAndWhatItForgotIsNot) {
  CopyPlaces places;
  const auto from = OpenCopied(places.Fresh("redis")), to = OpenCopied(places.Fresh("sqlite"));
  PutCopied(*from, 0, 100);
  ASSERT_TRUE(to->SetMark("copy:" + from->epoch(), 90));  // as if it had been restored from before
  const CopyReport repaired = CopyStore(*from, *to).value();
  EXPECT_EQ(repaired.copied, 10U);
  EXPECT_EQ(repaired.repaired, 90U);
  EXPECT_EQ(repaired.compared, 100U);
  while (to->Forget({.rows = 60}).value().more) {
  }
  const CopyReport forgotten = CopyStore(*from, *to).value();
  EXPECT_EQ(forgotten.forgotten, 40U);
  EXPECT_EQ(forgotten.compared, 60U);
  EXPECT_EQ(to->Stock().value().count, 60U);
}

/// A network's time that was told after its row was copied follows it.
TEST(StoreCopy, TimesThatCameLateFollowTheirRows) {
  CopyPlaces places;
  const auto from = OpenCopied(places.Fresh("postgres")), to = OpenCopied(places.Fresh("redis"));
  PutCopied(*from, 0, 20);
  ASSERT_TRUE(CopyStore(*from, *to));
  const Settlement late{Copied(3).device, Copied(3).run, 3, 9.5F};
  ASSERT_TRUE(from->Put({}, std::span(&late, 1)));
  EXPECT_EQ(CopyStore(*from, *to).value().settled, 1U);
  EXPECT_EQ(AllOf(*to)[3].detection.stages.network, 9.5F);
  EXPECT_EQ(CopyStore(*from, *to).value().settled, 0U);
}

/// Answers with a row that is not what was put.
class AlteredStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    auto rows = ForwardingStore::Query(filter, order, limit);
    for (StoredDetection& row : *rows) {
      if (row.detection.sequence == 7) row.detection.score = 0;
    }
    return rows;
  }
};

TEST(StoreCopy, ARowThatDiffersIsNamed) {
  CopyPlaces places;
  const auto from = OpenCopied(places.Fresh("sqlite")), to = OpenCopied(places.Fresh("sqlite"));
  PutCopied(*from, 0, 20);
  AlteredStore altered(*to);
  const auto copied = CopyStore(*from, altered);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kConflict);
  EXPECT_THAT(copied.error().ToString(), HasSubstr("sequence 7) is another"));
  EXPECT_EQ(CopyStore(*from, *from).error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace fogline
