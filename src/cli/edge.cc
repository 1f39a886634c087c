// fogline edge: the device's daemon.
#include "edge/edge.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/edge_metrics.h"
#include "cli/flags.h"

namespace fogline::cli {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && IsDeviceName(name.data()) ? name.data()
                                                                                     : "edge";
}

Json ToJson(const Summary& s) {
  return {{"count", s.count}, {"p50", s.p50}, {"p95", s.p95}, {"mean", s.mean}};
}

Json ToJson(const EdgeReport& r) {
  Json stages = Json::object();
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (r.stages_ms[i].count > 0) stages[kStages[i].name] = ToJson(r.stages_ms[i]);
  }
  Json all{{"device", r.device}, {"mechanism", r.mechanism}, {"cut", r.cut}, {"codec", r.codec}};
  for (const EdgeCount& count : EdgeCounts()) all[count.key] = r.*count.count;
  for (const auto& [route, pictures] : r.routes) all["routes"][route] = pictures;
  all["bytes_mean"] = r.bytes_mean;
  all["latency_ms"] = ToJson(r.total_ms);
  all["hypothetical_ms"] = ToJson(r.hypothetical_ms);
  all["overhead_ms"] = ToJson(r.overhead_ms);
  all["stages_ms"] = std::move(stages);
  if (r.failed) all["error"] = r.failed->ToString();
  return all;
}

/// Of a single source its report; of several each one's, and the sum of their counts.
Json ToJson(std::span<const EdgeReport> reports) {
  if (reports.size() == 1) return ToJson(reports.front());
  Json devices = Json::array(), total = Json::object();
  for (const EdgeReport& r : reports) devices.push_back(ToJson(r));
  const EdgeReport sum = Total(reports);
  for (const EdgeCount& count : EdgeCounts()) total[count.key] = sum.*count.count;
  total["bytes_mean"] = sum.bytes_mean;
  return {{"devices", std::move(devices)}, {"total", std::move(total)}};
}

void PrintCounts(std::FILE* out, const EdgeReport& r) {
  fmt::print(out, "  pictures {}   sent {}   stored {}", r.images, r.sent, r.stored);
  for (const EdgeCount& count : EdgeCounts()) {
    if (count.words != nullptr && r.*count.count > 0) {
      fmt::print(out, "   {} {}", count.words, r.*count.count);
    }
  }
  fmt::print(out, "\n");
}

void Print(std::FILE* out, const EdgeReport& r) {
  fmt::print(out, "{} · {} at {}, {}\n", r.device, r.mechanism, r.cut, r.codec);
  if (r.failed) return fmt::print(out, "  {}\n", r.failed->ToString());
  PrintCounts(out, r);
  for (const auto& [route, pictures] : r.routes) fmt::print(out, "  {:>8} {}\n", pictures, route);
  if (r.total_ms.count == 0) return;
  fmt::print(
      out,
      "  a frame {:.0f} bytes   latency {:.2f} ms p50, {:.2f} ms p95   without waits {:.2f}   "
      "overhead {:.2f}\n ",
      r.bytes_mean, r.total_ms.p50, r.total_ms.p95, r.hypothetical_ms.p50, r.overhead_ms.p50);
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (r.stages_ms[i].count > 0)
      fmt::print(out, " {} {:.2f}", kStages[i].name, r.stages_ms[i].p50);
  }
  fmt::print(out, "  (ms, p50)\n");
}

void Print(std::FILE* out, std::span<const EdgeReport> reports) {
  for (const EdgeReport& r : reports) Print(out, r);
  if (reports.size() == 1) return;
  fmt::print(out, "{} devices\n", reports.size());
  PrintCounts(out, Total(reports));
}

struct EdgeArgs {
  Common common;
  LinkFlags link;
  ProviderFlags provider;
  EdgeOptions edge;
  std::vector<std::string> sources;
  std::string model, device, mechanism, cut, route, report = "positives", wire = "fogline", bundle,
                                                    spool, trace, metrics;
  int audit = -1;  // none given
};

/// Which network runs, on what pictures, and how.
void AddWhatRuns(Command& command, EdgeArgs& args) {
  EdgeOptions& edge = args.edge;
  command.Add("--model", args.model, "the ONNX file (its card is the .toml beside it)").Required();
  command
      .Add("--source", args.sources,
           "a folder of pictures, a video, a stream (rtsp://… or http://…), a camera such as "
           "/dev/video0, or - for MJPEG on stdin; several are devices of their own: NAME=SOURCE")
      .Required();
  command.Add("--device", args.device, "this device's name (default: the host's)");
  command
      .Add("--mechanism", args.mechanism,
           "edge-only, cloud-only, split (with --cut), or auto: for each picture what suits the "
           "line "
           "and the cloud's load, of a policy's routes")
      .OneOf({"edge-only", "cloud-only", "split", "auto"});
  command.Add("--policy-file", edge.policy,
              "what --mechanism auto chooses from, as 'fogline plan --policy-file' writes it "
              "(default: MODEL.policy beside the model)");
  command.Add("--cut", args.cut,
              "where to split: an index of 'fogline inspect', the tensors that cross (a,b; "
              "tensor:3 where a name is a number), or split1…split14");
  command.Add("--codec", edge.request.mechanism.codec,
              "f32, f16, q8…q2 for tensors, one for all or one each (q4+f16); jpeg:Q, webp:Q for "
              "cloud-only");
  command.Add("--route", args.route,
              "mechanism, cut, codec and size in one, as plans name it: MODEL[@SIZE]:CUT/CODEC");
  command.Add("--max-disagreement", edge.request.most_disagreement,
              "let pictures leave at an early exit that are sure there, as long as no more than "
              "this share of all gets another class, e.g. 0.01");
  command
      .Add("--audit", args.audit,
           "one in so many pictures that are sure at an exit, or unchanged, goes its way all the "
           "same, and how they agree is counted; 0: none (default 50)")
      .Range(0, 1000000);
  command
      .Add(
          "--change-threshold", edge.device.changes.threshold,
          "of a fixed camera: a picture whose cells differ by fewer grey levels than this from the "
          "last one stored is stored as unchanged, with its result (default: every picture goes "
          "its way)")
      .Within(0, 255);
  command.Add("--bundle", args.bundle, "calibration (default: MODEL.bundle beside the model)");
  command.Add("--wire", args.wire, "fogline, or json for the paper's baseline")
      .OneOf({"fogline", "json"});
  command
      .Add("--size", edge.request.side,
           "side of the network's input in pixels (default: the card's)")
      .Range(1, 8192);
  command.Add("--report", args.report, "edge-only: send 'positives' or 'all' results")
      .OneOf({"positives", "all"})
      .ShowDefault();
}

/// Where pictures were taken.
void AddPlace(Command& command, EdgeOptions& edge) {
  command.Add("--at", edge.at, "fixed position LAT,LON for pictures without their own");
  command.Add("--gpx", edge.gpx, "a recorded track to place pictures by their time");
  command
      .Add("--camera-offset", edge.device.camera_offset,
           "what the cameras' clocks are ahead of UTC, where pictures do not say it themselves")
      .Type("+HH:MM|auto");
  command.Add("--gpsd", edge.gpsd, "a running gpsd, host:port");
}

/// How fast, and how much of it.
void AddPace(Command& command, EdgeOptions& edge) {
  command.Add("--rate", edge.device.rate, "pictures a second at most").RateUpTo(1000);
  command.Add("--window", edge.device.sender.window, "frames under way at most")
      .Range(1, 4096)
      .ShowDefault();
  command
      .Add("--threads", edge.request.mechanism.threads, "threads of the engine; 0 uses every core")
      .Range(0, 256)
      .ShowDefault();
  command
      .Add("--workers", edge.device.workers,
           "pictures of a source worked on side by side, with --threads each")
      .Range(1, 64)
      .ShowDefault();
  command
      .Add("--thumbnail", edge.device.thumbnail,
           "send a small picture along, longest side in pixels")
      .Range(16, 320);
  command
      .Add("--frame-rate", edge.device.source.frame_rate,
           "pictures a second that are taken out of a stream or a video, the others passed over "
           "(default: all)")
      .RateUpTo(1000);
  command.Add("--decoder", edge.device.source.decoder,
              "words for the ffmpeg that reads a stream or video, as '-hwaccel vaapi' or '-c:v "
              "h264_v4l2m2m', to decode in hardware");
  command.Add("--width", edge.device.source.width, "asked of a camera").ShowDefault();
  command.Add("--height", edge.device.source.height, "asked of a camera").ShowDefault();
  command.Add("--pace", edge.pace, "be as slow as this machine of the library, for experiments");
  command.Add("--count", edge.device.count, "stop after so many pictures");
  command.AddFlag("--recursive", edge.device.source.recursive,
                  "of a folder the pictures in its sub-folders too, in the order of their paths");
  command.AddFlag("--loop", edge.device.source.loop, "start the folder over at its end");
}

/// What becomes of frames while the cloud does not take them.
void AddKeeping(Command& command, EdgeArgs& args) {
  EdgeOptions& edge = args.edge;
  command.Add("--spool", args.spool,
              "a folder that keeps frames on disk until the cloud has stored them");
  command
      .Add("--spool-limit", edge.device.sender.spool.limit_bytes,
           "what the spool may take, e.g. 500MB")
      .Size()
      .ShowDefault("1GiB");
  command
      .Add("--dead-limit", edge.device.sender.dead_limit_bytes,
           "what the refused frames in the spool's dead/ may take; the oldest go first")
      .Size()
      .ShowDefault("64MiB");
  command
      .AddChoice<WhenFull>(
          "--when-full", edge.device.sender.spool.when_full,
          {{"wait", WhenFull::kWait}, {"oldest", WhenFull::kOldest}, {"newest", WhenFull::kNewest}},
          "a full spool: the camera waits, or the oldest or newest frames are dropped")
      .ShowDefault("wait");
  command
      .AddChoice<bool>(
          "--policy", edge.latest, {{"lossless", false}, {"latest", true}},
          "lossless: the camera waits for the line; latest: the newest picture goes first")
      .ShowDefault("lossless");
  command.AddDuration("--deadline", edge.device.sender.deadline, std::chrono::milliseconds(1), 1,
                      1e9, "milliseconds after which --policy latest gives a frame up");
  command.AddDuration("--fallback", edge.fallback, std::chrono::seconds(1), 0.001, 1e9,
                      "run the whole network here once the cloud was silent for so many seconds");
}

bool SkipsUnchanged(const EdgeArgs& args) { return args.edge.device.changes.threshold > 0; }

/// What is sent on all the same, and of what.
void ReadAudit(EdgeArgs& args) {
  RouteRequest& request = args.edge.request;
  args.edge.device.changes.audit = RouteRequest::kUsualAudit;
  if (args.audit < 0) return;
  const auto audit = static_cast<uint32_t>(args.audit);
  args.edge.device.changes.audit = audit;
  const bool gated = request.most_disagreement || (request.route && request.route->gate);
  if (gated || args.edge.automatic || !SkipsUnchanged(args)) request.audit = audit;
}

/// A policy's routes say all of it.
Status CheckAutomatic(const EdgeArgs& args) {
  const RouteRequest& request = args.edge.request;
  const char* const also = !args.cut.empty()                       ? "--cut"
                           : !request.mechanism.codec.empty()      ? "--codec"
                           : request.side > 0                      ? "--size"
                           : request.most_disagreement.has_value() ? "--max-disagreement"
                           : request.mechanism.json                ? "--wire json"
                                                                   : nullptr;
  if (also == nullptr) return {};
  return Fail(ErrorCode::kUsage, also,
              "does not go with --mechanism auto: a policy's routes say it");
}

/// What is asked to run, by --route or by the flags that it stands for.
Status ReadRequest(EdgeArgs& args, RouteRequest& request) {
  args.edge.automatic = args.mechanism == "auto";
  request.model = args.model;
  request.mechanism.bundle = args.bundle;
  request.mechanism.json = args.wire == "json";
  if (!args.route.empty()) {
    const bool also = !args.mechanism.empty() || !args.cut.empty() || request.side > 0 ||
                      !request.mechanism.codec.empty();
    if (also) {
      return Fail(ErrorCode::kUsage, "--route " + args.route,
                  "stands in place of --mechanism, --cut, --codec and --size");
    }
    FOGLINE_TRY(request.route, ParseRoute(args.route));
    return {};
  }
  if (args.edge.automatic) return CheckAutomatic(args);
  if (!args.edge.policy.empty()) {
    return Fail(ErrorCode::kUsage, "--policy-file " + args.edge.policy.string(),
                "goes with --mechanism auto");
  }
  if (args.mechanism == "split" && args.cut.empty()) {
    return Fail(ErrorCode::kUsage, "--mechanism split",
                "needs --cut; 'fogline inspect {}' lists them", args.model);
  }
  if (args.mechanism.empty() && args.cut.empty()) {
    return Fail(ErrorCode::kUsage, "edge",
                "needs --mechanism edge-only, cloud-only or split, --cut or --route");
  }
  const std::string whole = args.mechanism == "split" ? "" : args.mechanism;
  if (!whole.empty() && !args.cut.empty()) {
    return Fail(ErrorCode::kUsage, "--cut " + args.cut, "does not go with --mechanism {}",
                args.mechanism);
  }
  request.mechanism.cut = whole.empty() ? args.cut : whole;
  return {};
}

Status Run(EdgeArgs& args) {
  umask(S_IRWXG | S_IRWXO);  // pictures and positions are nobody else's, whoever starts this
  EdgeOptions& edge = args.edge;
  FOGLINE_CHECK(ReadRequest(args, edge.request));
  ReadAudit(args);
  FOGLINE_TRY(edge.sources,
              ParseSources(args.sources, args.device.empty() ? HostName() : args.device));
  if (!args.device.empty() && edge.sources.front().named) {
    return Fail(ErrorCode::kUsage, "--device " + args.device,
                "does not go with a source that has a name of its own");
  }
  DeviceOptions& device = edge.device;
  device.json = args.wire == "json";
  device.report_all = args.report == "all";
  device.sender.spool.folder = args.spool;
  FOGLINE_TRY(device.sender.link, ToLinkOptions(args.link));
  edge.trace = args.trace;
  if (!args.metrics.empty()) {
    edge.watch = [file = args.metrics](std::span<const EdgeReport> reports) {
      if (const Status written = WriteFile(file, EdgeMetrics(reports)); !written) {
        LogWarning("--metrics {}", written.error().ToString());
      }
    };
  }
  FOGLINE_CHECK(Use(args.provider));
  FOGLINE_TRY(const auto line, Edge::Open(edge));
  FOGLINE_TRY(const std::vector<EdgeReport> reports, line->Run());
  std::FILE* const out = edge.answers == "-" ? stderr : stdout;  // where lines are read, no others
  if (args.common.json) {
    fmt::print(out, "{}\n", Dump(ToJson(reports)));
  } else {
    Print(out, reports);
  }
  return Outcome(reports);
}

}  // namespace

void AddEdge(CommandLine& line) {
  auto args = std::make_shared<EdgeArgs>();
  Command command = line.Add("edge", "Runs the device: pictures in, frames out");
  AddCommon(command, args->common);
  AddLinkFlags(command, args->link);
  AddWhatRuns(command, *args);
  AddPlace(command, args->edge);
  AddPace(command, args->edge);
  AddProviderFlags(command, args->provider);
  AddKeeping(command, *args);
  command.Add("--trace", args->trace, "write a time line of every frame, for ui.perfetto.dev");
  command.Add("--answers", args->edge.answers,
              "what was found in each picture as a line of JSON, for other programs on the device: "
              "a file, a named pipe, or - for stdout");
  command.Add("--metrics", args->metrics,
              "write figures for Prometheus into FILE.prom every few seconds");
  command
      .AddDuration("--drain", args->edge.device.drain, std::chrono::seconds(1), 0, 1e9,
                   "seconds to wait for answers at the end")
      .ShowDefault("10");
  command
      .Example(
          "fogline edge --model models/litter.onnx --source photographs/ --mechanism split --cut "
          "split13",
          "a folder of pictures, cut where the paper has its 13th block")
      .Example(
          "fogline edge --model models/litter.onnx --source rtsp://camera/stream --frame-rate 2 "
          "--mechanism cloud-only",
          "a camera that speaks RTSP, two pictures a second, as JPEGs")
      .Example(
          "fogline edge --model models/litter.onnx --source cam-1=/dev/video0 --source "
          "cam-2=walk.mp4 --cut split13 --spool spool",
          "a camera and a video, each a device, kept on disk until the cloud has stored them");
  SetAction(command, std::shared_ptr<Common>(args, &args->common), [args] { return Run(*args); });
}

}  // namespace fogline::cli
