// What several tensors in one frame cost beside their bytes: the same numbers as one tensor, as 9
// and as 32, made into a frame and worked through by a cloud's worker. Best of many runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cloud/worker.h"
#include "edge/mechanism.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

constexpr int kRounds = 40, kFrames = 50;

/// A picture → one tensor → so many, a 288th of the numbers each → one again → classes.
test::TestModel ModelOf(int tensors) {
  test::TestModel m;
  m.Input("x", {"1", "3", "16", "16"});
  m.Conv("x", "all", 3, 288, 1);
  auto& split = m.Node("Split", {"all"}, {});
  test::SetInt(split, "axis", 1);
  std::vector<std::string> parts;
  for (int i = 0; i < tensors; ++i) {
    parts.push_back("part" + std::to_string(i));
    split.add_output(parts.back());
  }
  test::SetInt(m.Node("Concat", parts, {"again"}), "axis", 1);
  m.Node("GlobalAveragePool", {"again"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"y"});
  m.Output("y");
  return m;
}

struct Cost {
  double encode_us = 1e9, frame_us = 1e9, worker_us = 1e9;
  size_t bytes = 0;
};

double MicrosSince(Nanos start) {
  return std::chrono::duration<double, std::micro>(Clock::Real().Steady() - start).count();
}

Result<Cost> Measure(int tensors, const std::string& codec) {
  const TempDir dir;
  const auto path = dir.path() / "m.onnx";
  FOGLINE_CHECK(WriteFile(path, ModelOf(tensors).Bytes()));
  FOGLINE_TRY(const Network network, LoadNetwork(path));
  MechanismOptions options;
  for (int i = 0; i < tensors; ++i) {
    options.cut = i == 0 ? "part0" : options.cut + ",part" + std::to_string(i);
  }
  options.codec = codec;
  FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, options));
  FOGLINE_TRY(const auto registry, Registry::Open({.folder = dir.path()}));
  Worker worker(*registry);
  Frame frame;
  frame.device = "bench";
  mechanism->Stamp(frame);
  Prepared prepared;
  std::vector<std::byte> bytes;
  const Image picture{16, 16, std::vector<uint8_t>(16 * 16 * 3, 99)};
  Cost best;
  for (int round = 0; round < kRounds; ++round) {
    double encode = 0, made = 0, worked = 0;
    for (int i = 0; i < kFrames; ++i) {
      FOGLINE_CHECK(mechanism->Process(picture, prepared));
      encode += prepared.encode_us;
      Nanos start = Clock::Real().Steady();
      frame.payloads = prepared.payloads;
      FOGLINE_CHECK(WriteFrame(frame, bytes));
      made += MicrosSince(start);
      start = Clock::Real().Steady();
      FOGLINE_CHECK(worker.Work(bytes, "bench").map([](const Worked&) {}));
      worked += MicrosSince(start);
    }
    best.encode_us = std::min(best.encode_us, encode / kFrames);
    best.frame_us = std::min(best.frame_us, made / kFrames);
    best.worker_us = std::min(best.worker_us, worked / kFrames);
  }
  best.bytes = bytes.size();
  return best;
}

Status Run() {
  SetLogLevel(LogLevel::kError);
  fmt::print("{:<8} {:>7} {:>8} {:>10} {:>10} {:>10} {:>20}\n", "codec", "tensors", "bytes",
             "encode us", "frame us", "worker us", "more than one, us");
  for (const char* codec : {"f32", "f16"}) {
    double one = 0;
    for (const int tensors : {1, 9, 32}) {
      FOGLINE_TRY(const Cost cost, Measure(tensors, codec));
      const double all = cost.encode_us + cost.frame_us + cost.worker_us;
      if (tensors == 1) one = all;
      fmt::print("{:<8} {:>7} {:>8} {:>10.1f} {:>10.1f} {:>10.1f} {:>20.1f}\n", codec, tensors,
                 cost.bytes, cost.encode_us, cost.frame_us, cost.worker_us, all - one);
    }
  }
  return {};
}

}  // namespace
}  // namespace fogline

int main() {
  const fogline::Status status = fogline::Run();
  if (!status) fmt::print(stderr, "frame_bench: {}\n", status.error().ToString());
  return status ? 0 : 1;
}
