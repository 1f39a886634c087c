// What every store promises, run against each of them (test_kinds.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "store/retention.h"
#include "store/store.h"
#include "store/test_kinds.h"

namespace fogline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Detection Sample(uint64_t sequence = 0) {
  Detection d;
  d.device = "cam-1";
  d.run = 0xfedcba9876543210;
  d.sequence = sequence;
  d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(sequence) * 1000;
  d.has_position = true;
  d.lat = 47.37689;
  d.lon = 8.54172;
  d.accuracy_m = 4.5F;
  d.heading_deg = 271;
  d.model = std::string(64, 'a');
  d.label = "litter";
  d.score = 0.875F;
  d.positive = true;
  d.mechanism = "split";
  d.cut = "split13";
  d.codec = "q4";
  d.payload_bytes = 1389;
  d.stages.prefix = 12.5F;
  d.stages.suffix = 0.25F;
  return d;
}

class StoreTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  StoreTest() : url_(GetParam().url(dir_)) {
    clock_.JumpWall(1'800'000'000'000'000);
    Open();
  }

  void Open() {
    StoreOptions options = GetParam().options;
    options.clock = &clock_;
    if (GetParam().cached) options.cache = (dir_.path() / "cache").string();
    options.least_cached = 1;
    store_.reset();
    store_ = OpenStore(url_, options).value();
  }
  /// As after a restart; a store in memory does not survive one.
  bool Reopen() {
    if (url_ == "sqlite::memory:") return false;
    Open();
    return true;
  }
  void PutRange(uint64_t first, uint64_t count) {
    std::vector<Detection> batch;
    for (uint64_t i = first; i < first + count; ++i) batch.push_back(Sample(i));
    const auto put = store_->Put(batch);
    ASSERT_TRUE(put) << put.error().ToString();
  }
  /// Until nothing is left to forget; how many rows went.
  uint64_t Forget(const Retention& keep) {
    uint64_t rows = 0;
    for (;;) {
      const auto step = store_->Forget(keep);
      EXPECT_TRUE(step) << step.error().ToString();
      if (!step) return rows;
      EXPECT_LE(step->rows, kForgetRows);
      rows += step->rows;
      if (!step->more) return rows;
    }
  }

  std::vector<uint64_t> Ids(const Filter& filter, Order order = Order::kOldestFirst,
                            size_t limit = 1000) {
    std::vector<uint64_t> ids;
    const auto rows = store_->Query(filter, order, limit);
    EXPECT_TRUE(rows) << rows.error().ToString();
    if (rows) {
      for (const auto& row : *rows) ids.push_back(row.id);
    }
    return ids;
  }
  std::vector<uint64_t> Sequences(const Filter& filter) {
    std::vector<uint64_t> sequences;
    const auto rows = store_->Query(filter, Order::kOldestFirst, 1000).value();
    for (const auto& row : rows) {
      sequences.push_back(row.detection.sequence);
    }
    return sequences;
  }

  TempDir dir_;
  FakeClock clock_;
  std::string url_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::ValuesIn(StoreKinds()),
                         [](const auto& kind) { return kind.param.name; });

/// Whatever a store counts, by hand over the same rows: labels, numbers and scores of boxes
/// together with the other filters, after rows were forgotten and after a restart too.
TEST_P(StoreTest, TellsWhetherItWouldKeepSomething) {
  const Status kept = store_->Probe();
  EXPECT_TRUE(kept) << kept.error().ToString();
  EXPECT_EQ(store_->LastId().value(), 0U);
}

TEST_P(StoreTest, OnlyReadCreatesAndChangesNothing) {
  PutRange(0, 3);
  StoreOptions options = GetParam().options;
  options.clock = &clock_;
  options.read_only = true;
  if (url_ != "sqlite::memory:") {
    const auto reader = OpenStore(url_, options).value();
    EXPECT_EQ(reader->Query({}, Order::kOldestFirst, 10).value().size(), 3U);
    const Detection d = Sample(9);
    EXPECT_EQ(reader->Put(std::span(&d, 1)).error().code, ErrorCode::kUsage);
    EXPECT_EQ(reader->Forget({.rows = 1}).error().code, ErrorCode::kUsage);
    EXPECT_EQ(reader->Probe().error().code, ErrorCode::kUsage);
    EXPECT_EQ(store_->LastId().value(), 3U);
  }
  const TempDir nothing;
  const std::string other = GetParam().url(nothing);
  for (int tries = 0; tries < 2; ++tries) {  // the first one has not created it
    const auto missing = OpenStore(other, options);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound) << missing.error().ToString();
  }
}

TEST_P(StoreTest, FindsPicturesByWhatWasFoundInThem) {
  std::mt19937 random(7);
  const std::vector<std::string> labels{"dog", "car", "a person"};
  std::vector<Detection> rows;
  for (uint64_t i = 0; i < 300; ++i) {
    Detection d = Sample(i);
    d.device = i % 3 == 0 ? "cam-2" : "cam-1";
    std::vector<FoundBox> boxes;
    for (size_t n = random() % 6; n > 0; --n) {
      const float score = 0.25F * static_cast<float>(1 + random() % 3);
      boxes.push_back({labels[random() % labels.size()], score, 0, 0, 1, 1});
    }
    if (i % 7 == 0) {
      d.findings = MaskFindings{{{"dog", 1}}};
    } else if (i % 5 != 0) {
      d.findings = BoxFindings{std::move(boxes), 0};
    }
    rows.push_back(std::move(d));
  }
  ASSERT_TRUE(store_->Put(rows));
  const std::vector<FoundFilter> asked{{{"dog"}, 1, 0},
                                       {{"dog"}, 2, 0},
                                       {{"dog"}, 1, 0.5F},
                                       {{"dog", "car"}, 3, 0.5F},
                                       {{"a person"}, 1, 0.75F},
                                       {{}, 1, 0},
                                       {{}, 4, 0},
                                       {{}, 1, 0.75F},
                                       {{"cat"}, 1, 0},
                                       {{"cat", "dog"}, 1, 0}};
  const auto check = [&](uint64_t first) {
    const int64_t from = rows[0].captured_us, to = rows.back().captured_us + 1;
    for (const FoundFilter& found : asked) {
      for (const auto& devices : {std::vector<std::string>{}, {"cam-2"}}) {
        const Filter filter{.devices = devices, .found = found};
        std::vector<uint64_t> ids;
        std::map<std::string, std::pair<uint64_t, uint64_t>> tallies;
        for (uint64_t i = first; i < rows.size(); ++i) {
          if (!devices.empty() && rows[i].device != devices[0]) continue;
          if (!found.Passes(rows[i].findings)) continue;
          ids.push_back(i + 1);
          std::set<std::string> seen;
          for (const FoundBox& box : BoxesOf(rows[i].findings)) {
            if (box.score < found.least_score) continue;
            ++tallies[box.label].second;
            if (seen.insert(box.label).second) ++tallies[box.label].first;
          }
        }
        EXPECT_EQ(Ids(filter), ids);
        std::vector<uint64_t> newest(ids.rbegin(), ids.rend());
        newest.resize(std::min<size_t>(newest.size(), 5));
        EXPECT_EQ(Ids(filter, Order::kNewestFirst, 5), newest);
        uint64_t in_hexagons = 0;
        const auto cells = store_->Hexagons(filter, 5).value();
        for (const HexCount& cell : cells) in_hexagons += cell.count;
        EXPECT_EQ(in_hexagons, ids.size());
        EXPECT_EQ(store_->Timeline(filter, from, to, 1).value().bins[0].count, ids.size());
        std::map<std::string, std::pair<uint64_t, uint64_t>> said;
        uint64_t before = std::numeric_limits<uint64_t>::max();
        const auto found_there = store_->Found(filter).value();
        for (const FoundTally& tally : found_there) {
          said[tally.label] = {tally.pictures, tally.boxes};
          EXPECT_LE(tally.pictures, std::exchange(before, tally.pictures));
        }
        EXPECT_EQ(said, tallies);
      }
    }
  };
  check(0);
  EXPECT_EQ(Forget({.rows = 180}), 120U);
  check(120);
  if (Reopen()) check(120);
}

TEST_P(StoreTest, CountsWhatIsStoredAtOnce) {
  EXPECT_EQ(store_->CountedId().value(), 0U);
  for (uint64_t i = 0; i < 3; ++i) {
    const Detection d = Sample(i);
    const auto put = store_->Put(std::span(&d, 1)).value();
    EXPECT_EQ(store_->CountedId().value(), put[0].id);
  }
  EXPECT_EQ(Forget({.rows = 1}), 2U);
  EXPECT_EQ(store_->CountedId().value(), store_->LastId().value());
}

/// More boxes a row than a mirror takes: answered from the rows themselves.
TEST_P(StoreTest, CountsPicturesOfManyBoxes) {
  StoreOptions options = GetParam().options;
  options.clock = &clock_;
  options.mirrored_rows = std::min<size_t>(options.mirrored_rows, 4);
  if (url_ != "sqlite::memory:") store_.reset();
  store_ = OpenStore(url_, options).value();
  for (uint64_t i = 0; i < 4; ++i) {
    Detection d = Sample(i);
    const std::vector<FoundBox> boxes(20, {i % 2 == 0 ? "dog" : "car", 0.5F, 0, 0, 1, 1});
    d.findings = BoxFindings{boxes, 0};
    ASSERT_TRUE(store_->Put(std::span(&d, 1)));
    const Filter dogs{.found = {{"dog"}, 20, 0}};
    EXPECT_EQ(Ids(dogs).size(), i / 2 + 1);
    EXPECT_EQ(store_->Hexagons(dogs, 3).value().at(0).count, i / 2 + 1);
    EXPECT_EQ(store_->Found(dogs).value().at(0).boxes, 20 * (i / 2 + 1));
  }
}

TEST_P(StoreTest, GivesBackEveryFieldAsItWasPut) {
  Detection d = Sample();
  d.label = "a \"quoted\" <b>label</b> \xc3\xa9\xf0\x9f\x97\x91";
  d.thumbnail = {std::byte{0xff}, std::byte{0xd8}, std::byte{0}};
  d.captured_from = TimeSource::kGps;
  const auto outcome = store_->Put(std::span(&d, 1)).value();
  ASSERT_EQ(outcome.size(), 1U);
  EXPECT_EQ(outcome[0].kind, PutOutcome::kStored);

  const auto rows = store_->Query({}, Order::kOldestFirst, 10).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, outcome[0].id);
  EXPECT_EQ(rows[0].stored_us, 1'800'000'000'000'000);
  EXPECT_TRUE(rows[0].has_thumbnail);
  const Detection& got = rows[0].detection;
  EXPECT_EQ(got.device, d.device);
  EXPECT_EQ(got.run, d.run);
  EXPECT_EQ(got.sequence, d.sequence);
  EXPECT_EQ(got.captured_us, d.captured_us);
  EXPECT_EQ(got.captured_from, TimeSource::kGps);
  EXPECT_EQ(got.lat, d.lat);
  EXPECT_EQ(got.lon, d.lon);
  EXPECT_EQ(got.accuracy_m, d.accuracy_m);
  EXPECT_EQ(got.heading_deg, d.heading_deg);
  EXPECT_EQ(got.model, d.model);
  EXPECT_EQ(got.label, d.label);
  EXPECT_EQ(got.score, d.score);
  EXPECT_EQ(got.positive, d.positive);
  EXPECT_EQ(got.mechanism, d.mechanism);
  EXPECT_EQ(got.cut, d.cut);
  EXPECT_EQ(got.codec, d.codec);
  EXPECT_EQ(got.payload_bytes, d.payload_bytes);
  EXPECT_EQ(got.stages.prefix, 12.5F);
  EXPECT_EQ(got.stages.suffix, 0.25F);
  EXPECT_TRUE(std::isnan(got.stages.network));
  EXPECT_EQ(store_->Thumbnail(rows[0].id).value(), d.thumbnail);
}

TEST_P(StoreTest, FindingsOfEveryKindAreGivenBack) {
  const std::vector<std::optional<Findings>> all{
      std::nullopt,
      ClassFindings{1, 0.75F, {{"litter", 0.75F}, {"clean", 0.25F}}},
      BoxFindings{{{"car", 0.875F, 0, 0.2F, 1, 0.4F}, {"car", 0.5F, 0, 0, 0, 0}}, 7},
      MaskFindings{{{"road", 0.5F}, {"\xc3\xa9gout", 0.25F}}},
      NumberFindings{{{"count", 12}, {"level", -0.5}}},
      RawFindings{{{"output0", Shape{1, 84, 8400}}}}};
  std::vector<Detection> batch;
  for (size_t i = 0; i < all.size(); ++i) {
    batch.push_back(Sample(i));
    batch.back().findings = all[i];
    if (i == 1) batch.back().counts = {12, 1, 0};
  }
  ASSERT_TRUE(store_->Put(batch));
  Reopen();
  const auto rows = store_->Query({}, Order::kOldestFirst, 10).value();
  ASSERT_EQ(rows.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(rows[i].detection.findings, all[i]) << i;
    EXPECT_EQ(rows[i].detection.counts, batch[i].counts) << i;
  }
}

TEST_P(StoreTest, FindingsThatAreNoneAreRefused) {
  Detection d = Sample();
  d.findings = BoxFindings{{{"car", 2, 0, 0, 1, 1}}, 0};
  const auto refused = store_->Put(std::span(&d, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TEST_P(StoreTest, UnknownIsKeptApartFromZero) {
  Detection d = Sample();
  d.has_position = false;
  d.accuracy_m = kUnknown;
  d.heading_deg = kUnknown;
  d.thumbnail.clear();
  ASSERT_TRUE(store_->Put(std::span(&d, 1)));
  const auto row = store_->Query({}, Order::kOldestFirst, 1).value().at(0);
  EXPECT_FALSE(row.detection.has_position);
  EXPECT_TRUE(std::isnan(row.detection.accuracy_m));
  EXPECT_TRUE(std::isnan(row.detection.heading_deg));
  EXPECT_FALSE(row.has_thumbnail);
  EXPECT_EQ(store_->Thumbnail(row.id).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(store_->Hexagons({}, 3).value(), IsEmpty());
}

TEST_P(StoreTest, StoresEachNameOnce) {
  const std::vector<Detection> twice{Sample(1), Sample(2), Sample(1)};
  const auto first = store_->Put(twice).value();
  EXPECT_EQ(first[0].kind, PutOutcome::kStored);
  EXPECT_EQ(first[2].kind, PutOutcome::kDuplicate);
  EXPECT_EQ(first[2].id, first[0].id);
  const auto again = store_->Put(twice).value();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again[i].kind, PutOutcome::kDuplicate);
    EXPECT_EQ(again[i].id, first[i].id);
  }
  // Another run of the same device may count from 0 again, and so may another device.
  Detection other_run = Sample(1);
  other_run.run = 7;
  Detection other_device = Sample(1);
  other_device.device = "cam-2";
  EXPECT_EQ(store_->Put(std::span(&other_run, 1)).value()[0].kind, PutOutcome::kStored);
  EXPECT_EQ(store_->Put(std::span(&other_device, 1)).value()[0].kind, PutOutcome::kStored);
  EXPECT_EQ(Ids({}).size(), 4U);
  EXPECT_EQ(store_->Stock().value().count, 4U);
}

TEST_P(StoreTest, RefusesABatchAsAWhole) {
  std::vector<Detection> batch{Sample(1), Sample(2)};
  batch[1].score = std::nanf("");
  const auto outcome = store_->Put(batch);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(outcome.error().ToString(), HasSubstr("detection 1"));
  EXPECT_THAT(Ids({}), IsEmpty());
  EXPECT_EQ(store_->Stock().value().count, 0U);
}

TEST_P(StoreTest, AnEmptyStoreAnswersEverything) {
  EXPECT_THAT(Ids({}), IsEmpty());
  EXPECT_THAT(store_->Hexagons({}, 0).value(), IsEmpty());
  EXPECT_EQ(store_->Timeline({}, 0, 10, 5).value().bins.size(), 5U);
  EXPECT_EQ(store_->LastId().value(), 0U);
  const Inventory stock = store_->Stock().value();
  EXPECT_EQ(stock.count, 0U);
  EXPECT_THAT(stock.devices, IsEmpty());
  EXPECT_EQ(store_->epoch().size(), 16U);
  EXPECT_THAT(store_->Put({}).value(), IsEmpty());
}

TEST_P(StoreTest, IdsGrowAndPagesMeet) {
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 25; ++i) batch.push_back(Sample(i));
  ASSERT_TRUE(store_->Put(batch));
  const auto all = Ids({});
  ASSERT_EQ(all.size(), 25U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(store_->LastId().value(), all.back());

  std::vector<uint64_t> forward;
  Filter filter;
  for (;;) {
    const auto page = Ids(filter, Order::kOldestFirst, 7);
    if (page.empty()) break;
    forward.insert(forward.end(), page.begin(), page.end());
    filter.after_id = page.back();
  }
  EXPECT_EQ(forward, all);

  std::vector<uint64_t> backward;
  filter = {};
  for (;;) {
    const auto page = Ids(filter, Order::kNewestFirst, 7);
    if (page.empty()) break;
    backward.insert(backward.end(), page.begin(), page.end());
    filter.before_id = page.back();
  }
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(backward, all);
}

TEST_P(StoreTest, FiltersByEachField) {
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 4; ++i) batch.push_back(Sample(i));
  batch[1].device = "cam-2";
  batch[1].score = 0.25F;
  batch[2].label = "clean";
  batch[2].positive = false;
  batch[3].mechanism = "cloud-only";
  ASSERT_TRUE(store_->Put(batch));

  EXPECT_THAT(Sequences({.devices = {"cam-2"}}), ElementsAre(1));
  EXPECT_THAT(Sequences({.devices = {"cam-2", "cam-1", "nobody"}}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Sequences({.devices = {"nobody"}}), IsEmpty());
  EXPECT_THAT(Sequences({.labels = {"clean"}}), ElementsAre(2));
  EXPECT_THAT(Sequences({.mechanisms = {"cloud-only"}}), ElementsAre(3));
  EXPECT_THAT(Sequences({.min_score = 0.5F}), ElementsAre(0, 2, 3));
  EXPECT_THAT(Sequences({.min_score = 0.875F}), ElementsAre(0, 2, 3));
  EXPECT_THAT(Sequences({.max_score = 0.5F}), ElementsAre(1));
  EXPECT_THAT(Sequences({.positive_only = true}), ElementsAre(0, 1, 3));
  const int64_t start = Sample().captured_us;
  EXPECT_THAT(Sequences({.from_us = start + 1000, .to_us = start + 3000}), ElementsAre(1, 2));
  EXPECT_THAT(Sequences({.labels = {"litter"}, .mechanisms = {"split"}}), ElementsAre(0, 1));
  // A text is only a text.
  EXPECT_THAT(Sequences({.devices = {"x') OR 1=1 --"}}), IsEmpty());
}

TEST_P(StoreTest, FiltersByBoxUpToPolesAndAcrossTheDateLine) {
  const std::vector<std::pair<double, double>> places{{0, 0},  {10, 179.9}, {10, -179.9},
                                                      {90, 0}, {-90, 180},  {47.37689, 8.54172}};
  std::vector<Detection> batch;
  for (size_t i = 0; i < places.size(); ++i) {
    batch.push_back(Sample(i));
    batch.back().lat = places[i].first;
    batch.back().lon = places[i].second;
  }
  batch.push_back(Sample(99));
  batch.back().has_position = false;
  ASSERT_TRUE(store_->Put(batch));

  EXPECT_THAT(Sequences({.box = Box{}}), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(Sequences({.box = Box{170, -20, -170, 20}}), ElementsAre(1, 2));
  EXPECT_THAT(Sequences({.box = Box{-170, -20, 170, 20}}), ElementsAre(0));
  EXPECT_THAT(Sequences({.box = Box{-180, 89, 180, 90}}), ElementsAre(3));
  EXPECT_THAT(Sequences({.box = Box{180, -90, 180, -90}}), ElementsAre(4));
  EXPECT_THAT(Sequences({.box = Box{8.54172, 47.37689, 8.54172, 47.37689}}), ElementsAre(5));
  EXPECT_THAT(Sequences({.box = Box{8.541721, 47, 9, 48}}), IsEmpty());
}

TEST_P(StoreTest, BoxesAgreeWithASlowComparison) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> lat(-90, 90);
  std::uniform_real_distribution<double> lon(-180, 180);
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 500; ++i) {
    batch.push_back(Sample(i));
    batch.back().lat = lat(random);
    batch.back().lon = lon(random);
  }
  ASSERT_TRUE(store_->Put(batch));
  for (int trial = 0; trial < 50; ++trial) {
    Box box{lon(random), lat(random), lon(random), lat(random)};
    if (box.south > box.north) std::swap(box.south, box.north);
    std::vector<uint64_t> expected;
    for (const Detection& d : batch) {
      if (box.Contains(d.lat, d.lon)) expected.push_back(d.sequence);
    }
    EXPECT_EQ(Sequences({.box = box}), expected);
    uint64_t in_cells = 0;
    const auto cells = store_->Hexagons({.box = box}, 4).value();
    for (const HexCount& cell : cells) in_cells += cell.count;
    EXPECT_EQ(in_cells, expected.size());
  }
}

TEST_P(StoreTest, CountsByHexagon) {
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 6; ++i) batch.push_back(Sample(i));
  batch[1].score = 0.95F;
  batch[2].positive = false;
  batch[3].lat = -33.4;
  batch[3].lon = -70.6;
  batch[4].lat = 90;
  batch[5].lat = -90;
  batch[5].lon = 180;
  ASSERT_TRUE(store_->Put(batch));
  const auto cells = store_->Hexagons({}, 6).value();
  EXPECT_EQ(cells.size(), 4U);
  const HexGrid grid(6);
  for (const HexCount& cell : cells) {
    if (cell.cell == grid.At(batch[0].lat, batch[0].lon)) {
      EXPECT_EQ(cell.count, 3U);
      EXPECT_EQ(cell.positives, 2U);
      EXPECT_EQ(cell.max_score, 0.95F);
      EXPECT_EQ(cell.newest_us, batch[2].captured_us);
    } else {
      EXPECT_EQ(cell.count, 1U);
    }
  }
  EXPECT_EQ(store_->Hexagons({.min_score = 0.9F, .positive_only = true}, 6).value().size(), 1U);
}

TEST_P(StoreTest, CountsByTime) {
  std::vector<Detection> batch;
  for (uint64_t i = 0; i < 10; ++i) batch.push_back(Sample(i));  // a millisecond apart
  batch[3].has_position = false;
  batch[4].positive = false;
  batch[9].device = "cam-2";
  ASSERT_TRUE(store_->Put(std::span(batch).first(6)));
  const int64_t start = batch[0].captured_us;
  EXPECT_EQ(store_->Timeline({}, start, start + 10'000, 2).value().bins[1].count, 1U);
  ASSERT_TRUE(store_->Put(std::span(batch).subspan(6)));  // counted from then on
  const auto bins = store_->Timeline({}, start, start + 10'000, 2).value().bins;
  EXPECT_EQ(bins[0].count, 5U);
  EXPECT_EQ(bins[0].positives, 4U);
  EXPECT_EQ(bins[1].count, 5U);
  EXPECT_EQ(store_->Timeline({}, start + 1'000, start + 2'000, 1).value().bins[0].count, 1U);
  EXPECT_EQ(
      store_->Timeline({.devices = {"cam-2"}}, start, start + 10'000, 1).value().bins[0].count, 1U);
  EXPECT_EQ(
      store_->Timeline({.devices = {"nobody"}}, start, start + 10'000, 1).value().bins[0].count,
      0U);
  EXPECT_EQ(store_->Timeline({.box = Box{}}, start, start + 10'000, 1).value().bins[0].count, 9U);
  EXPECT_EQ(store_->Timeline({}, start, start, 3).value().bins[2].count, 0U);
}

TEST_P(StoreTest, StockListsWhatAFilterCanName) {
  std::vector<Detection> batch{Sample(0), Sample(1), Sample(2)};
  batch[1].device = "cam-2";
  batch[1].positive = false;
  batch[1].label = "clean";
  ASSERT_TRUE(store_->Put(batch));
  ASSERT_TRUE(store_->Put(batch));  // duplicates count nothing
  const Inventory stock = store_->Stock().value();
  EXPECT_EQ(stock.count, 3U);
  EXPECT_EQ(stock.last_id, store_->LastId().value());
  EXPECT_EQ(stock.first_us, batch[0].captured_us);
  EXPECT_EQ(stock.last_us, batch[2].captured_us);
  ASSERT_EQ(stock.devices.size(), 2U);
  EXPECT_EQ(stock.devices[0].text, "cam-1");  // seen last
  EXPECT_EQ(stock.devices[0].count, 2U);
  EXPECT_EQ(stock.devices[0].positives, 2U);
  EXPECT_EQ(stock.devices[0].payload_bytes, 2U * 1389);
  EXPECT_EQ(stock.labels.size(), 2U);
  ASSERT_EQ(stock.mechanisms.size(), 1U);
  EXPECT_EQ(stock.mechanisms[0].text, "split");
  ASSERT_EQ(stock.models.size(), 1U);
}

TEST_P(StoreTest, ATimeKnownLaterIsAdded) {
  const Detection d = Sample(5);
  const auto id = store_->Put(std::span(&d, 1)).value()[0].id;
  const std::vector<Settlement> settlements{
      {d.device, d.run, d.sequence, 33.5F}, {d.device, d.run, 12345, 1.0F}, {"nobody", 1, 1, 1.0F}};
  ASSERT_TRUE(store_->Put({}, settlements));
  const auto row = store_->Query({}, Order::kOldestFirst, 2).value().at(0);
  EXPECT_EQ(row.id, id);
  EXPECT_EQ(row.detection.stages.network, 33.5F);
  EXPECT_EQ(row.detection.stages.prefix, 12.5F);
  EXPECT_EQ(Ids({}).size(), 1U);
}

// The promise that resuming by id rests on: a reader that polls "after the last id I saw" while
// several threads write sees every row once.
TEST_P(StoreTest, AFollowerSeesEveryRowOnceWhileOthersWrite) {
  constexpr int kWriters = 3;
  constexpr uint64_t kEach = 60;
  std::atomic<int> writing = kWriters;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (uint64_t i = 0; i < kEach; i += 3) {
        std::vector<Detection> batch{Sample(i), Sample(i + 1), Sample(i + 2)};
        for (Detection& d : batch) d.device = "cam-" + std::to_string(w);
        EXPECT_TRUE(store_->Put(batch));
      }
      --writing;
    });
  }
  std::set<std::pair<std::string, uint64_t>> seen;
  size_t rows_seen = 0;
  Filter filter;
  for (bool more = true; more;) {
    more = writing > 0;  // read before the query, so that the last round sees what is left
    const auto rows = store_->Query(filter, Order::kOldestFirst, 1000).value();
    for (const auto& row : rows) {
      seen.emplace(row.detection.device, row.detection.sequence);
      ++rows_seen;
      filter.after_id = row.id;
    }
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(rows_seen, kWriters * kEach);
  EXPECT_EQ(seen.size(), kWriters * kEach);
}

// A picture whose time nobody knows is stored, counted and listed; only where time decides it has
// no place.
TEST_P(StoreTest, WhatHasNoTimeIsLeftOutOfTimesAndCountedThere) {
  std::vector<Detection> batch{Sample(0), Sample(1), Sample(2)};
  batch[1].captured_from = TimeSource::kNone;
  batch[1].captured_us = 5;  // nothing that may be believed
  batch[1].device = "undated";
  batch[2].captured_from = TimeSource::kAssumed;
  ASSERT_TRUE(store_->Put(batch));
  const auto rows = store_->Query({}, Order::kOldestFirst, 10).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].detection.captured_from, TimeSource::kNone);
  EXPECT_EQ(rows[1].detection.captured_us, 0);
  EXPECT_EQ(rows[2].detection.captured_from, TimeSource::kAssumed);
  const int64_t start = Sample().captured_us;
  EXPECT_THAT(Sequences({.from_us = -1'000'000}), ElementsAre(0, 2));
  EXPECT_THAT(Sequences({.to_us = start + 1'000'000}), ElementsAre(0, 2));
  EXPECT_THAT(Sequences({.devices = {"undated"}}), ElementsAre(1));
  const TimeCounts line = store_->Timeline({}, start, start + 10'000, 1).value();
  EXPECT_EQ(line.bins[0].count, 2U);
  EXPECT_EQ(line.untimed, 1U);
  EXPECT_EQ(line.first_us, batch[0].captured_us);
  EXPECT_EQ(line.last_us, batch[2].captured_us);
  const auto cells = store_->Hexagons({}, 3).value();
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].count, 3U);
  EXPECT_EQ(cells[0].newest_us, batch[2].captured_us);
  EXPECT_EQ(store_->Hexagons({.devices = {"undated"}}, 3).value().at(0).newest_us, 0);
  const Inventory stock = store_->Stock().value();
  EXPECT_EQ(stock.count, 3U);
  EXPECT_EQ(stock.first_us, batch[0].captured_us);
  EXPECT_EQ(stock.last_us, batch[2].captured_us);
  EXPECT_EQ(stock.devices.back().text, "undated");
  EXPECT_EQ(stock.devices.back().first_us, 0);
}

// What an 8-bit network calls certain may be a rounding above 1.
TEST_P(StoreTest, AScoreARoundingBeyondOneIsOne) {
  std::vector<Detection> batch{Sample(0), Sample(1)};
  batch[0].score = 1.0000001F;
  batch[1].score = -1e-7F;
  ASSERT_TRUE(store_->Put(batch));
  const auto rows = store_->Query({}, Order::kOldestFirst, 10).value();
  EXPECT_EQ(rows.at(0).detection.score, 1.0F);
  EXPECT_EQ(rows.at(1).detection.score, 0.0F);
  batch[0].score = 1.01F;
  EXPECT_EQ(store_->Put(batch).error().code, ErrorCode::kInvalid);
}

TEST_P(StoreTest, ForgetsNothingUnlessAsked) {
  PutRange(0, 10);
  clock_.Advance(std::chrono::hours(24 * 10'000));
  EXPECT_EQ(Forget({}), 0U);
  EXPECT_EQ(Ids({}).size(), 10U);
  EXPECT_EQ(store_->ForgottenId().value(), 0U);
}

TEST_P(StoreTest, ForgetsByAgeSinceARowWasStored) {
  PutRange(0, 300);
  clock_.Advance(std::chrono::hours(48));
  PutRange(300, 5);
  const Retention keep{.age = std::chrono::hours(24)};
  EXPECT_EQ(Forget(keep), 300U);
  EXPECT_EQ(Forget(keep), 0U);
  EXPECT_EQ(Ids({}).front(), 301U);
  EXPECT_EQ(store_->ForgottenId().value(), 300U);
  clock_.Advance(std::chrono::hours(25));
  EXPECT_EQ(Forget(keep), 5U);
  EXPECT_THAT(Ids({}), IsEmpty());
}

TEST_P(StoreTest, ForgetsTheOldestBeyondSoManyRows) {
  PutRange(0, 1000);
  EXPECT_EQ(Forget({.rows = 100}), 900U);
  EXPECT_EQ(Ids({}).size(), 100U);
  EXPECT_EQ(Ids({}).front(), 901U);
  EXPECT_EQ(Forget({.rows = 100}), 0U);
  PutRange(1000, 1);
  EXPECT_EQ(Forget({.rows = 100}), 1U);
}

// Whoever resumes by id must never meet an id again, after a restart least of all.
TEST_P(StoreTest, IdsAreNeverGivenAgainThoughAllRowsWent) {
  PutRange(0, 20);
  Forget({.rows = 1});
  clock_.Advance(std::chrono::hours(1));
  Forget({.age = std::chrono::minutes(1)});
  EXPECT_THAT(Ids({}), IsEmpty());
  const std::string epoch = store_->epoch();
  Reopen();
  EXPECT_EQ(store_->epoch(), epoch);
  EXPECT_EQ(store_->LastId().value(), 20U);
  EXPECT_EQ(store_->ForgottenId().value(), 20U);
  EXPECT_EQ(store_->Stock().value().count, 0U);
  EXPECT_EQ(store_->Stock().value().last_id, 20U);
  PutRange(20, 1);
  EXPECT_THAT(Ids({}), ElementsAre(21));
}

// A device that was cut off before it heard "stored" repeats its frame when it is back; that its
// row is gone meanwhile makes it no new one.
TEST_P(StoreTest, ARepeatOfAForgottenFrameIsADuplicate) {
  PutRange(0, 130);  // several blocks of names
  clock_.Advance(std::chrono::hours(2));
  ASSERT_EQ(Forget({.age = std::chrono::hours(1)}), 130U);
  for (const bool reopened : {false, true}) {
    if (reopened && !Reopen()) break;
    std::vector<Detection> again{Sample(0), Sample(63), Sample(64), Sample(129),
                                 Sample(130 + reopened)};
    const auto outcomes = store_->Put(again).value();
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(outcomes[i].kind, PutOutcome::kDuplicate) << i;
      EXPECT_EQ(outcomes[i].id, 0U);
    }
    EXPECT_EQ(outcomes[4].kind, PutOutcome::kStored);  // a neighbour, and new
    EXPECT_EQ(outcomes[4].id, 131U + reopened);
  }
  // Other runs and devices have names of their own.
  Detection other = Sample(0);
  other.run = 7;
  EXPECT_EQ(store_->Put(std::span(&other, 1)).value()[0].kind, PutOutcome::kStored);
  // A time for a row that is gone is nobody's.
  const std::vector<Settlement> late{{"cam-1", Sample().run, 3, 20.0F}};
  EXPECT_TRUE(store_->Put({}, late));
}

TEST_P(StoreTest, NamesOutliveTheirRowsByAMonth) {
  PutRange(0, 10);
  const Retention keep{.age = std::chrono::hours(1)};
  clock_.Advance(std::chrono::hours(2));
  ASSERT_EQ(Forget(keep), 10U);
  clock_.Advance(kNamesOutlive - std::chrono::hours(1));
  Forget(keep);
  const Detection first = Sample(0);
  EXPECT_EQ(store_->Put(std::span(&first, 1)).value()[0].kind, PutOutcome::kDuplicate);
  clock_.Advance(std::chrono::hours(2));
  Forget(keep);
  EXPECT_EQ(store_->Put(std::span(&first, 1)).value()[0].kind, PutOutcome::kStored);
}

TEST_P(StoreTest, EveryAnswerForgetsAlike) {
  std::vector<Detection> batch{Sample(0), Sample(1), Sample(2), Sample(3)};
  batch[0].device = "gone";
  batch[0].label = "gone";
  batch[0].thumbnail = {std::byte{1}};
  batch[3].positive = false;
  ASSERT_TRUE(store_->Put(batch));
  const int64_t start = batch[0].captured_us;
  EXPECT_EQ(store_->Timeline({}, start, start + 4000, 1).value().bins[0].count, 4U);
  ASSERT_EQ(Forget({.rows = 2}), 2U);
  EXPECT_THAT(Ids({}), ElementsAre(3, 4));
  EXPECT_THAT(Ids({.after_id = 1}), ElementsAre(3, 4));
  EXPECT_THAT(Ids({.box = Box{8, 47, 9, 48}}), ElementsAre(3, 4));
  EXPECT_THAT(Ids({.devices = {"gone"}}), IsEmpty());
  EXPECT_EQ(store_->Timeline({}, start, start + 4000, 1).value().bins[0].count, 2U);
  EXPECT_EQ(store_->Hexagons({}, 6).value().at(0).count, 2U);
  EXPECT_EQ(store_->Thumbnail(1).error().code, ErrorCode::kNotFound);
  const Inventory stock = store_->Stock().value();
  EXPECT_EQ(stock.count, 2U);
  EXPECT_EQ(stock.forgotten_id, 2U);
  EXPECT_EQ(stock.last_id, 4U);
  ASSERT_EQ(stock.devices.size(), 1U);  // and nothing of the other
  EXPECT_EQ(stock.devices[0].count, 2U);
  EXPECT_EQ(stock.devices[0].positives, 1U);
  EXPECT_EQ(stock.devices[0].payload_bytes, 2U * 1389);
  ASSERT_EQ(stock.labels.size(), 1U);
  PutRange(10, 1);  // and what comes later is counted on
  EXPECT_EQ(store_->Timeline({}, start, start + 20'000, 1).value().bins[0].count, 3U);
}

// One of several processes may forget, or all of them.
TEST_P(StoreTest, RowsOfAnotherStoreKeepWhenTheyWereStored) {
  const std::vector<Detection> batch{Sample(1), Sample(2), Sample(1)};
  const std::vector<int64_t> stored_us{1'600'000'000'000'001, 1'600'000'000'000'002, 3};
  const auto outcomes = store_->Take(batch, stored_us).value();
  EXPECT_EQ(outcomes[2].kind, PutOutcome::kDuplicate);
  EXPECT_EQ(outcomes[2].id, outcomes[0].id);
  PutRange(3, 1);
  const auto rows = store_->Query({}, Order::kOldestFirst, 10).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].stored_us, 1'600'000'000'000'001);
  EXPECT_EQ(rows[1].stored_us, 1'600'000'000'000'002);
  EXPECT_EQ(rows[2].stored_us, 1'800'000'000'000'000);
  EXPECT_EQ(Forget({.age = std::chrono::hours(24)}), 2U);
}

TEST_P(StoreTest, MarksStayWhereTheyWereSet) {
  EXPECT_EQ(store_->Mark("copy:a"), 0U);
  ASSERT_TRUE(store_->SetMark("copy:a", 7));
  ASSERT_TRUE(store_->SetMark("a topic/with 'quotes'", std::numeric_limits<int64_t>::max()));
  ASSERT_TRUE(store_->SetMark("copy:a", 8));
  Reopen();
  PutRange(0, 3);
  EXPECT_EQ(store_->Mark("copy:a"), 8U);
  EXPECT_EQ(store_->Mark("copy:b"), 0U);
  EXPECT_EQ(store_->Mark("a topic/with 'quotes'"),
            static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

TEST_P(StoreTest, OneAtATimeHolds) {
  using std::chrono::milliseconds;
  const std::string name = "publish:a 'topic'";
  EXPECT_EQ(store_->Hold(name, "one", milliseconds(60'000)), true);
  EXPECT_EQ(store_->Hold(name, "two", milliseconds(60'000)), false);
  EXPECT_EQ(store_->Hold("another", "two", milliseconds(60'000)), true);
  EXPECT_EQ(store_->Hold(name, "one", milliseconds(60'000)), true) << "it keeps it";
  Reopen();
  EXPECT_EQ(store_->Hold(name, "two", milliseconds(60'000)), false);
  EXPECT_EQ(store_->Hold("given back", "one", milliseconds(60'000)), true);
  EXPECT_EQ(store_->Hold("given back", "one", milliseconds(0)), true);
  EXPECT_EQ(store_->Hold("given back", "two", milliseconds(60'000)), true);
  // Who has gone has it no longer than it asked for.
  EXPECT_EQ(store_->Hold("short", "one", milliseconds(1)), true);
  bool taken = false;
  for (int i = 0; i < 2000 && !taken; ++i) {
    clock_.Advance(milliseconds(1));
    taken = store_->Hold("short", "two", milliseconds(60'000)).value();
  }
  EXPECT_TRUE(taken);
}

TEST_P(StoreTest, SeveralMayForgetAtOnce) {
  PutRange(0, 3000);
  std::vector<std::unique_ptr<Store>> others;
  if (url_ != "sqlite::memory:") {
    for (int i = 0; i < 2; ++i) others.push_back(OpenStore(url_, {.clock = &clock_}).value());
  }
  std::atomic<uint64_t> forgotten = 0;
  const auto work = [&](Store& store) {
    for (bool more = true; more;) {
      const auto step = store.Forget({.rows = 10});
      ASSERT_TRUE(step) << step.error().ToString();
      forgotten += step->rows;
      more = step->more;
    }
  };
  std::vector<std::thread> threads;
  for (const auto& other : others) threads.emplace_back([&, store = other.get()] { work(*store); });
  PutRange(3000, 50);
  work(*store_);
  for (std::thread& thread : threads) thread.join();
  work(*store_);
  EXPECT_EQ(forgotten, 3040U);
  EXPECT_EQ(Ids({}).size(), 10U);
  EXPECT_EQ(Ids({}).front(), 3041U);
  EXPECT_EQ(store_->Stock().value().count, 10U);
}

TEST_P(StoreTest, RowsPutWhileOthersAreForgottenAreAllThere) {
  std::atomic<bool> writing = true;
  std::thread writer([&] {
    for (uint64_t i = 0; i < 3000; i += 30) PutRange(i, 30);
    writing = false;
  });
  while (writing) ASSERT_TRUE(store_->Forget({.rows = 100}));
  writer.join();
  Forget({.rows = 100});
  EXPECT_EQ(store_->LastId().value(), 3000U);
  EXPECT_EQ(Ids({}).size(), 100U);
  EXPECT_EQ(Ids({}).front(), 2901U);
}

}  // namespace
}  // namespace fogline
