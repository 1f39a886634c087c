// What a frame costs a binary of fogline in processor time, edge and cloud together, held against
// another binary: what latencies cannot tell, which differ by half from run to run.
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/binomial.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/stats.h"
#include "servers/local_broker.h"

namespace fogline::bench {

/// Microseconds of processor time a frame, user and system.
struct FrameCost {
  double edge = 0, cloud = 0;
};

/// What an edge is asked to do, as words of its command line.
struct FrameWay {
  const char* name;
  std::vector<std::string> words;
};

inline double Micros(const timeval& t) {
  return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
}

/// Of children that have ended and were waited for.
inline double EndedMicros() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  return Micros(used.ru_utime) + Micros(used.ru_stime);
}

inline double RunningMicros(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) == 0) clock_gettime(clock, &used);
  return 1e6 * static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e3;
}

/// Lets an edge send so many frames; what it took in all.
inline Result<double> RunEdge(const std::string& binary, const std::string& broker,
                              const std::filesystem::path& models, const FrameWay& way, int frames,
                              const std::filesystem::path& log) {
  std::vector<std::string> words = {binary,
                                    "edge",
                                    "--broker",
                                    broker,
                                    "--model",
                                    (models / "litter.onnx").string(),
                                    "--source",
                                    (models / "demo").string(),
                                    "--device",
                                    "cost",
                                    "--loop",
                                    "--count",
                                    std::to_string(frames)};
  words.insert(words.end(), way.words.begin(), way.words.end());
  const double before = EndedMicros();
  FOGLINE_TRY(auto edge, Process::Start({.command = words, .stderr_to = log}));
  if (edge.Wait() != 0) {
    return Fail(ErrorCode::kInternal, binary, "an edge failed: {}", ReadTextFile(log).value_or(""));
  }
  return EndedMicros() - before;
}

/// The same with few frames and with `frames` more of them: what begins and ends is left out.
inline Result<FrameCost> CostOf(const std::string& binary, const std::filesystem::path& models,
                                const FrameWay& way, int frames) {
  constexpr int kFew = 20;
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  const TempDir dir;
  FOGLINE_TRY(
      auto cloud,
      Process::Start(
          {.command = {binary, "cloud", "--broker", broker->url(), "--models", models.string(),
                       "--store", "sqlite:" + (dir.path() / "store.db").string(), "--workers", "1"},
           .stderr_to = dir.path() / "cloud.log"}));
  const auto log = dir.path() / "edge.log";
  FOGLINE_TRY(const double few, RunEdge(binary, broker->url(), models, way, kFew, log));
  const double before = RunningMicros(cloud.pid());
  FOGLINE_TRY(const double all, RunEdge(binary, broker->url(), models, way, kFew + frames, log));
  const double cloud_us = RunningMicros(cloud.pid()) - before;
  return FrameCost{(all - few) / frames, cloud_us / (kFew + frames)};
}

/// The median, and bounds of what it would be of ever more rounds at 95 % or a little more: order
/// statistics, which ask nothing of how the samples are spread.
struct Bounded {
  double low = 0, median = 0, high = 0;
};
inline Bounded MedianOf(std::vector<double> samples) {
  std::ranges::sort(samples);
  const auto n = static_cast<int64_t>(samples.size());
  int64_t outer = 0;  // so many at either end are left out
  while (BinomialAtMost(outer, n, 0.5) <= 0.025 && 2 * (outer + 1) < n) ++outer;
  const auto low = static_cast<size_t>(std::max<int64_t>(0, outer - 1));
  return {samples[low], Quantile(samples, 0.5), samples[samples.size() - 1 - low]};
}

/// Both binaries in turns, who comes first in turns too; the quotients of each round.
inline Status CompareCosts(const std::string& now, const std::string& old,
                           const std::filesystem::path& models, int rounds, int frames) {
  const std::vector<FrameWay> ways = {
      {"picture", {"--cut", "input", "--codec", "jpeg:90"}},
      {"split13", {"--cut", "split13", "--codec", "f16"}},
      {"result", {"--cut", "output", "--report", "all"}},
      {"result, 32 px", {"--cut", "output", "--report", "all", "--size", "32"}}};
  fmt::print(
      "processor time a frame, medians of {} rounds of {} frames; new / old with bounds at "
      "95 %\n",
      rounds, frames);
  fmt::print("{:<16} {:>22} {:>22} {:>22} {:>22} {:>22}\n", "", "old us, edge + cloud",
             "new us, edge + cloud", "edge", "cloud", "together");
  for (const FrameWay& way : ways) {
    std::vector<double> costs[4], edge, cloud, both;  // old edge and cloud, new ones
    for (int round = 0; round < rounds; ++round) {
      FrameCost of[2];
      for (int i = 0; i < 2; ++i) {
        const int which = (i + round) % 2;
        FOGLINE_TRY(of[which], CostOf(which == 0 ? old : now, models, way, frames));
      }
      for (int which = 0; which < 2; ++which) {
        costs[2 * which].push_back(of[which].edge);
        costs[2 * which + 1].push_back(of[which].cloud);
      }
      edge.push_back(of[1].edge / of[0].edge);
      cloud.push_back(of[1].cloud / of[0].cloud);
      both.push_back((of[1].edge + of[1].cloud) / (of[0].edge + of[0].cloud));
    }
    const auto words = [](const std::vector<double>& samples) {
      const Bounded b = MedianOf(samples);
      return fmt::format("{:.3f} ({:.3f} to {:.3f})", b.median, b.low, b.high);
    };
    const auto sum = [&](int which) {
      return fmt::format("{:.0f} + {:.0f}", Quantile(costs[2 * which], 0.5),
                         Quantile(costs[2 * which + 1], 0.5));
    };
    fmt::print("{:<16} {:>22} {:>22} {:>22} {:>22} {:>22}\n", way.name, sum(0), sum(1), words(edge),
               words(cloud), words(both));
    std::fflush(stdout);
  }
  return {};
}

}  // namespace fogline::bench
