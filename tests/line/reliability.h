// Edges with a spool and clouds as processes of their own, to be killed.
#pragma once

#include <csignal>
#include <map>
#include <set>
#include <utility>

#include "edge/spool.h"
#include "tests/line/history.h"
#include "tests/line/line.h"

namespace fogline {

class Reliability : public Line {
 protected:
  void SetUp() override {
    Line::SetUp();
    cloud_->Stop();
    cloud_.reset();
  }

  Process NewCloud(const std::string& store) {
    std::vector<std::string> command = before_cloud_;
    for (const std::string& word : std::vector<std::string>{
             FOGLINE_BINARY, "cloud", "--json", "--broker", broker_->url(), "--models",
             kModels.string(), "--store", store, "--workers", "1"}) {
      command.push_back(word);
    }
    auto started = Process::Start(
        {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "cloud.log"});
    EXPECT_TRUE(started) << started.error().ToString();
    return *std::move(started);
  }
  void StartCloudProcess() {
    cloud_process_ = NewCloud("sqlite:" + (dir_.path() / "test.db").string());
  }

  std::filesystem::path SpoolOf(const std::string& device) const { return dir_.path() / device; }
  Process StartSpooling(const std::string& device, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--cut", "split13", "--codec", "q4", "--device", device, "--spool",
                               SpoolOf(device).string()});
    return StartEdge(flags);
  }
  void Kill(Process& process) {
    process.Signal(SIGKILL);
    process.Wait();
  }

  /// What a dead edge has left in its spool.
  std::vector<Name> Left(const std::string& device) {
    const auto copy = dir_.path() / "copy";
    std::filesystem::copy(SpoolOf(device), copy);
    std::vector<Name> left;
    {
      auto spool = Spool::Open({.folder = copy}, device);
      EXPECT_TRUE(spool) << spool.error().ToString();
      SpoolFrame frame;
      while (spool && (*spool)->Take(frame)) left.emplace_back(frame.run, frame.sequence);
    }
    std::filesystem::remove_all(copy);
    return left;
  }

  /// Sends what is left; a last word of five pictures goes behind it.
  void Finish(const std::string& device) {
    Process edge = StartSpooling(device, {"--count", "5", "--drain", "120"});
    const auto report = Report(edge);
    EXPECT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["kept"], 0) << Log();
    EXPECT_EQ(report["unanswered"], 0);
  }

  /// Every name once, none missing within a run, and `wanted` among them.
  void ExpectEveryFrameOnce(const std::string& device, const std::set<Name>& wanted) {
    History history{.stored = {}, .told = {wanted.begin(), wanted.end()}};
    for (const auto& row : Stored(device)) {
      history.stored.emplace_back(row.detection.run, row.detection.sequence);
    }
    for (const std::string& line : Violations(history)) ADD_FAILURE() << line;
  }

  Process cloud_process_ = Process::None();
  std::vector<std::string> before_cloud_;  // words before a cloud's command line
};

}  // namespace fogline
