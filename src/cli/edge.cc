// fogline edge: the device's daemon.
#include "edge/edge.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/edge_metrics.h"
#include "cli/flags.h"
#include "cli/number.h"

namespace fogline::cli {
namespace {

using json = nlohmann::ordered_json;  // stages stay in the order of the flow

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && IsDeviceName(name.data()) ? name.data()
                                                                                     : "edge";
}

json ToJson(const Summary& s) {
  return {{"count", s.count}, {"p50", s.p50}, {"p95", s.p95}, {"mean", s.mean}};
}

json ToJson(const EdgeReport& r) {
  json stages = json::object();
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (r.stages_ms[i].count > 0) stages[kStages[i].name] = ToJson(r.stages_ms[i]);
  }
  return {{"device", r.device},
          {"mechanism", r.mechanism},
          {"cut", r.cut},
          {"codec", r.codec},
          {"images", r.images},
          {"skipped", r.skipped},
          {"unplaced", r.unplaced},
          {"unreported", r.unreported},
          {"sent", r.sent},
          {"stored", r.stored},
          {"duplicates", r.duplicates},
          {"refused", r.refused},
          {"dead_letters", r.dead},
          {"dead_letters_dropped", r.dead_dropped},
          {"unanswered", r.unanswered},
          {"recovered", r.recovered},
          {"waiting", r.waiting},
          {"kept", r.kept},
          {"dropped", r.dropped},
          {"unspooled", r.unspooled},
          {"stale", r.stale},
          {"overtaken", r.overtaken},
          {"local", r.local},
          {"bytes_mean", r.bytes_mean},
          {"latency_ms", ToJson(r.total_ms)},
          {"hypothetical_ms", ToJson(r.hypothetical_ms)},
          {"overhead_ms", ToJson(r.overhead_ms)},
          {"stages_ms", stages}};
}

void Print(const EdgeReport& r) {
  fmt::print("{} · {} at {}, {}\n", r.device, r.mechanism, r.cut, r.codec);
  fmt::print("  pictures {}   sent {}   stored {}", r.images, r.sent, r.stored);
  for (const auto& [count, what] : {std::pair{r.unreported, "negative, not sent"},
                                    {r.skipped, "skipped"},
                                    {r.unplaced, "without position"},
                                    {r.duplicates, "stored before"},
                                    {r.refused, "refused"},
                                    {r.dead, "in the dead-letter folder"},
                                    {r.dead_dropped, "that it had no room for"},
                                    {r.recovered, "of earlier runs"},
                                    {r.waiting, "that the cloud cannot take yet"},
                                    {r.kept, "kept for the next run"},
                                    {r.dropped, "dropped"},
                                    {r.unspooled, "not on disk"},
                                    {r.stale, "past their deadline"},
                                    {r.overtaken, "overtaken"},
                                    {r.local, "run here altogether"},
                                    {r.unanswered, "unanswered"}}) {
    if (count > 0) fmt::print("   {} {}", what, count);
  }
  fmt::print("\n");
  if (r.total_ms.count == 0) return;
  fmt::print(
      "  a frame {:.0f} bytes   latency {:.2f} ms p50, {:.2f} ms p95   without waits {:.2f}   "
      "overhead {:.2f}\n ",
      r.bytes_mean, r.total_ms.p50, r.total_ms.p95, r.hypothetical_ms.p50, r.overhead_ms.p50);
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (r.stages_ms[i].count > 0) fmt::print(" {} {:.2f}", kStages[i].name, r.stages_ms[i].p50);
  }
  fmt::print("  (ms, p50)\n");
}

}  // namespace

void AddEdge(CLI::App& app) {
  struct Args {
    Common common;
    LinkFlags link;
    EdgeOptions edge;
    std::string model, mechanism, cut, report = "positives", wire = "fogline", bundle, spool, trace,
                                       metrics;
  };
  auto args = std::make_shared<Args>();
  auto* command = app.add_subcommand("edge", "Runs the device: pictures in, frames out");
  AddCommon(*command, args->common);
  AddLinkFlags(*command, args->link);
  args->edge.sender.device = HostName();
  command->add_option("--model", args->model, "the ONNX file (its card is the .toml beside it)")
      ->required();
  command
      ->add_option("--source", args->edge.source.name,
                   "a folder of pictures, - for MJPEG on stdin, or a camera such as /dev/video0")
      ->required();
  command->add_option("--device", args->edge.sender.device,
                      "this device's name (default: the host's)");
  command->add_option("--mechanism", args->mechanism, "edge-only, cloud-only or split (with --cut)")
      ->check(CLI::IsMember({"edge-only", "cloud-only", "split"}));
  command->add_option(
      "--cut", args->cut,
      "where to split: an index of 'fogline inspect', a tensor (tensor:3 where its name "
      "is a number), or split1…split14");
  command->add_option("--codec", args->edge.mechanism.codec,
                      "f32, f16, q8…q2 for tensors; jpeg:Q, webp:Q for cloud-only");
  command->add_option("--bundle", args->bundle,
                      "calibration (default: MODEL.bundle beside the model)");
  command->add_option("--wire", args->wire, "fogline, or json for the paper's baseline")
      ->check(CLI::IsMember({"fogline", "json"}));
  command
      ->add_option("--size", args->edge.side,
                   "side of the network's input in pixels (default: the card's)")
      ->check(CLI::Range(1, 8192));
  command->add_option("--report", args->report, "edge-only: send 'positives' or 'all' results")
      ->check(CLI::IsMember({"positives", "all"}))
      ->capture_default_str();
  command->add_option("--at", args->edge.at,
                      "fixed position LAT,LON for pictures without their own");
  command->add_option("--gpx", args->edge.gpx, "a recorded track to place pictures by their time");
  command
      ->add_option(
          "--camera-offset", args->edge.camera_offset,
          "what the cameras' clocks are ahead of UTC, where pictures do not say it themselves")
      ->type_name("+HH:MM|auto");
  command->add_option("--gpsd", args->edge.gpsd, "a running gpsd, host:port");
  command->add_option("--rate", args->edge.rate, "pictures a second at most")
      ->check(RateUpTo(1000));
  command->add_option("--window", args->edge.sender.window, "frames under way at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--threads", args->edge.mechanism.threads,
                   "threads of the engine; 0 uses every core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      ->add_option("--thumbnail", args->edge.thumbnail,
                   "send a small picture along, longest side in pixels")
      ->check(CLI::Range(16, 320));
  command->add_option("--width", args->edge.source.width, "asked of a camera")
      ->capture_default_str();
  command->add_option("--height", args->edge.source.height, "asked of a camera")
      ->capture_default_str();
  command->add_option("--pace", args->edge.pace,
                      "be as slow as this machine of the library, for experiments");
  command->add_option("--count", args->edge.count, "stop after so many pictures");
  command->add_flag("--loop", args->edge.source.loop, "start the folder over at its end");
  command->add_option("--spool", args->spool,
                      "a folder that keeps frames on disk until the cloud has stored them");
  command
      ->add_option("--spool-limit", args->edge.sender.spool.limit_bytes,
                   "what the spool may take, e.g. 500MB")
      ->transform(CLI::AsSizeValue(true))
      ->default_str("1GiB");
  command
      ->add_option("--dead-limit", args->edge.sender.dead_limit_bytes,
                   "what the refused frames in the spool's dead/ may take; the oldest go first")
      ->transform(CLI::AsSizeValue(true))
      ->default_str("64MiB");
  command
      ->add_option("--when-full", args->edge.sender.spool.when_full,
                   "a full spool: the camera waits, or the oldest or newest frames are dropped")
      ->transform(CLI::Transformer(std::map<std::string, WhenFull>{
          {"wait", WhenFull::kWait}, {"oldest", WhenFull::kOldest}, {"newest", WhenFull::kNewest}}))
      ->default_str("wait");
  command
      ->add_option("--policy", args->edge.latest,
                   "lossless: the camera waits for the line; latest: the newest picture goes first")
      ->transform(
          CLI::Transformer(std::map<std::string, bool>{{"lossless", false}, {"latest", true}}))
      ->default_str("lossless");
  AddDuration(*command, "--deadline", args->edge.sender.deadline, std::chrono::milliseconds(1), 1,
              1e9, "milliseconds after which --policy latest gives a frame up");
  AddDuration(*command, "--fallback", args->edge.fallback, std::chrono::seconds(1), 0.001, 1e9,
              "run the whole network here once the cloud was silent for so many seconds");
  command->add_option("--trace", args->trace,
                      "write a time line of every frame, for ui.perfetto.dev");
  command->add_option("--metrics", args->metrics,
                      "write figures for Prometheus into FILE.prom every few seconds");
  AddDuration(*command, "--drain", args->edge.drain, std::chrono::seconds(1), 0, 1e9,
              "seconds to wait for answers at the end")
      ->default_str("10");
  SetAction(*command, std::shared_ptr<Common>(args, &args->common), [args]() -> Status {
    EdgeOptions& edge = args->edge;
    edge.model = args->model;
    edge.mechanism.bundle = args->bundle;
    edge.mechanism.json = args->wire == "json";
    edge.report_all = args->report == "all";
    edge.sender.spool.folder = args->spool;
    edge.trace = args->trace;
    if (!args->metrics.empty()) {
      edge.watch = [file = args->metrics](const EdgeReport& report) {
        if (const Status written = WriteFile(file, EdgeMetrics(report)); !written) {
          LogWarning("--metrics {}", written.error().ToString());
        }
      };
    }
    FOGLINE_TRY(edge.sender.link, ToLinkOptions(args->link));
    if (args->mechanism == "split" && args->cut.empty()) {
      return Fail(ErrorCode::kUsage, "--mechanism split",
                  "needs --cut; 'fogline inspect {}' lists them", args->model);
    }
    if (args->mechanism.empty() && args->cut.empty()) {
      return Fail(ErrorCode::kUsage, "edge",
                  "needs --mechanism edge-only, cloud-only or split, or --cut");
    }
    const std::string whole = args->mechanism == "split" ? "" : args->mechanism;
    if (!whole.empty() && !args->cut.empty()) {
      return Fail(ErrorCode::kUsage, "--cut " + args->cut, "does not go with --mechanism {}",
                  args->mechanism);
    }
    edge.mechanism.cut = whole.empty() ? args->cut : whole;
    FOGLINE_TRY(const EdgeReport report, RunEdge(edge));
    if (args->common.json) {
      fmt::print("{}\n", ToJson(report).dump());
    } else {
      Print(report);
    }
    return Outcome(report);
  });
}

}  // namespace fogline::cli
