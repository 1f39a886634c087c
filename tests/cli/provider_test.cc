// Networks on an execution provider, and what happens where it is not there, fails, is wrong or
// dies: a stub that is preloaded (stub_provider.cc). The result is the processor's in any case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/npy.h"
#include "graph/test_model.h"
#include "tests/cli/command.h"

// NOLINTBEGIN(concurrency-mt-unsafe): a test has one thread, its programs are others
namespace fogline {
namespace {

using ::testing::AllOf;

class Providers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string(FOGLINE_STUB_PROVIDER).empty()) GTEST_SKIP() << "nothing can be preloaded here";
    test::TestModel m;
    m.Input("x", {"1", "3", "16", "16"}).Conv("x", "c", 3, 4);
    m.Node("Relu", {"c"}, {"y"});
    m.Output("y");
    const auto bytes = m.Bytes();
    ASSERT_TRUE(WriteFile(dir_.path() / "m.onnx", std::span(bytes)));
    Tensor input(DType::kF32, Shape{1, 3, 16, 16});
    for (size_t i = 0; i < input.as<float>().size(); ++i) {
      input.as<float>()[i] = static_cast<float>(i % 7);
    }
    ASSERT_TRUE(WriteNpy(dir_.path() / "x.npy", input.view()));
    setenv("XDG_CACHE_HOME", (dir_.path() / "cache").c_str(), 1);
    setenv("FOGLINE_STUB_TOLD", Told().c_str(), 1);
    setenv("LD_PRELOAD", FOGLINE_STUB_PROVIDER, 1);
  }
  void TearDown() override {
    for (const char* name : {"XDG_CACHE_HOME", "FOGLINE_STUB_TOLD", "LD_PRELOAD", "FOGLINE_STUB"}) {
      unsetenv(name);
    }
  }

  fs::path Told() const { return dir_.path() / "told"; }

  struct Ran {
    std::string provider, output, log;
  };
  Ran Run(const std::string& stub, const std::string& provider) {
    setenv("FOGLINE_STUB", stub.c_str(), 1);
    fs::remove(Told());
    const Outcome outcome = RunCommand(
        {"run", (dir_.path() / "m.onnx").string(), "--input", (dir_.path() / "x.npy").string(),
         "--out", (dir_.path() / "out").string(), "--provider", provider, "--json"},
        dir_.path());
    EXPECT_EQ(outcome.status, 0) << outcome.log;
    const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
    if (!json.is_object()) return {{}, {}, outcome.log};
    const std::string file = json["outputs"][0]["file"].get<std::string>();
    return {json["provider"].get<std::string>(), ReadTextFile(file).value_or(""), outcome.log};
  }

  TempDir dir_;
};

TEST_F(Providers, OneThatComputesAlikeRunsTheNetworkWithItsOptions) {
  const Ran plain = Run("well", "cpu");
  EXPECT_EQ(plain.provider, "cpu");
  const Ran ran = Run("well", "xnnpack:some=thing,other=1");
  EXPECT_EQ(ran.provider, "xnnpack:other=1,some=thing");
  EXPECT_EQ(ran.output, plain.output);
  EXPECT_EQ(ran.log, "");
  EXPECT_THAT(ReadTextFile(Told()).value_or(""),
              HasSubstr("intra_op_num_threads=1\nother=1\nsome=thing\n"));
}

TEST_F(Providers, WhateverIsWrongWithItOneLineSaysSoAndTheProcessorRunsTheNetwork) {
  const Ran plain = Run("well", "cpu");
  ASSERT_FALSE(plain.output.empty());
  struct Case {
    const char *stub, *provider, *says;
  };
  for (const Case& c : {Case{"refuses", "xnnpack", "no such device here"},
                        Case{"fails", "xnnpack", "the device is lost"},
                        Case{"differs", "xnnpack", "differ from the CPU's by up to 0.1 of"},
                        Case{"dies", "xnnpack", "with xnnpack dies of it"},
                        Case{"well", "cuda", "provider cuda is not in this ONNX Runtime"}}) {
    fs::remove_all(dir_.path() / "cache");  // what trials found of the stub's other ways
    const Ran ran = Run(c.stub, c.provider);
    EXPECT_EQ(ran.provider, "cpu") << c.says;
    EXPECT_EQ(ran.output, plain.output) << c.says;
    EXPECT_THAT(ran.log, AllOf(HasSubstr(c.says), HasSubstr("on the CPU")));
    EXPECT_EQ(std::ranges::count(ran.log, '\n'), 1) << ran.log;
  }
}

// A trial runs a network on zeros: it may live through that, and die of the first run that counts.
TEST_F(Providers, OneThatDiesOfARunLaterIsNotTakenFromTheNextStartOn) {
  ASSERT_EQ(Run("well", "xnnpack").provider, "xnnpack");
  setenv("FOGLINE_STUB", "dies", 1);
  const std::vector<std::string> words{
      "run",   (dir_.path() / "m.onnx").string(), "--input",    (dir_.path() / "x.npy").string(),
      "--out", (dir_.path() / "out").string(),    "--provider", "xnnpack"};
  const Outcome first = RunCommand(words, dir_.path());
  EXPECT_GT(first.status, 128);
  EXPECT_THAT(first.log, HasSubstr("the CPU runs it from the next start on"));
  const Ran second = Run("dies", "xnnpack");
  EXPECT_EQ(second.provider, "cpu");
  EXPECT_THAT(second.log, HasSubstr("with xnnpack dies of it, as an earlier process did"));
}

TEST_F(Providers, AProfileSaysWhatRanIt) {
  for (const auto& [stub, is] : {std::pair("well", "xnnpack"), {"fails", "cpu"}}) {
    setenv("FOGLINE_STUB", stub, 1);
    const Outcome outcome = RunCommand(
        {"profile", (dir_.path() / "m.onnx").string(), "--out", (dir_.path() / "p.json").string(),
         "--budget", "0.01", "--provider", "xnnpack", "--json"},
        dir_.path());
    EXPECT_EQ(outcome.status, 0) << outcome.log;
    const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(json.is_object()) << outcome.out;
    EXPECT_EQ(json["provider"], is);
    EXPECT_THAT(json["engine"].get<std::string>(), HasSubstr("ONNX Runtime"));
  }
}

}  // namespace
}  // namespace fogline
// NOLINTEND(concurrency-mt-unsafe)
