// Latest frame wins; figures and time lines that both sides leave behind.
#include <algorithm>
#include <set>

#include "tests/line/line.h"

namespace fogline {
namespace {

TEST_F(Line, TheLatestPictureWinsAndWhatIsStaleIsCounted) {
  cloud_->Stop();
  const std::vector<std::string> flags{
      "--mechanism", "cloud-only", "--policy", "latest",   "--deadline", "200",
      "--rate",      "50",         "--window", "2",        "--loop",     "--count",
      "10",          "--drain",    "0.5",      "--device", "live"};
  auto report = RunEdge(flags);
  EXPECT_EQ(report["stored"], 0);
  EXPECT_GE(report["stale"].get<int>() + report["unanswered"].get<int>(), 10) << Log();
  EXPECT_GE(report["stale"], 8);
  EXPECT_GT(report["overtaken"], 0);
  StartCloud();
  // The cloud listens once something is stored.
  ASSERT_TRUE(Until([&] {
    report = RunEdge(flags);
    return report["stored"] > 0;
  })) << Log();
  EXPECT_GE(Stored("live").size(), report["stored"].get<size_t>());
}

TEST_F(Line, PoliciesThatContradictEachOtherAreRefused) {
  const auto refused = [&](std::vector<std::string> flags, const char* word) {
    flags.insert(flags.end(), {"--mechanism", "cloud-only", "--device", "x"});
    RunEdge(flags);
    EXPECT_EQ(status_, 2) << Log();
    EXPECT_NE(Log().find(word), std::string::npos) << Log();
  };
  const std::string spool = (dir_.path() / "spool").string();
  refused({"--policy", "latest", "--rate", "5", "--spool", spool}, "--spool");
  refused({"--policy", "latest"}, "--rate");
  refused({"--deadline", "100"}, "--policy latest");
  refused({"--fallback", "1"}, "--spool");
  refused({"--spool", spool, "--spool-limit", "10"}, "--spool-limit");
}

TEST_F(Line, FiguresAndTracesOfBothSidesNameEveryFrame) {
  cloud_->Stop();
  CloudOptions options;
  options.link.broker = *ParseBroker(broker_->url());
  options.models.folder = kModels;
  options.trace = dir_.path() / "cloud.trace.json";
  auto cloud = Cloud::Start(options, *store_, [] {});
  ASSERT_TRUE(cloud) << cloud.error().ToString();
  cloud_ = *std::move(cloud);
  const auto edge_trace = dir_.path() / "edge.trace.json";
  const auto metrics = dir_.path() / "edge.prom";
  RunEdge({"--cut", "split13", "--device", "seen", "--trace", edge_trace.string(), "--metrics",
           metrics.string()});
  ASSERT_EQ(status_, 0) << Log();
  cloud_ = nullptr;  // closes its file

  std::set<std::string> frames;
  for (const auto& row : Stored("seen")) {
    frames.insert(fmt::format("seen/{:016x}/{}", row.detection.run, row.detection.sequence));
  }
  ASSERT_FALSE(frames.empty());
  const auto check = [&](const std::filesystem::path& file, const std::set<std::string>& stages) {
    const auto events = nlohmann::json::parse(ReadTextFile(file).value(), nullptr, false);
    ASSERT_TRUE(events.is_array()) << file;
    std::set<std::string> named, seen;
    for (const auto& event : events) {
      if (event["ph"] == "M") continue;
      named.insert(event["id2"]["global"].get<std::string>());
      seen.insert(event["name"].get<std::string>());
    }
    EXPECT_EQ(named, frames) << file;
    EXPECT_TRUE(std::includes(seen.begin(), seen.end(), stages.begin(), stages.end())) << file;
  };
  check(edge_trace, {"read", "prefix", "encode", "away"});
  check(options.trace, {"queue", "decode", "suffix", "store"});

  const std::string text = ReadTextFile(metrics).value();
  EXPECT_NE(
      text.find(fmt::format("fogline_edge_stored_total{{device=\"seen\"}} {}\n", frames.size())),
      std::string::npos)
      << text;
}

}  // namespace
}  // namespace fogline
