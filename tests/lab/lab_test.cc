// A small suite of paced machines, measured for real: broker, cloud and edges as processes, four
// pictures a bar. What is checked is that figures come about and go together, never how fast they
// are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"
#include "lab/kernel_link.h"

namespace fogline {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kSuite = R"(
title = "a test"
count = 4
lanes = 2
[model.litter]
file = "models/litter.onnx"
side = 160
[device.pi]
pace = "raspberry-pi-4"
[cloud.t2]
pace = "t2.micro"
[link.wifi]
link = "up=50Mbps,rtt=10ms"
medium = "MEDIUM"
[[experiment]]
key = "small"
model = "litter"
device = "pi"
cloud = "t2"
link = "wifi"
wires = ["json", "fogline"]
cuts = ["cloud-only", "split13", "edge-only"]
)";

class Lab : public ::testing::Test {
 protected:
  std::string Suite(const std::string& medium) {
    std::string text = kSuite;
    text.replace(text.find("MEDIUM"), 6, medium);
    const auto path = dir_.path() / "small.toml";
    EXPECT_TRUE(WriteFile(path, text));
    return path.string();
  }

  std::vector<std::string> Command(const std::string& suite) const {
    return {
        FOGLINE_BINARY, "lab", suite, "--quick", "--json", "--out", (dir_.path() / "out").string()};
  }

  json Run(std::vector<std::string> command) {
    auto process = Process::Start({.command = std::move(command),
                                   .capture_stdout = true,
                                   .stderr_to = dir_.path() / "stderr"});
    EXPECT_TRUE(process);
    const auto text = process->ReadStdout();
    status_ = process->Wait();
    return json::parse(text.value_or(""), nullptr, false);
  }
  std::string Errors() const { return ReadTextFile(dir_.path() / "stderr").value_or(""); }
  std::string Written(const char* name) const {
    return ReadTextFile(dir_.path() / "out" / name).value_or("");
  }

  TempDir dir_;
  int status_ = 0;
};

TEST_F(Lab, MeasuresEveryBarBesideItsForecastAndDoesNotRepeatIt) {
  const std::string suite = Suite("user");
  const json result = Run(Command(suite));
  ASSERT_EQ(status_, 0) << Errors();
  ASSERT_EQ(result["bars"].size(), 6U);
  EXPECT_EQ(result["measured"], 6);
  for (const json& bar : result["bars"]) {
    EXPECT_EQ(bar["pictures"], 4);
    EXPECT_EQ(bar["stored"], 4);
    EXPECT_EQ(bar["device_evidence"], "paced");
    EXPECT_EQ(bar["medium"], "user space");
    EXPECT_GT(bar["forecast_ms"]["total"], 0);
    // A paced step and a shaped link may be late, never early.
    if (bar["cut"] != "cloud-only") {
      EXPECT_GE(bar["stages_ms"]["prefix"], 0.99 * bar["forecast_ms"]["edge"].get<double>());
    }
    EXPECT_GE(bar["stages_ms"]["network"], 10);
    EXPECT_GE(bar["true_total_ms"], bar["hypothetical_total_ms"]);
    EXPECT_NEAR(bar["bytes_mean"].get<double>(), bar["forecast_bytes"].get<double>() + 150,
                0.1 * bar["forecast_bytes"].get<double>() + 400)
        << bar["cut"] << bar["codec"];
  }
  ASSERT_EQ(result["choices"].size(), 2U);
  for (const json& choice : result["choices"]) EXPECT_GE(choice["regret"], 0);
  EXPECT_THAT(Written("report.html"), HasSubstr("a test"));
  EXPECT_THAT(Written("results.csv"), HasSubstr("small,,litter,pi,paced,t2,paced,wifi"));
  EXPECT_THAT(Written("results.md"), HasSubstr("| small | Raspberry Pi 4"));
  // The trace is one that Perfetto draws: complete events that do not overlap within their row.
  const json trace = json::parse(Written("trace.json"));
  size_t prefixes = 0;
  std::map<std::pair<int, int>, double> row_ends;
  for (const json& event : trace["traceEvents"]) {
    prefixes += event["name"] == "prefix" ? 1 : 0;
    if (event["ph"] != "X") continue;
    double& end = row_ends[{event["pid"], event["tid"]}];
    EXPECT_GE(event["ts"].get<double>(), end) << event;
    end = event["ts"].get<double>() + event["dur"].get<double>();
    EXPECT_GE(end, event["ts"].get<double>());
  }
  EXPECT_EQ(prefixes,
            2U * 2 * 4);  // two wires, two cuts that run layers on the device, four pictures

  const json again = Run(Command(suite));
  ASSERT_EQ(status_, 0) << Errors();
  EXPECT_EQ(again["measured"], 0);
  EXPECT_EQ(again["found"], 6);
  EXPECT_EQ(again["bars"], result["bars"]);
}

TEST_F(Lab, GoesOnWhereItWasInterrupted) {
  const std::string suite = Suite("user");
  auto process = Process::Start(
      {.command = Command(suite), .capture_stdout = true, .stderr_to = dir_.path() / "stderr"});
  ASSERT_TRUE(process);
  const auto runs = dir_.path() / "out" / "runs";
  const auto finished = [&] {
    size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(runs, error)) {
      count += entry.path().extension() == ".json" ? 1 : 0;
    }
    return count;
  };
  while (process->Running() && finished() == 0) WaitForStop(std::chrono::milliseconds(5));
  process->Signal(SIGTERM);
  EXPECT_NE(process->Wait(), 0);
  const size_t before = finished();
  ASSERT_GE(before, 1U) << Errors();
  const json result = Run(Command(suite));
  ASSERT_EQ(status_, 0) << Errors();
  EXPECT_EQ(result["bars"].size(), 6U);
  EXPECT_EQ(result["found"], before);
  EXPECT_EQ(result["measured"], 6 - before);
}

TEST_F(Lab, WithoutTheRightToMakeNamespacesFallsBackAndSaysSo) {
  // Without `unshare` and `ip` on its path it cannot make one, whoever it is.
  const std::vector<std::string> nowhere{"/usr/bin/env", "PATH=/nonexistent"};
  auto command = Command(Suite("auto"));
  command.insert(command.begin(), nowhere.begin(), nowhere.end());
  const json result = Run(command);
  ASSERT_EQ(status_, 0) << Errors();
  EXPECT_EQ(result["bars"][0]["medium"], "user space");
  EXPECT_THAT(result["notes"].get<std::vector<std::string>>(), Contains(HasSubstr("user space")));
  // Asked for by name, it is an error instead.
  command = Command(Suite("kernel"));
  command.insert(command.begin(), nowhere.begin(), nowhere.end());
  Run(command);
  EXPECT_EQ(status_, 1);
  EXPECT_THAT(Errors(), HasSubstr("kernel"));
}

TEST_F(Lab, MeasuresAgainWhatWasNoFairFigure) {
  // Not a quick look: those take what they get.
  std::vector<std::string> command = Command(Suite("user"));
  std::erase(command, "--quick");
  Run(command);
  ASSERT_EQ(status_, 0) << Errors();
  const auto file = dir_.path() / "out" / "runs" / "small-fogline-split13.json";
  json run = json::parse(ReadTextFile(file).value_or(""));
  const double busy = 1e6;
  run["report"]["stages_ms"]["suffix"]["p95"] = busy;
  ASSERT_TRUE(WriteFile(file, run.dump()));
  const json again = Run(command);
  ASSERT_EQ(status_, 0) << Errors();
  EXPECT_GE(again["measured"], 1);
  run = json::parse(ReadTextFile(file).value_or(""));
  EXPECT_LT(run["report"]["stages_ms"]["suffix"]["p95"], busy);
}

TEST_F(Lab, RefusesAFolderOfOtherThings) {
  const std::string suite = Suite("user");
  const auto refused = [&](const std::string& said) {
    std::filesystem::remove(dir_.path() / "stderr");
    Run(Command(suite));
    EXPECT_EQ(status_, 2);
    EXPECT_EQ(std::ranges::count(Errors(), '\n'), 1) << Errors();
    EXPECT_THAT(Errors(), HasSubstr(said));
  };
  const auto out = dir_.path() / "out";
  ASSERT_TRUE(WriteFile(out, std::string_view("a file")));
  refused("holds something else");
  std::filesystem::remove(out);
  std::filesystem::create_directory(out);
  ASSERT_TRUE(WriteFile(out / "letter.txt", std::string_view("dear")));
  refused("holds something else");
  ASSERT_TRUE(WriteFile(out / "suite", std::string_view("paper\n")));
  refused("holds results of the suite 'paper'");
}

TEST_F(Lab, UsesTheKernelWhereItMay) {
  if (const auto link = KernelLink::Make({}); !link) GTEST_SKIP() << link.error().ToString();
  const json result = Run(Command(Suite("kernel")));
  ASSERT_EQ(status_, 0) << Errors();
  EXPECT_THAT(result["bars"][0]["medium"].get<std::string>(), HasSubstr("kernel: tbf"));
  EXPECT_GE(result["bars"][0]["stages_ms"]["network"], 10);
}

}  // namespace
}  // namespace fogline
