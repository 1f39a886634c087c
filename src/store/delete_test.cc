// What every store promises of deleting, run against each of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "store/quotas.h"
#include "store/retention.h"
#include "store/store_delete.h"
#include "store/test_kinds.h"

namespace fogline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNoon = 1'700'000'000'000'000;

/// Rows of few devices, labels and places, so that filters share them out.
class Rows {
 public:
  explicit Rows(unsigned seed) : random_(seed) {}

  Detection Next() {
    Detection d;
    d.device = fmt::format("cam-{}", Below(4));
    d.run = 1 + Below(2);
    d.sequence = sequence_++;
    d.captured_us = kNoon + static_cast<int64_t>(Below(1000)) * 1'000'000;
    if (Below(8) == 0) d.captured_from = TimeSource::kNone;
    if (Below(16) == 0) d.captured_us = 253'402'300'800'000'000;  // as old clouds stored it
    d.has_position = Below(5) != 0;
    d.lat = 40 + 0.1 * static_cast<double>(Below(100));
    d.lon = -5 + 0.1 * static_cast<double>(Below(100));
    d.model = std::string(64, 'a');
    d.label = Below(3) == 0 ? "litter" : "clean";
    d.score = 0.125F * static_cast<float>(Below(9));
    d.positive = Below(2) == 0;
    d.mechanism = Below(2) == 0 ? "split" : "edge-only";
    d.cut = "split13";
    d.codec = "q4";
    d.payload_bytes = static_cast<uint32_t>(100 + Below(900));
    if (Below(3) == 0) d.findings = BoxFindings{{{"dog", 0.5F, 0, 0, 1, 1}}, 0};
    if (Below(6) == 0) d.thumbnail.assign(50, std::byte{7});
    return d;
  }

  Filter AFilter(uint64_t last) {
    Filter f;
    if (Below(3) == 0) f.devices = {fmt::format("cam-{}", Below(5))};
    if (Below(4) == 0) f.labels = {"litter", "never"};
    if (Below(4) == 0) f.mechanisms = {"split"};
    if (Below(4) == 0) f.positive_only = true;
    if (Below(4) == 0) f.min_score = 0.25F;
    if (Below(4) == 0) f.max_score = 0.75F;
    if (Below(3) == 0) f.from_us = kNoon + static_cast<int64_t>(Below(1000)) * 1'000'000;
    if (Below(3) == 0) f.to_us = kNoon + static_cast<int64_t>(Below(1000)) * 1'000'000;
    if (Below(3) == 0) f.box = Box{-3, 42, 3, 48};
    if (Below(5) == 0) f.found = {{"dog"}, 1, 0.25F};
    if (Below(3) == 0) f.after_id = Below(last);
    if (Below(3) == 0) f.before_id = Below(last);
    return f;
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  std::mt19937 random_;
  uint64_t sequence_ = 0;
};

/// The rule, as slow and plain as can be.
bool Passes(const Filter& f, uint64_t id, const Detection& d) {
  const auto any_of = [](const std::vector<std::string>& texts, const std::string& text) {
    return texts.empty() || std::ranges::find(texts, text) != texts.end();
  };
  const bool timed = d.captured_from != TimeSource::kNone && d.captured_us < kYear2100Us;
  if (f.ByTime() && !(timed && d.captured_us >= f.from_us && d.captured_us < f.to_us)) return false;
  if (f.box && !(d.has_position && f.box->Contains(d.lat, d.lon))) return false;
  return id > f.after_id && id < f.before_id && d.score >= f.min_score && d.score <= f.max_score &&
         (d.positive || !f.positive_only) && any_of(f.labels, d.label) &&
         any_of(f.devices, d.device) && any_of(f.mechanisms, d.mechanism) &&
         f.found.Passes(d.findings);
}

bool GoOn(const DeleteReport&) { return true; }

/// How often each device, label, mechanism and model occurs, and what it holds.
using Tallies = std::map<std::string, std::array<uint64_t, 3>>;
Tallies Sum(const Inventory& stock) {
  Tallies sum;
  for (const auto* tallies : {&stock.devices, &stock.labels, &stock.mechanisms, &stock.models}) {
    for (const ValueTally& t : *tallies) sum[t.text] = {t.count, t.positives, t.payload_bytes};
  }
  return sum;
}

class DeleteTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  DeleteTest() : url_(GetParam().url(dir_)) {
    clock_.JumpWall(1'800'000'000'000'000);
    store_ = Open();
  }
  std::unique_ptr<Store> Open() {
    StoreOptions options = GetParam().options;
    options.clock = &clock_;
    return OpenStore(url_, options).value();
  }
  bool in_memory() const { return url_ == "sqlite::memory:"; }

  void Put(const std::vector<Detection>& batch) {
    const auto put = store_->Put(batch);
    ASSERT_TRUE(put) << put.error().ToString();
    for (size_t i = 0; i < batch.size(); ++i) {
      ASSERT_EQ(put->at(i).kind, PutOutcome::kStored);
      held_[put->at(i).id] = batch[i];
    }
  }

  /// All that a store says, against what is held.
  void Check(Store& store) {
    std::vector<uint64_t> ids, held;
    const auto rows = store.Query({}, Order::kOldestFirst, 10'000).value();
    for (const auto& row : rows) ids.push_back(row.id);
    Tallies tallies;
    uint64_t placed = 0, timed = 0, dogs = 0;
    for (const auto& [id, d] : held_) {
      held.push_back(id);
      for (const std::string* text : {&d.device, &d.label, &d.mechanism, &d.model}) {
        auto& [count, positives, bytes] = tallies[*text];
        ++count;
        positives += d.positive ? 1 : 0;
        bytes += d.payload_bytes;
      }
      placed += d.has_position ? 1 : 0;
      timed += d.captured_from != TimeSource::kNone && d.captured_us < kYear2100Us ? 1 : 0;
      dogs += d.findings ? 1 : 0;
    }
    ASSERT_EQ(ids, held);
    const Inventory stock = store.Stock().value();
    EXPECT_EQ(stock.count, held.size());
    EXPECT_EQ(Sum(stock), tallies);
    uint64_t in_cells = 0;
    const auto cells = store.Hexagons({}, 4).value();
    for (const HexCount& cell : cells) in_cells += cell.count;
    EXPECT_EQ(in_cells, placed);
    const TimeCounts line = store.Timeline({}, kNoon, kNoon + 1'000'000'000, 1).value();
    EXPECT_EQ(line.bins[0].count, timed);
    EXPECT_EQ(line.untimed, held.size() - timed);
    const auto found = store.Found({}).value();
    EXPECT_EQ(found.empty() ? 0 : found[0].pictures, dogs);
  }

  TempDir dir_;
  FakeClock clock_;
  std::string url_;
  std::unique_ptr<Store> store_;
  std::map<uint64_t, Detection> held_;
};

INSTANTIATE_TEST_SUITE_P(Stores, DeleteTest, ::testing::ValuesIn(StoreKinds()),
                         [](const auto& kind) { return kind.param.name; });

// Random rows and filters against the plain rule: the dry run counts what goes, exactly that goes,
// everywhere, and another process that looks on, mirror and all, learns of it.
TEST_P(DeleteTest, TakesExactlyWhatPasses) {
  const auto map = in_memory() ? nullptr : Open();
  for (unsigned seed = 1; seed <= 2; ++seed) {
    Rows rows(seed);
    uint64_t last = store_->LastId().value();
    std::vector<Detection> batch;
    for (int i = 0; i < 300; ++i) {
      batch.push_back(rows.Next());
      batch.back().run += uint64_t{10} * seed;
    }
    Put(batch);
    last += batch.size();
    if (map != nullptr) Check(*map);
    for (int round = 0; round < 6; ++round) {
      const Filter filter = rows.AFilter(last);
      std::vector<uint64_t> passing;
      for (const auto& [id, d] : held_) {
        if (Passes(filter, id, d)) passing.push_back(id);
      }
      EXPECT_EQ(CountRows(*store_, filter, GoOn).value().rows, passing.size());
      const auto deleted = DeleteRows(*store_, filter, GoOn);
      ASSERT_TRUE(deleted) << deleted.error().ToString();
      EXPECT_EQ(deleted->rows, passing.size());
      for (const uint64_t id : passing) {
        EXPECT_EQ(store_->Thumbnail(id).error().code, ErrorCode::kNotFound);
        held_.erase(id);
      }
      Check(*store_);
      if (map != nullptr) Check(*map);
      EXPECT_EQ(store_->LastId().value(), last);
    }
    if (!in_memory()) store_ = Open();
  }
}

// A device that did not hear "stored" sends a frame again: it was stored, and is not again.
TEST_P(DeleteTest, ARepeatOfADeletedFrameIsADuplicate) {
  Rows rows(3);
  std::vector<Detection> batch;
  batch.reserve(130);
  for (int i = 0; i < 130; ++i) batch.push_back(rows.Next());
  Put(batch);
  const uint64_t before = store_->Deletions().value();
  EXPECT_EQ(store_->Delete(std::vector<uint64_t>{1, 64, 129, 130, 500}).value(), 4U);
  EXPECT_EQ(store_->Delete(std::vector<uint64_t>{1, 130}).value(), 0U);
  EXPECT_EQ(store_->Deletions().value(), before + 1);
  if (!in_memory()) store_ = Open();
  EXPECT_EQ(store_->LastId().value(), 130U);  // though the newest row is gone
  for (const size_t i : {0, 63, 128, 129}) {
    const PutOutcome outcome = store_->Put(std::span(&batch[i], 1)).value()[0];
    EXPECT_EQ(outcome.kind, PutOutcome::kDuplicate) << i;
    EXPECT_EQ(outcome.id, 0U);
  }
  const PutOutcome other = store_->Put(std::span(&batch[1], 1)).value()[0];
  EXPECT_EQ(other.id, 2U);
  const Detection fresh = rows.Next();
  EXPECT_GT(store_->Put(std::span(&fresh, 1)).value()[0].id, 130U);
}

TEST_P(DeleteTest, ForgettingGoesOnOverTheGaps) {
  Rows rows(5);
  std::vector<Detection> batch;
  batch.reserve(600);
  for (int i = 0; i < 600; ++i) batch.push_back(rows.Next());
  Put(batch);
  ASSERT_TRUE(store_->Hexagons({}, 4));  // a mirror, where there is one
  DeleteRows(*store_, {.devices = {"cam-1"}}, GoOn).value();
  for (bool more = true; more;) more = store_->Forget({.rows = 100}).value().more;
  std::erase_if(held_, [](const auto& entry) { return entry.second.device == "cam-1"; });
  while (held_.size() > 100) held_.erase(held_.begin());
  Check(*store_);
}

// More steps than a store keeps of what was deleted: a mirror that was away reads all anew.
TEST_P(DeleteTest, AMirrorThatWasAwayForLongIsRightAgain) {
  if (in_memory() || GetParam().options.mirrored_rows == 0) GTEST_SKIP() << "no mirror";
  Rows rows(6);
  std::vector<Detection> batch;
  for (size_t i = 0; i < kDeletionsKept + 40; ++i) batch.push_back(rows.Next());
  Put(batch);
  const auto map = Open();
  ASSERT_TRUE(map->Hexagons({}, 4));
  for (uint64_t id = 1; id <= kDeletionsKept + 20; ++id) {
    ASSERT_EQ(store_->Delete(std::span(&id, 1)).value(), 1U);
    held_.erase(id);
  }
  Check(*map);
}

TEST_P(DeleteTest, WhoeverWatchesIsTold) {
  std::atomic<int> told{0};
  const auto watch = store_->Watch([&] { ++told; });
  if (watch == nullptr) GTEST_SKIP() << "cannot tell";
  Rows rows(1);
  while (told == 0) {  // what is stored before it looks for the first time nobody tells
    Put({rows.Next(), rows.Next(), rows.Next()});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // What is still told of the Put would do for one of them, and not for three.
  for (const uint64_t id : {1, 2, 3}) {
    const int before = told;
    EXPECT_EQ(store_->Delete(std::span(&id, 1)).value(), 1U);
    while (told == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// One device floods; its own oldest rows go, and nobody else's, by rows and by bytes.
TEST_P(DeleteTest, ADeviceBeyondItsQuotaPushesOutItsOwnRows) {
  std::vector<Detection> batch;
  Rows rows(7);
  for (int i = 0; i < 900; ++i) {
    Detection d = rows.Next();
    d.device = i % 10 == 0 ? "honest" : i % 10 == 1 ? "pictures" : "flood";
    d.thumbnail.assign(d.device == "pictures" ? 1000 : 0, std::byte{7});
    batch.push_back(std::move(d));
  }
  Put(batch);
  const Holdings before = store_->Heaviest(2).value();
  ASSERT_EQ(before.by_rows.size(), 2U);
  EXPECT_EQ(before.by_rows[0].text, "flood");
  EXPECT_EQ(before.by_rows[0].count, 720U);
  DeviceQuotas quotas;
  const Retention keep{.device_rows = 100, .device_bytes = 30'000};
  for (bool more = true; more;) more = quotas.Step(*store_, keep).value().more;
  std::map<std::string, std::vector<uint64_t>> ids;
  const auto left = store_->Query({}, Order::kOldestFirst, 10'000).value();
  for (const auto& row : left) ids[row.detection.device].push_back(row.id);
  EXPECT_EQ(ids["honest"].size(), 90U);
  EXPECT_EQ(ids["flood"].size(), 100U);
  EXPECT_EQ(ids["flood"].back(), 900U);    // the newest stay
  EXPECT_GE(ids["pictures"].size(), 15U);  // of some 1,200 bytes each, or a little more
  EXPECT_LE(ids["pictures"].size(), 25U);
  EXPECT_EQ(ids["pictures"].back(), 892U);
  const Holdings after = store_->Heaviest(9).value();
  for (const ValueTally& held : after.by_bytes) {
    EXPECT_LE(held.stored_bytes, 30'000U) << held.text;
  }
}

}  // namespace
}  // namespace fogline
