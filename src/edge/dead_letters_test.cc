// What was refused for ever stays as it was, with the reason beside it, within a bound.
#include "edge/dead_letters.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "frame/frame.h"

namespace fogline {
namespace {

std::vector<std::byte> FrameBytes(uint64_t sequence, size_t payload) {
  Frame frame;
  frame.device = "cam";
  frame.run = 0xAB;
  frame.sequence = sequence;
  frame.model = 0x0807060504030201;
  const std::vector<std::byte> data(payload, std::byte{7});
  frame.payloads.push_back({Role::kThumbnail, 4, 90, DType::kU8, Shape{1, 1, 3}, data});
  std::vector<std::byte> bytes;
  EXPECT_TRUE(WriteFrame(frame, bytes));
  return bytes;
}

class DeadLettersTest : public ::testing::Test {
 protected:
  std::unique_ptr<DeadLetters> Open(uint64_t limit = 1 << 20) {
    auto letters = DeadLetters::Open(folder_, limit);
    EXPECT_TRUE(letters) << letters.error().ToString();
    return *std::move(letters);
  }
  Status Bury(DeadLetters& letters, uint64_t sequence, size_t payload = 100) {
    return letters.Bury({"cam", 0xAB, sequence, "cloud", "frame: \"holds\" nonsense"},
                        FrameBytes(sequence, payload));
  }
  std::filesystem::path File(const char* name) const { return folder_ / name; }

  TempDir dir_;
  const std::filesystem::path folder_ = dir_.path() / "dead";
};

TEST_F(DeadLettersTest, KeepsTheBytesAndTheReasonBesideThem) {
  auto letters = Open();
  EXPECT_FALSE(std::filesystem::exists(folder_)) << "no letter, no folder";
  ASSERT_TRUE(Bury(*letters, 5));
  EXPECT_EQ(ReadFile(File("0000000000000001.frame")).value(), FrameBytes(5, 100));
  const auto reason =
      nlohmann::json::parse(ReadTextFile(File("0000000000000001.json")).value(), nullptr, false);
  EXPECT_EQ(reason["device"], "cam");
  EXPECT_EQ(reason["run"], "00000000000000ab");
  EXPECT_EQ(reason["sequence"], 5);
  EXPECT_EQ(reason["refused_by"], "cloud");
  EXPECT_EQ(reason["reason"], "frame: \"holds\" nonsense");
  EXPECT_EQ(reason["model"], "0102030405060708") << "as the file's SHA-256 begins";
}

TEST_F(DeadLettersTest, TheOldestGoFirstAndAreCountedAcrossRuns) {
  const uint64_t limit = 20'000;
  for (uint64_t i = 0; i < 10; ++i) {
    auto letters = Open(limit);
    ASSERT_TRUE(Bury(*letters, i, 4000));
    EXPECT_LE(letters->counts().bytes, limit);
    EXPECT_EQ(letters->counts().buried, 1U);
    EXPECT_EQ(letters->counts().dropped, i < 4 ? 0U : 1U) << i;
  }
  auto letters = Open(limit);
  EXPECT_EQ(letters->counts().letters, 4U);
  EXPECT_FALSE(std::filesystem::exists(File("0000000000000006.frame")));
  EXPECT_EQ(ReadFile(File("000000000000000a.frame")).value(), FrameBytes(9, 4000));
}

TEST_F(DeadLettersTest, OneBeyondTheLimitIsCountedAndDoesNotGrowTheFolder) {
  auto letters = Open(5000);
  ASSERT_TRUE(Bury(*letters, 0, 6000));
  EXPECT_EQ(letters->counts().dropped, 1U);
  EXPECT_EQ(letters->counts().letters, 0U);
}

TEST_F(DeadLettersTest, AFullDiskIsAnErrorThatLeavesNothingBehind) {
  auto letters = Open();
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1000, before.rlim_max};
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Status buried = Bury(*letters, 0, 4000);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  ASSERT_FALSE(buried);
  EXPECT_EQ(buried.error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_TRUE(Bury(*letters, 0, 4000));
}

}  // namespace
}  // namespace fogline
