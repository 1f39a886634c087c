// A network that lives through its trial and ends the process with the first real picture (a
// division of integers by zero where anything is bright). Cloud and edge are started again, as
// systemd does it; from the third start on they know it, and everybody else's frames are stored.
#include <gmock/gmock.h>

#include <cstdlib>

#include "graph/test_model.h"
#include "tests/line/reliability.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using fogline::test::SetInt;
using fogline::test::TestModel;
using ::testing::HasSubstr;

class Fall : public Reliability {
 protected:
  void SetUp() override {
    setenv("XDG_CACHE_HOME", (dir_.path() / "cache").c_str(), 1);
    Reliability::SetUp();
    std::filesystem::create_directory(folder_);
    for (const char* name : {"litter.toml", "litter.onnx"}) {
      std::filesystem::copy_file(kModels / name, folder_ / name);
    }
    TestModel m;
    m.Input("x", {"1", "3", "16", "16"}).Conv("x", "c", 3, 4);
    m.Node("Relu", {"c"}, {"r"});
    m.Node("GlobalMaxPool", {"r"}, {"p"});
    m.Node("Flatten", {"p"}, {"f"});
    m.Node("Sign", {"f"}, {"s"});
    SetInt(m.Node("Cast", {"s"}, {"i"}), "to", onnx::TensorProto::INT64);
    m.Ints("ones", {1, 1, 1, 1}).Node("Sub", {"ones", "i"}, {"z"});
    m.Node("Div", {"ones", "z"}, {"d"});
    SetInt(m.Node("Cast", {"d"}, {"y"}), "to", onnx::TensorProto::FLOAT);
    m.Output("y");
    ASSERT_TRUE(WriteFile(network_, m.Bytes()));
  }
  void TearDown() override {
    Reliability::TearDown();
    unsetenv("XDG_CACHE_HOME");
  }

  Process StartCloudOf(const std::string& log) {
    auto started = Process::Start(
        {.command = {FOGLINE_BINARY, "cloud", "--json", "--broker", broker_->url(), "--models",
                     folder_.string(), "--store", "sqlite:" + (dir_.path() / "test.db").string(),
                     "--workers", "1"},
         .capture_stdout = true,
         .stderr_to = dir_.path() / log});
    EXPECT_TRUE(started) << started.error().ToString();
    return *std::move(started);
  }
  std::string LogOf(const std::string& log) const {
    return ReadTextFile(dir_.path() / log).value_or("");
  }
  static int AtEnd(Process& process) {
    process.ReadStdout();
    return process.Wait();
  }

  const std::filesystem::path folder_ = dir_.path() / "models";
  const std::filesystem::path network_ = folder_ / "falls.onnx";
};

TEST_F(Fall, ACloudThatANetworkEndedTwiceServesEverybodyElse) {
  edge_model_ = network_;
  Process sick = StartEdge({"--device", "sick", "--mechanism", "cloud-only", "--loop", "--rate",
                            "5", "--window", "2", "--spool", SpoolOf("sick").string()});
  for (const auto& [log, what] : {std::pair("first.log",
                                            "optimisation level 'all'; it is run "
                                            "unoptimised from the next start on"),
                                  std::pair("second.log", "level 'none'; it is not run again")}) {
    Process cloud = StartCloudOf(log);
    EXPECT_EQ(AtEnd(cloud), 128 + SIGFPE) << LogOf(log);
    EXPECT_THAT(LogOf(log), HasSubstr("falls.onnx"));
    EXPECT_THAT(LogOf(log), HasSubstr(what));
  }
  Process cloud = StartCloudOf("third.log");
  edge_model_ = kModel;
  const auto report = RunEdge({"--device", "well", "--mechanism", "cloud-only"});
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_EQ(report["stored"], ListImages(kPictures)->size());
  EXPECT_TRUE(Until([&] {
    return LogOf("third.log").find("until the file changes") != std::string::npos;
  })) << LogOf("third.log");
  EXPECT_TRUE(Stored("sick").empty());
  Kill(sick);  // what it has is in its spool
  EXPECT_FALSE(Left("sick").empty());
  cloud.Signal(SIGTERM);
  EXPECT_EQ(AtEnd(cloud), 0);
}

TEST_F(Fall, AnEdgeThatANetworkEndedTwiceSaysSoInOneLine) {
  edge_model_ = network_;
  const std::vector<std::string> flags{"--device", "own", "--mechanism", "edge-only"};
  for (int time = 0; time < 2; ++time) {
    RunEdge(flags);
    EXPECT_EQ(status_, 128 + SIGFPE) << Log();
    EXPECT_THAT(Log(), HasSubstr("falls.onnx")) << Log();
  }
  RunEdge(flags);
  EXPECT_EQ(status_, 1);
  EXPECT_THAT(Log(), HasSubstr("died twice, and is not tried again until the file changes"));
}

}  // namespace
}  // namespace fogline
