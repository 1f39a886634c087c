// What the spool promises, held against a plain model of it: whatever was appended and is not done
// is there after any death of the process, torn ends and damaged bytes cost only the frames that
// they touch, and a full disk is never passed over in silence.
#include "edge/spool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "frame/frame.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using Name = std::pair<uint64_t, uint64_t>;

std::vector<std::byte> BytesFor(uint64_t sequence, size_t size) {
  std::vector<std::byte> bytes(size);
  std::mt19937 random(static_cast<unsigned>(sequence));
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

SpoolFrame Header(uint64_t run, uint64_t sequence) {
  SpoolFrame frame;
  frame.run = run;
  frame.sequence = sequence;
  frame.started = Nanos(77);
  frame.stages = {1, 2, 3, 4, 5};
  return frame;
}

/// A disk that fails when it is told to.
class FailingDisk final : public SpoolDisk {
 public:
  int Open(const std::filesystem::path& path, int flags) override {
    return Fails(opens) ? -1 : SpoolDisk::Open(path, flags);
  }
  ssize_t ReadAt(int fd, std::span<std::byte> out, off_t offset) override {
    return Fails(reads) ? -1 : SpoolDisk::ReadAt(fd, out, offset);
  }
  ssize_t WriteAt(int fd, std::span<const std::byte> data, off_t offset) override {
    return Fails(writes) ? -1 : SpoolDisk::WriteAt(fd, data, offset);
  }
  uint64_t Free(const std::filesystem::path& folder) override {
    return free > 0 ? free : SpoolDisk::Free(folder);
  }

  int opens = 0, reads = 0, writes = 0;  // an errno; 0: as a disk should
  uint64_t free = 0;

 private:
  static bool Fails(int error) {
    errno = error;
    return error != 0;
  }
};

/// A file of hexadecimal bytes, a remark behind each '#', as bytes.
std::string ReadHex(const std::filesystem::path& path) {
  std::istringstream lines(ReadTextFile(path).value());
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream digits(line.substr(0, line.find('#')));
    for (std::string pair; digits >> pair;) {
      bytes.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
    }
  }
  return bytes;
}

class SpoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<Spool> Open() {
    auto spool = Spool::Open(options_, "bike-7");
    EXPECT_TRUE(spool) << spool.error().ToString();
    return spool ? *std::move(spool) : nullptr;
  }
  /// The files of the spool, as a process that dies now leaves them.
  std::vector<std::filesystem::path> Files(const std::filesystem::path& folder) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".spool") files.insert(entry.path());
    }
    return {files.begin(), files.end()};
  }
  void Append(Spool& spool, uint64_t sequence, size_t size, bool under_way = false) {
    ASSERT_TRUE(
        spool.Append(Header(1, sequence), BytesFor(sequence, size), under_way, places_[sequence]));
  }
  /// Everything that waits, by sequence.
  std::vector<uint64_t> TakeAll(Spool& spool) {
    std::vector<uint64_t> sequences;
    SpoolFrame frame;
    while (spool.Take(frame)) {
      sequences.push_back(frame.sequence);
      places_[frame.sequence] = frame.place;
    }
    return sequences;
  }

  /// The same of a disk that needs its time: until there are so many.
  std::vector<uint64_t> TakeInTheEnd(Spool& spool, size_t count) {
    std::vector<uint64_t> sequences;
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (sequences.size() < count && std::chrono::steady_clock::now() < deadline) {
      for (const uint64_t sequence : TakeAll(spool)) sequences.push_back(sequence);
    }
    return sequences;
  }

  TempDir dir_;
  FailingDisk disk_;
  // Syncs are slow and prove nothing here: what was written is there for every process.
  SpoolOptions options_{.folder = dir_.path() / "spool", .limit_bytes = 4 << 20, .sync_after = 1h};
  std::map<uint64_t, SpoolPlace> places_;
};

/// A device that was updated while no cloud answered sends what its older program had made.
TEST_F(SpoolTest, WhatAnOlderProgramLeftIsReadOn) {
  const std::filesystem::path old =
      std::filesystem::path(FOGLINE_SOURCE_DIR) / "tests/old/spool_v2.hex";
  std::filesystem::create_directory(options_.folder);
  ASSERT_TRUE(WriteFile(options_.folder / "device", "bike-9"));
  ASSERT_TRUE(WriteFile(options_.folder / "0000000000000001.spool", ReadHex(old)));
  auto opened = Spool::Open(options_, "bike-9");
  ASSERT_TRUE(opened) << opened.error().ToString();
  EXPECT_EQ((*opened)->counts().recovered, 3U);
  const std::vector<std::string> labels{"clean", "litter", "litter"};
  SpoolFrame taken;
  Frame frame;
  for (size_t i = 0; i < labels.size(); ++i) {
    ASSERT_TRUE((*opened)->Take(taken)) << i;
    EXPECT_EQ(taken.sequence, i);
    RestampWindow(7, taken.bytes);
    const Status parsed = ParseFrame(taken.bytes, frame);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    EXPECT_EQ(frame.device, "bike-9");
    EXPECT_EQ(frame.run, taken.run);
    EXPECT_EQ(frame.stages.window, 7U);
    EXPECT_TRUE(frame.has_position);
    ASSERT_EQ(frame.payloads.size(), 1U);
    const auto result = ParseResult(frame.payloads[0].bytes);
    ASSERT_TRUE(result) << result.error().ToString();
    EXPECT_EQ(result->text, labels[i]);
    EXPECT_EQ(result->positive, labels[i] == "litter");
    EXPECT_FALSE(result->findings);
    (*opened)->Done(taken.place);
  }
  EXPECT_FALSE((*opened)->Take(taken));
}

TEST_F(SpoolTest, GivesBackWhatWasNotDoneInOrderAndWhole) {
  auto spool = Open();
  for (uint64_t i = 0; i < 3; ++i) Append(*spool, i, 1000 + i, /*under_way=*/true);
  for (uint64_t i = 3; i < 6; ++i) Append(*spool, i, 1000 + i);
  spool->Done(places_[1]);
  spool = nullptr;
  spool = Open();
  EXPECT_EQ(spool->counts().recovered, 5U);
  SpoolFrame frame;
  for (uint64_t expected : {0, 2, 3, 4, 5}) {
    ASSERT_TRUE(spool->Take(frame));
    EXPECT_EQ(frame.run, 1U);
    EXPECT_EQ(frame.sequence, expected);
    EXPECT_EQ(frame.started, Nanos(77));
    EXPECT_EQ(frame.stages.window, 5U);
    EXPECT_EQ(frame.bytes, BytesFor(expected, 1000 + expected));
    spool->Done(frame.place);
  }
  EXPECT_FALSE(spool->Take(frame));
  spool = nullptr;
  EXPECT_TRUE(Files(options_.folder).empty()) << "nothing to keep, nothing kept";
}

TEST_F(SpoolTest, OneProcessAndOneDeviceAFolder) {
  auto spool = Open();
  const auto second = Spool::Open(options_, "bike-7");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  spool = nullptr;
  const auto other = Spool::Open(options_, "bike-8");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().ToString().find("bike-7"), std::string::npos);
}

// A spool's folder is the device's own; what else lies in it is neither read nor written nor
// removed.
TEST_F(SpoolTest, WhatNoSpoolWroteIsLeftAlone) {
  namespace fs = std::filesystem;
  auto spool = Open();
  for (uint64_t i = 0; i < 3; ++i) Append(*spool, i, 1000);
  const auto written = Files(options_.folder);
  spool = nullptr;
  const fs::path other = dir_.path() / "other", link = options_.folder / "00000000000000aa.spool",
                 giant = options_.folder / "00000000000000ab.spool",
                 pipe = options_.folder / "00000000000000ac.spool";
  fs::copy(written.front(), other);  // frames of somebody else
  fs::create_symlink(other, link);
  ASSERT_TRUE(WriteFile(giant, "x"));
  ASSERT_EQ(truncate(giant.c_str(), off_t{5} << 30), 0);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto before = ReadFile(other).value();
  spool = Open();
  EXPECT_EQ(TakeAll(*spool), (std::vector<uint64_t>{0, 1, 2}));
  for (uint64_t i = 0; i < 3; ++i) spool->Done(places_[i]);
  for (uint64_t i = 3; i < 200; ++i) Append(*spool, i, 1000);  // several files
  for (const uint64_t sequence : TakeAll(*spool)) spool->Done(places_[sequence]);
  spool = nullptr;
  EXPECT_EQ(Files(options_.folder), (std::vector<fs::path>{link, giant, pipe}));
  EXPECT_EQ(ReadFile(other).value(), before);

  fs::remove(options_.folder / "device");
  fs::create_symlink(dir_.path() / "nobody", options_.folder / "device");
  EXPECT_EQ(Spool::Open(options_, "bike-7").error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(fs::exists(dir_.path() / "nobody"));
}

TEST_F(SpoolTest, AnEndTornAnywhereCostsOnlyTheFrameItTears) {
  std::vector<size_t> ends;
  {
    auto spool = Open();
    for (uint64_t i = 0; i < 3; ++i) {
      Append(*spool, i, 40);
      ends.push_back(places_[i].offset + kSpoolFrameBytes + 40);
    }
  }
  const auto file = Files(options_.folder).at(0);
  const auto whole = *ReadFile(file);
  for (size_t length = 0; length <= ends.back(); ++length) {
    for (const auto& old : Files(options_.folder)) std::filesystem::remove(old);
    ASSERT_TRUE(WriteFile(file, std::span(whole).first(length)));
    auto spool = Open();
    const auto expected =
        static_cast<size_t>(std::ranges::count_if(ends, [&](size_t e) { return e <= length; }));
    ASSERT_EQ(TakeAll(*spool).size(), expected) << length;
    // The line goes on behind it.
    Append(*spool, 9, 40);
    ASSERT_EQ(TakeAll(*spool), std::vector<uint64_t>{9});
  }
}

TEST_F(SpoolTest, ADamagedByteCostsOnlyTheFrameItIsIn) {
  {
    auto spool = Open();
    for (uint64_t i = 0; i < 3; ++i) Append(*spool, i, 40);
  }
  const auto file = Files(options_.folder).at(0);
  const auto whole = *ReadFile(file);
  const size_t item = kSpoolFrameBytes + 40;
  for (size_t at = 0; at < 3 * item; ++at) {
    auto damaged = whole;
    damaged[at] ^= std::byte{0x40};
    ASSERT_TRUE(WriteFile(file, damaged));
    auto spool = Open();
    std::vector<uint64_t> expected{0, 1, 2};
    expected.erase(expected.begin() + static_cast<ptrdiff_t>(at / item));
    ASSERT_EQ(TakeAll(*spool), expected) << at;
    EXPECT_GT(spool->counts().damaged_bytes, 0U);
  }
}

TEST_F(SpoolTest, NoiseIsNoFrame) {
  std::filesystem::create_directory(options_.folder);
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::byte> noise(random() % 5000);
    for (std::byte& b : noise) b = static_cast<std::byte>("FSM1"[random() % 4]);
    ASSERT_TRUE(WriteFile(options_.folder / "0000000000000001.spool", noise));
    auto spool = Open();
    EXPECT_TRUE(TakeAll(*spool).empty());
  }
}

/// Random use, and deaths at random moments: a copy of the folder is what a killed process leaves.
TEST_F(SpoolTest, NothingThatIsNotDoneIsLostWhateverHappens) {
  std::mt19937 random(11);
  std::set<uint64_t> live, done;
  std::map<uint64_t, SpoolPlace> taken;
  uint64_t next = 0;
  auto spool = Open();
  const auto take = [&] {
    SpoolFrame frame;
    if (!spool->Take(frame)) return;
    // A frame may come again after a death although it is done: the store knows it.
    ASSERT_TRUE(live.contains(frame.sequence) || done.contains(frame.sequence));
    ASSERT_EQ(frame.bytes, BytesFor(frame.sequence, frame.bytes.size()));
    taken[frame.sequence] = frame.place;
  };
  for (int step = 0; step < 3000; ++step) {
    const unsigned action = step % 300 == 299 ? 100 : random() % 100;
    if (action < 45) {
      const bool direct = spool->counts().waiting == 0 && random() % 2 == 0;
      SpoolPlace place;
      if (spool->Append(Header(1, next), BytesFor(next, random() % 9000), direct, place)) {
        live.insert(next);
        if (direct) taken[next] = place;
        ++next;
      }
    } else if (action < 70) {
      take();
    } else if (action < 100 && !taken.empty()) {
      auto it = taken.begin();
      if (random() % 3 == 0) std::advance(it, random() % taken.size());
      spool->Done(it->second);
      live.erase(it->first);
      done.insert(it->first);
      taken.erase(it);
    } else if (action == 100) {
      const auto copy = dir_.path() / "copy";
      std::filesystem::copy(options_.folder, copy);
      spool = nullptr;
      std::filesystem::remove_all(options_.folder);
      std::filesystem::rename(copy, options_.folder);
      spool = Open();
      ASSERT_NE(spool, nullptr);
      taken.clear();
    }
    ASSERT_LE(spool->counts().bytes, options_.limit_bytes + (64 << 10));
  }
  spool = nullptr;
  spool = Open();
  for (const uint64_t sequence : TakeAll(*spool)) live.erase(sequence);
  EXPECT_TRUE(live.empty()) << live.size() << " lost";
}

TEST_F(SpoolTest, WhenFullTheOldestMakeRoomAndAreCounted) {
  options_.limit_bytes = SpoolOptions::kLeastBytes;
  options_.when_full = WhenFull::kOldest;
  auto spool = Open();
  Append(*spool, 0, 5000, /*under_way=*/true);
  for (uint64_t i = 1; i < 1000; ++i) Append(*spool, i, 5000);
  const SpoolCounts counts = spool->counts();
  EXPECT_LE(counts.bytes, options_.limit_bytes);
  EXPECT_GT(counts.dropped, 700U);
  const auto left = TakeAll(*spool);
  EXPECT_EQ(left.size() + counts.dropped, 999U);
  EXPECT_TRUE(std::ranges::is_sorted(left));
  EXPECT_EQ(left.back(), 999U);
}

TEST_F(SpoolTest, WhenFullNewFramesAreRefusedAndDoneOnesMakeRoom) {
  options_.limit_bytes = SpoolOptions::kLeastBytes;
  auto spool = Open();
  uint64_t count = 0;
  SpoolPlace place;
  while (spool->Append(Header(1, count), BytesFor(count, 5000), false, place)) ++count;
  EXPECT_GT(count, 150U);
  EXPECT_LE(spool->counts().bytes, options_.limit_bytes);
  const auto full = spool->Append(Header(1, count), BytesFor(count, 5000), false, place);
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted);
  const auto all = TakeAll(*spool);
  EXPECT_EQ(all.size(), count);
  for (const uint64_t sequence : all) spool->Done(places_[sequence]);
  EXPECT_TRUE(spool->Append(Header(1, count), BytesFor(count, 5000), true, place));
}

TEST_F(SpoolTest, ADiskThatTakesNoMoreIsAnErrorAndLosesNothing) {
  // A limit on the size of files stands for a full disk: writes fail halfway.
  auto spool = Open();
  Append(*spool, 0, 3000);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{8000, before.rlim_max};
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  SpoolPlace place;
  const Status first = spool->Append(Header(1, 1), BytesFor(1, 3000), false, place);
  const Status second = spool->Append(Header(1, 2), BytesFor(2, 3000), false, place);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  EXPECT_TRUE(first) << first.error().ToString();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kExhausted);
  Append(*spool, 3, 3000);
  EXPECT_EQ(TakeAll(*spool), (std::vector<uint64_t>{0, 1, 3}));
}

/// EMFILE, EIO, ENOMEM: nobody knows what the file holds, so that it stays and is tried again.
TEST_F(SpoolTest, WhatCannotBeReadNowIsNeverRemoved) {
  options_.disk = &disk_;
  options_.rest = 1ms;
  auto spool = Open();
  for (uint64_t i = 0; i < 20; ++i) Append(*spool, i, 9000);  // more than one segment
  const auto files = Files(options_.folder);
  ASSERT_GT(files.size(), 1U);
  SpoolFrame frame;
  for (int* const failing : {&disk_.opens, &disk_.reads}) {
    for (const int error : {EMFILE, EIO, ENOMEM}) {
      *failing = error;
      EXPECT_FALSE(spool->Take(frame)) << error;
      *failing = 0;
      EXPECT_EQ(Files(options_.folder), files) << error;
      EXPECT_EQ(spool->counts().waiting, 20U) << error;
      EXPECT_EQ(spool->counts().dropped, 0U) << error;
    }
  }
  std::vector<uint64_t> all(20);
  std::iota(all.begin(), all.end(), 0);
  auto taken = TakeInTheEnd(*spool, 20);
  std::ranges::sort(taken);  // each file rests as long as its own failures say
  EXPECT_EQ(taken, all);
}

TEST_F(SpoolTest, AFileThatCannotBeReadWhenTheSpoolOpensIsReadLater) {
  options_.disk = &disk_;
  options_.rest = 1ms;
  {
    auto spool = Open();
    for (uint64_t i = 0; i < 10; ++i) Append(*spool, i, 9000);
    for (const uint64_t taken : TakeAll(*spool)) {
      if (taken < 3) spool->Done(places_[taken]);
    }
    Append(*spool, 10, 100, /*under_way=*/true);  // takes the marks of the first three along
  }
  for (int* const failing : {&disk_.opens, &disk_.reads}) {
    *failing = EIO;
    auto spool = Open();
    ASSERT_NE(spool, nullptr);
    EXPECT_EQ(spool->counts().recovered, 0U);
    *failing = 0;
    Append(*spool, 11, 100);
    // The marks of the first three lie in a file that is read later: they come again.
    std::vector<uint64_t> all = TakeInTheEnd(*spool, 12);
    std::ranges::sort(all);
    EXPECT_EQ(all, (std::vector<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    spool->Done(places_[11]);
  }
}

TEST_F(SpoolTest, WhatIsSetAsideWaitsForItsCallOrForTheNextRun) {
  auto spool = Open();
  for (uint64_t i = 0; i < 3; ++i) Append(*spool, i, 500);
  ASSERT_EQ(TakeAll(*spool).size(), 3U);
  spool->SetAside(places_[0]);
  spool->SetAside(places_[1]);
  spool->Done(places_[2]);
  EXPECT_EQ(spool->counts().aside, 2U);
  SpoolFrame frame;
  EXPECT_FALSE(spool->Take(frame));
  ASSERT_TRUE(spool->TakeBack(places_[1], frame));
  EXPECT_EQ(frame.sequence, 1U);
  EXPECT_EQ(frame.bytes, BytesFor(1, 500));
  spool->Done(places_[1]);
  spool = nullptr;
  spool = Open();
  EXPECT_EQ(TakeAll(*spool), std::vector<uint64_t>{0});
}

TEST_F(SpoolTest, WhatIsSetAsideIsGivenUpFirstWhenTheOldestGo) {
  options_.limit_bytes = SpoolOptions::kLeastBytes;
  options_.when_full = WhenFull::kOldest;
  auto spool = Open();
  for (uint64_t i = 0; i < 100; ++i) Append(*spool, i, 5000);
  for (const uint64_t sequence : TakeAll(*spool)) spool->SetAside(places_[sequence]);
  for (uint64_t i = 100; i < 250; ++i) Append(*spool, i, 5000);
  const SpoolCounts counts = spool->counts();
  EXPECT_GT(counts.dropped, 0U);
  EXPECT_EQ(counts.dropped + counts.aside + counts.waiting, 250U);
  SpoolFrame frame;
  const Status gone = spool->TakeBack(places_[0], frame);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(TakeAll(*spool).back(), 249U);
}

/// The oldest are asked to make room, and all that there is lies in the file that grows.
TEST_F(SpoolTest, ADiskThatFillsWithinTheFirstFileDropsItsOldestAndKeepsTheNewest) {
  options_.when_full = WhenFull::kOldest;
  for (const bool under_way : {false, true}) {
    std::filesystem::remove_all(options_.folder);
    auto spool = Open();
    Append(*spool, 0, 3000, under_way);
    Append(*spool, 1, 3000);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{8000, before.rlim_max};
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    SpoolPlace place;
    const Status newest = spool->Append(Header(1, 2), BytesFor(2, 3000), false, place);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old);
    EXPECT_TRUE(newest) << newest.error().ToString();
    EXPECT_EQ(spool->Holds(places_[0]), false);  // under way, it goes on from memory
    EXPECT_EQ(spool->counts().dropped, under_way ? 1U : 2U);
    EXPECT_EQ(TakeAll(*spool), std::vector<uint64_t>{2});
  }
}

TEST_F(SpoolTest, ADiskSmallerThanTheLimitHasSmallFilesToDrop) {
  options_.limit_bytes = uint64_t{1} << 30;  // files of 16 MiB
  options_.disk = &disk_;
  disk_.free = 1 << 20;
  auto spool = Open();
  for (uint64_t i = 0; i < 20; ++i) Append(*spool, i, 9000);
  EXPECT_EQ(Files(options_.folder).size(), 3U);
}

TEST_F(SpoolTest, AFrameThatNeverFitsIsNotAFullSpool) {
  options_.limit_bytes = SpoolOptions::kLeastBytes;
  auto spool = Open();
  SpoolPlace place;
  const Status never = spool->Append(Header(1, 0), BytesFor(0, 300'000), false, place);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kUnsupported);
}

TEST_F(SpoolTest, OnlyFramesThatAreNotDoneSoonCostASync) {
  {
    auto spool = Open();
    for (uint64_t i = 0; i < 100; ++i) {
      Append(*spool, i, 1000, /*under_way=*/true);
      spool->Done(places_[i]);
    }
    EXPECT_EQ(spool->counts().syncs, 0U);
  }
  options_.sync_after = 1ms;
  auto spool = Open();
  Append(*spool, 200, 1000);
  for (int i = 0; i < 10000 && spool->counts().syncs == 0; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(spool->counts().syncs, 1U);
}

}  // namespace
}  // namespace fogline
