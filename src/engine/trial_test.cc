// Trials with a child that is a few lines of shell: what it says and how it ends is the engine's
// life and death. tests/cli holds networks that kill the real engine.
#include "engine/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "engine/session.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::TestModel;
using ::testing::HasSubstr;

class Trials : public ::testing::Test {
 protected:
  /// `script` sees the level as $1, the source as $2. Each call leaves a line in `calls`.
  void Use(const std::string& script, std::chrono::milliseconds at_most = std::chrono::minutes(1)) {
    const std::string calls = (dir_.path() / "calls").string();
    program_ = "echo \"$1\" >> '" + calls + "'; echo trying; " + script;
    SetTrials({.program = {"/bin/sh", "-c", program_, "sh"},
               .memory = dir_.path() / "memory",
               .at_most = at_most});
  }
  void TearDown() override { SetTrials({}); }

  std::string Calls() const { return ReadTextFile(dir_.path() / "calls").value_or(""); }

  static Result<std::unique_ptr<Session>> Open(bool optimize = true) {
    TestModel model;
    model.Input("x", {"1", "4"}).Output("y").Node("Relu", {"x"}, {"y"});
    return OpenSession(model.Bytes(), "relu.onnx",
                       {.threads = 1, .optimize = optimize, .free_dimensions = {}});
  }

  TempDir dir_;
  std::string program_;
};

TEST_F(Trials, ANetworkIsTriedOnceBeforeItIsOpened) {
  Use("cat > /dev/null; echo survived");
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Open());
  EXPECT_EQ(Calls(), "all\n");
  ASSERT_TRUE(Open(/*optimize=*/false));  // another question
  EXPECT_EQ(Calls(), "all\nnone\n");
}

/// A network whose branch or shape an input's value chooses dies, or not, of that value.
TEST_F(Trials, TheChildIsToldWhatInputsHold) {
  const std::string told = (dir_.path() / "told").string();
  Use("shift 2; echo \"$*\" > '" + told + "'; echo survived");
  TestModel model;
  model.Input("x", {"1", "4"}).Output("y").Node("Relu", {"x"}, {"y"});
  const auto bytes = model.Bytes();
  const auto level = SafeLevel({.path = {},
                                .bytes = bytes,
                                .where = "relu.onnx",
                                .run = true,
                                .inputs = {{"deep", {Shape(), {1}}},
                                           {"size", {Shape{2}, {640.5, 480}}},
                                           {"x", {Shape{1, 4}, {}}}}},
                               Level::kAll);
  ASSERT_TRUE(level) << level.error().ToString();
  EXPECT_EQ(ReadTextFile(told).value(), "run deep=scalar:1 size=2:640.5,480 x=1x4\n");
}

TEST_F(Trials, WhatWasFoundIsRememberedFromProcessToProcess) {
  Use("echo survived");
  ASSERT_TRUE(Open());
  Use("echo survived");  // as a new process does, which reads the file
  ASSERT_TRUE(Open());
  EXPECT_EQ(Calls(), "all\n");
}

TEST_F(Trials, AnOptimiserThatDiesLeavesASaferLevel) {
  Use("case $1 in all|extended) kill -ABRT $$;; esac; echo survived");
  const auto session = Open();
  ASSERT_TRUE(session) << session.error().ToString();
  EXPECT_EQ(Calls(), "all\nextended\nbasic\n");
  const std::vector<float> values{-1, 2, -3, 4};
  const TensorView input{DType::kF32, Shape{1, 4}, std::as_bytes(std::span(values))};
  const auto outputs = (*session)->Run({&input, 1});
  ASSERT_TRUE(outputs);
  EXPECT_THAT((*outputs)[0].as<float>(), ::testing::ElementsAre(0, 2, 0, 4));
}

TEST_F(Trials, ANetworkThatKillsTheEngineTwiceIsNotTriedAThirdTime) {
  Use("echo 'graph.cc:1 Assertion failed'; kill -SEGV $$");
  const auto first = Open();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(first.error().ToString(),
              ::testing::AllOf(HasSubstr("relu.onnx: "), HasSubstr("every level"),
                               HasSubstr("signal 11"), HasSubstr("Assertion failed")));
  const auto second = Open();
  ASSERT_FALSE(second);
  const std::string calls = Calls();
  EXPECT_EQ(std::ranges::count(calls, '\n'), 8);
  for (int again = 0; again < 2; ++again) {
    const auto third = Open();
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(third.error().message, HasSubstr("until the file changes"));
    Use("echo survived");  // the next process knows it as well
  }
  EXPECT_EQ(Calls(), calls);
}

TEST_F(Trials, AChildThatDoesNotEndIsEnded) {
  Use("exec sleep 1000", std::chrono::milliseconds(20));
  const auto opened = Open(/*optimize=*/false);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("does not end"));
}

TEST_F(Trials, WhatDoesNotFitIntoMemoryIsNoDeath) {
  Use("echo exhausted");
  EXPECT_EQ(Open().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(Open().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(Calls(), "all\nall\n");  // memory may be there later
}

TEST_F(Trials, ATrialThatOthersEndIsNoDeath) {
  Use("kill -KILL $$");  // as the kernel does when memory runs out
  EXPECT_EQ(Open().error().code, ErrorCode::kExhausted);
  Use("kill -TERM $$");  // as a service manager does
  for (int time = 0; time < 3; ++time) EXPECT_EQ(Open().error().code, ErrorCode::kCancelled);
  Use("echo survived");
  EXPECT_TRUE(Open());
}

TEST_F(Trials, WhatTheEngineRefusesInItsOwnWordsKeepsThem) {
  Use("echo survived");
  TestModel model;
  model.Input("x", {"1", "4"}).Output("y").Node("NoSuchOperator", {"x"}, {"y"});
  const auto opened = OpenSession(model.Bytes(), "odd.onnx");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("NoSuchOperator"));
}

TEST_F(Trials, WithoutItsProgramNothingIsOpened) {
  SetTrials({.program = {"/no/such/program"}, .memory = {}});
  EXPECT_THAT(Open().error().ToString(), HasSubstr("/no/such/program"));
  SetTrials({.program = {"/bin/false"}, .memory = {}});
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("cannot be tried"));
}

}  // namespace
}  // namespace fogline
