#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/stats.h"
#include "base/tensor.h"
#include "base/text.h"

namespace fogline {
namespace {

TEST(Clock, ATimeLongerThanItsFieldIsNoShortOne) {
  EXPECT_EQ(Micros(std::chrono::microseconds(7)), 7U);
  EXPECT_EQ(Micros(std::chrono::minutes(72)), UINT32_MAX);
  EXPECT_EQ(Micros(Nanos(-1)), 0U);
}

TEST(Progress, WhereNobodyWatchesItIsALineOfTheLogNowAndThen) {
  ::testing::internal::CaptureStderr();  // a file: no terminal
  {
    Progress often("counting", 40, std::chrono::milliseconds(0));
    often.Advance(10, "sheep");
    Progress seldom("waiting", 40, std::chrono::hours(1));
    seldom.Advance(40);
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("counting 10/40"), std::string::npos) << said;
  EXPECT_NE(said.find("sheep"), std::string::npos) << said;
  EXPECT_EQ(said.find("waiting"), std::string::npos) << said;
  EXPECT_EQ(said.find('\r'), std::string::npos) << said;
}

TEST(Shape, ReadsWhatItPrints) {
  for (const char* text : {"1", "1x3x160x160", "?x3x224x224", "1x2x3x4x5x6x7x8"}) {
    const auto shape = ParseShape(text);
    ASSERT_TRUE(shape) << text;
    EXPECT_EQ(shape->ToString(), text);
  }
  for (const char* text :
       {"", "x", "0x3", "-1x3", "3x", "1x2x3x4x5x6x7x8x9", "99999999999999999999", "3 x4"}) {
    EXPECT_FALSE(ParseShape(text)) << text;
  }
}

TEST(Shape, ElementsOverflowIsNoNumber) {
  EXPECT_EQ(Shape({1, 3, 160, 160}).Elements(), 76800);
  EXPECT_EQ(Shape().Elements(), 1);
  EXPECT_EQ(Shape({-1, 3}).Elements(), std::nullopt);
  EXPECT_EQ(Shape({int64_t{1} << 62, 4}).Elements(), std::nullopt);
  EXPECT_EQ((Port{"x", DType::kF64, Shape({int64_t{1} << 61})}).Bytes(), std::nullopt);
}

TEST(Text, NearestNames) {
  const std::vector<std::string> names{"raspberry-pi-3b-plus", "raspberry-pi-4", "jetson-nano",
                                       "t2.micro"};
  EXPECT_EQ(DidYouMean("jetson-nanno", names), " (did you mean 'jetson-nano'?)");
  EXPECT_EQ(DidYouMean("T2.Mircoe", names), " (did you mean 't2.micro'?)");
  EXPECT_EQ(DidYouMean("zzzzzz", names), "");
  EXPECT_EQ(EditDistance("abcd", "abdc"), 1U);
}

TEST(Text, ForeignBytesCannotSteerATerminal) {
  EXPECT_EQ(Printable("a\x1b[31m\n\xff"), "a\\x1b[31m\\x0a\\xff");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");  // U+009B, a one-character escape
  EXPECT_EQ(Printable("é√"), "é√");
  EXPECT_EQ(JsonQuote("a\"\\\n\xff"), "\"a\\\"\\\\\\u000a\uFFFD\"");
}

TEST(JsonWriter, WritesWhatAParserReads) {
  std::string out = "data: ";
  JsonWriter json(out);
  json.Object([&] {
    json.Put("text", "a\"b\x01\xff");
    json.Put("whole", int64_t{-9'007'199'254'740'993});
    json.Put("float", 0.1F);
    json.Put("short", Rounded{2.0 / 3, 4});
    json.Put("none", std::nan(""));
    json.Put("yes", true);
    json.Object("empty", [] {});
    json.Array("rows", [&] {
      json.Object([&] { json.Put("n", 1U); });
      json.Array([&] {
        json.Put("x");
        json.Put(nullptr);
      });
      json.PutJson("[7]");
    });
    json.List("list", std::vector<int>{1, 2}, [&](int n) { json.Put(n); });
    json.PutJson("more", "{\"a\":1}");
    json.Members([](std::string&) {});
    json.Members([](std::string& text) { text += "\"m\":1,\"n\":2"; });
  });
  EXPECT_EQ(out,
            "data: {\"text\":\"a\\\"b\\u0001\uFFFD\",\"whole\":-9007199254740993,\"float\":0.1,"
            "\"short\":0.6667,\"none\":null,\"yes\":true,\"empty\":{},\"rows\":[{\"n\":1},"
            "[\"x\",null],[7]],\"list\":[1,2],\"more\":{\"a\":1},\"m\":1,\"n\":2}");
  std::string members = "{\"a\":1";
  JsonWriter::Within(members, false).Put("b", "c");
  EXPECT_EQ(members, "{\"a\":1,\"b\":\"c\"");
}

TEST(Text, HumanFigures) {
  EXPECT_EQ(HumanBytes(987), "987 B");
  EXPECT_EQ(HumanBytes(12345), "12.3 kB");
  EXPECT_EQ(HumanBytes(999600), "1.00 MB");
  EXPECT_EQ(HumanCount(300.8e6), "301 M");
}

TEST(Stats, QuantilesInterpolate) {
  const std::vector<double> samples{4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(Quantile(samples, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Quantile(samples, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(samples, 1), 4);
  EXPECT_DOUBLE_EQ(Quantile({}, 0.5), 0);
}

TEST(Hash, KnownAnswers) {
  const auto bytes = [](std::string_view s) {
    return std::as_bytes(std::span(s.data(), s.size()));
  };
  EXPECT_EQ(ToHex(HashSha256(bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Crc32(bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(ParseSha256(ToHex(HashSha256({}))).value(), HashSha256({}));
  EXPECT_FALSE(ParseSha256("12"));
}

TEST(Bytes, ReaderNeverPassesTheEnd) {
  std::vector<std::byte> data;
  ByteWriter writer(data);
  writer.Write<uint32_t>(7);
  writer.Append("ab");
  ByteReader reader(data);
  EXPECT_EQ(reader.Read<uint32_t>(), 7U);
  EXPECT_EQ(reader.TakeText(2), "ab");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.Read<uint8_t>(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_TRUE(reader.Take(SIZE_MAX).empty());
}

TEST(File, WritesWholeOrNotAtAll) {
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.path() / "a", "hello"));
  EXPECT_EQ(ReadTextFile(dir.path() / "a").value(), "hello");
  EXPECT_EQ(MappedFile::Open(dir.path() / "a")->bytes().size(), 5U);
  const auto missing = ReadFile(dir.path() / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(WriteFile(dir.path() / "no" / "such" / "folder", "x"));
  EXPECT_FALSE(ReadFile(dir.path()));
}

TEST(File, RefusesWhatIsNoFileAndSaysSo) {
  const TempDir dir;
  const auto pipe = dir.path() / "pipe", link = dir.path() / "link";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(symlink("/dev/zero", link.c_str()), 0);
  EXPECT_EQ(ReadFile(pipe).error().ToString(), pipe.string() + ": is a pipe, not a file");
  EXPECT_EQ(CheckRegularFile(pipe).error().ToString(), pipe.string() + ": is a pipe, not a file");
  EXPECT_EQ(ReadFile(link).error().ToString(), link.string() + ": is a device, not a file");
  EXPECT_EQ(MappedFile::Open(link).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(CheckRegularFile(dir.path()).error().message, "is a folder");
}

// It costs who made it nothing, and who reads it all the memory or time there is.
TEST(File, RefusesASparseGiantByName) {
  const TempDir dir;
  const auto giant = dir.path() / "giant";
  ASSERT_TRUE(WriteFile(giant, std::string(100'000, 'x')));
  const auto refusal = [&]() -> std::string {
    const Status all[] = {ReadFile(giant).map([](const auto&) {}),
                          MappedFile::Open(giant).map([](const auto&) {}),
                          HashFile(giant).map([](const auto&) {}), CheckOwnFile(giant)};
    for (const Status& one : all) EXPECT_EQ(one.has_value(), all[0].has_value());
    return all[0] ? "" : all[0].error().ToString();
  };
  EXPECT_EQ(refusal(), "");
  ASSERT_EQ(truncate(giant.c_str(), off_t{1} << 40), 0);
  const std::string said = refusal();
  if (said.empty()) GTEST_SKIP() << "this file system does not tell where its holes are";
  EXPECT_TRUE(said.starts_with(giant.string() + ": claims 1.10 TB and holds ")) << said;
  // A few holes are nothing: 8 MiB of 65.
  ASSERT_EQ(truncate(giant.c_str(), off_t{65} << 20), 0);
  EXPECT_NE(refusal(), "");
  const int file = open(giant.c_str(), O_WRONLY);
  const std::string piece(size_t{8} << 20, 'x');
  EXPECT_EQ(pwrite(file, piece.data(), piece.size(), off_t{50} << 20),
            static_cast<ssize_t>(piece.size()));
  close(file);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(ReadFile(giant)->size(), size_t{65} << 20);
}

TEST(File, OfAFolderAreReadFromNowhereElse) {
  const TempDir dir, elsewhere;
  const auto folder = dir.path() / "in", link = dir.path() / "to";
  ASSERT_TRUE(MakeFolders(folder / "below"));
  ASSERT_EQ(symlink(folder.c_str(), link.c_str()), 0);  // the folder itself may be a link
  const auto secret = elsewhere.path() / "secret";
  ASSERT_TRUE(WriteFile(secret, "x"));
  ASSERT_TRUE(WriteFile(folder / "below" / "own", "y"));
  ASSERT_EQ(symlink("below/own", (folder / "near").c_str()), 0);
  ASSERT_EQ(symlink(secret.c_str(), (folder / "far").c_str()), 0);
  ASSERT_EQ(symlink(elsewhere.path().c_str(), (folder / "away").c_str()), 0);
  for (const auto& from : {folder, folder / "", link}) {
    for (const char* name : {"below/own", "near"}) {
      EXPECT_TRUE(ReadFileIn(from, from / name)) << from / name;
      EXPECT_TRUE(CheckLeadsInto(from, from / name, name));
    }
    for (const char* name : {"far", "away/secret", "../in/far"}) {
      const auto read = ReadFileIn(from, from / name);
      ASSERT_FALSE(read) << from / name;
      EXPECT_EQ(read.error().ToString(), (from / name).string() + ": leads out of " +
                                             from.string() + ": put the file itself there");
      EXPECT_FALSE(CheckLeadsInto(from, from / name, name));
    }
  }
  EXPECT_EQ(ReadFileIn(folder, folder / "none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(CheckOwnFile(folder / "near").error().message, "is a link, not a file");
}

// Daemons set it, so that what they write is their user's alone.
TEST(File, IsWrittenWithTheRightsThatTheUmaskLeaves) {
  const TempDir dir;
  const mode_t before = umask(0077);
  EXPECT_TRUE(WriteFile(dir.path() / "own", "x"));
  umask(0022);
  EXPECT_TRUE(WriteFile(dir.path() / "open", "x"));
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat((dir.path() / "own").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat((dir.path() / "open").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0644U);
}

TEST(File, ReadsWhatTheKernelSaysHasNoSize) {
  const auto text = ReadTextFile("/proc/self/stat");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->substr(0, text->find(' ')), std::to_string(getpid()));
  const TempDir dir;
  ASSERT_TRUE(WriteFile(dir.path() / "empty", std::string_view()));
  EXPECT_EQ(*ReadTextFile(dir.path() / "empty"), "");
}

TEST(Text, FiguresHaveThreeDigitsAndNoExponents) {
  for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{{0, "0"},
                                                                               {8, "8"},
                                                                               {0.03308, "0.0331"},
                                                                               {33.0854, "33.1"},
                                                                               {99.949, "99.9"},
                                                                               {99.95, "100"},
                                                                               {331.4, "331"},
                                                                               {2264, "2,264"},
                                                                               {-2264, "-2,264"},
                                                                               {-999.6, "-1,000"},
                                                                               {1e6, "1,000,000"},
                                                                               {NAN, "?"}}) {
    EXPECT_EQ(Figure(value), text);
  }
}

TEST(Process, BothOutputsAreReadApart) {
  auto child = Process::Start({.command = {"sh", "-c", "echo out; echo err >&2"},
                               .capture_stdout = true,
                               .stderr_to = {},
                               .capture_stderr = true});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->ReadStdout().value(), "out\n");
  std::string err(16, ' ');
  err.resize(static_cast<size_t>(read(child->stderr_fd(), err.data(), err.size())));
  EXPECT_EQ(err, "err\n");
  EXPECT_EQ(child->Wait(), 0);
}

TEST(Process, OutputStatusAndMissingProgram) {
  auto echo = Process::Start({.command = {"echo", "hi"}, .capture_stdout = true, .stderr_to = {}});
  ASSERT_TRUE(echo);
  EXPECT_EQ(echo->ReadStdout().value(), "hi\n");
  EXPECT_EQ(echo->Wait(), 0);
  auto sleeper =
      Process::Start({.command = {"sleep", "60"}, .capture_stdout = false, .stderr_to = {}});
  ASSERT_TRUE(sleeper);
  EXPECT_TRUE(sleeper->Running());
  EXPECT_EQ(sleeper->Stop(), 128 + SIGTERM);
  EXPECT_FALSE(Process::Start(
      {.command = {"no-such-program-here"}, .capture_stdout = false, .stderr_to = {}}));
}

}  // namespace
}  // namespace fogline
