// A reader that is slow, away or gone never makes the writer wait, and loses the oldest lines only.
#include "edge/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <thread>

#include "base/file.h"

namespace fogline {
namespace {

std::string LineOf(int number) { return std::to_string(number) + std::string(5000, 'x'); }

/// What a descriptor gives up to its end.
std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 65536> part{};
  for (ssize_t n = 0; (n = read(fd, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<size_t>(n));
  }
  return text;
}

TEST(LineFile, AFileGrowsAtItsEnd) {
  const TempDir dir;
  const auto path = dir.path() / "lines";
  for (const int run : {0, 1}) {
    auto file = LineFile::Open(path.string());
    ASSERT_TRUE(file) << file.error().ToString();
    for (int i = 0; i < 3; ++i) (*file)->Write(std::to_string(10 * run + i));
  }
  EXPECT_EQ(ReadTextFile(path).value(), "0\n1\n2\n10\n11\n12\n");
}

TEST(LineFile, NamesWhatCannotBeWritten) {
  const auto file = LineFile::Open("/nowhere/at/all");
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().ToString().find("/nowhere/at/all"), std::string::npos);
  EXPECT_FALSE(LineFile::Open("/"));
}

TEST(LineFile, APipeWithoutAReaderKeepsTheNewestAndEndsAllTheSame) {
  const TempDir dir;
  const auto path = dir.path() / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  auto opened = LineFile::Open(path.string());
  ASSERT_TRUE(opened) << opened.error().ToString();
  auto file = *std::move(opened);
  constexpr int kLines = 2000;  // 10 MB
  for (int i = 0; i < kLines; ++i) file->Write(LineOf(i));
  EXPECT_GT(file->lost(), kLines / 4U);
  // The reader comes, and reads until nothing is left.
  const Descriptor reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 65536> part{};
  while (text.find(fmt::format("\n{}\n", LineOf(kLines - 1))) == std::string::npos) {
    const ssize_t n = read(reader.get(), part.data(), part.size());
    ASSERT_GT(n, 0);
    text.append(part.data(), static_cast<size_t>(n));
  }
  const auto lines = static_cast<uint64_t>(std::ranges::count(text, '\n'));
  EXPECT_EQ(lines + file->lost(), kLines);
  // Nobody reads what comes now: the end gives up on it.
  for (int i = 0; i < 100; ++i) file->Write(LineOf(i));
  file.reset();
}

TEST(LineFile, WhatAReaderStillTakesAtTheEndIsHandedOn) {
  const TempDir dir;
  const auto path = dir.path() / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  auto file = *LineFile::Open(path.string());
  Descriptor reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::jthread reading([&] { text = ReadAll(reader.get()); });
  for (int i = 0; i < 500; ++i) file->Write(LineOf(i));
  file.reset();
  reading.join();
  EXPECT_EQ(std::ranges::count(text, '\n'), 500);
}

}  // namespace
}  // namespace fogline
