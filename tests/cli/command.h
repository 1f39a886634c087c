// A command of the built binary, run to its end as a user would.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace fogline {

using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

inline const fs::path kSource = FOGLINE_SOURCE_DIR;

struct Outcome {
  int status;
  std::string out, log;
};

/// Runs `fogline WORDS…` in `directory`'s company: stderr goes through a file there.
inline Outcome RunCommand(std::vector<std::string> words, const std::filesystem::path& directory,
                          const std::filesystem::path& program = FOGLINE_BINARY) {
  words.insert(words.begin(), program.string());
  const std::filesystem::path log = directory / "stderr";
  std::filesystem::remove(log);
  auto process = Process::Start({.command = words, .capture_stdout = true, .stderr_to = log});
  EXPECT_TRUE(process) << process.error().ToString();
  std::string out = process->ReadStdout().value_or("");
  const int status = process->Wait();
  return {status, std::move(out), ReadTextFile(log).value_or("")};
}

/// Nothing on stdout, and one line on stderr that names `what`. Status 1: it failed, 2: bad usage.
inline void ExpectOneLine(const Outcome& outcome, const std::string& what, int status = 1) {
  EXPECT_EQ(outcome.status, status);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.log, ::testing::AllOf(::testing::StartsWith("fogline: "),
                                            ::testing::EndsWith("\n"), ::testing::HasSubstr(what)));
  EXPECT_EQ(std::ranges::count(outcome.log, '\n'), 1) << outcome.log;
}

}  // namespace fogline
